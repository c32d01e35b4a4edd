/** The product behind the linear layers and the convolutions; shaders/matmul.wgsl has the kernel. */
import matmulSource from '../../../shaders/matmul.wgsl?raw';
import operandsSource from '../../../shaders/matmul_operands.wgsl?raw';
import { bytesOf, elements, type Tensor } from '../graph';
import type { Defines } from '../wgsl';
import type { Binding, Dispatch, Lowering, Variant } from './definition';
import { kernel, read, write } from './kernel';
import { sumPartials } from './sum_partials';

/** A product C[m, n] = Σ_k A(m, k) B(k, n) for shaders/matmul.wgsl, its operands read by a file of their own. */
export interface Product {
  readonly name: string;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Products of these sizes that are computed at once; 1 where left out. */
  readonly groups?: number;
  /** Whether a line of the operand in memory goes along k. */
  readonly aKMajor: boolean;
  readonly bKMajor: boolean;
  /** Whether both operands are read by fours. */
  readonly vector: boolean;
  /** WGSL of line_a, load_a, line_b, load_b, the walk along k and store. */
  readonly operands: string;
  readonly defines: Defines;
  /** Defines that the shader reads from a uniform. */
  readonly sizes?: Readonly<Record<string, number>>;
  /** All but the result; `bias` is left out when k is cut into spans. */
  readonly bindings: readonly Binding[];
  readonly bias?: Tensor | undefined;
  readonly y: Tensor;
  /** Whether a row's columns do not lie together in y. */
  readonly strided?: boolean;
  /** y from partial sums [split, groups, m, n], or with y's order of them; without it k is never cut. */
  readonly sum?: (partial: Tensor, split: number, lowering: Pick<Lowering, 'software'>) => Dispatch;
}

interface Tiling {
  readonly TM: number;
  readonly TN: number;
  readonly WX: number;
  readonly WY: number;
  readonly SHARED: boolean;
  readonly TK: number;
  readonly QUAD?: boolean;
}

const registers = (TM: number, TN: number, WY: number): Tiling => ({
  TM,
  TN,
  WX: 8,
  WY,
  SHARED: false,
  TK: 4,
});
/** For few columns, which the other tiles would fill with nothing. */
const narrow = (TM: number, TN: number): Tiling => ({
  TM,
  TN,
  WX: 2,
  WY: 8,
  SHARED: false,
  TK: 4,
});
/** A quad by itself: where workgroups are only a way to count, the smallest step from one product's size to the next. */
const single = (TM: number, TN: number): Tiling => ({
  TM,
  TN,
  WX: 2,
  WY: 2,
  SHARED: false,
  TK: 4,
  QUAD: true,
});
/** Sizes are powers of two. */
const shared = (TM: number, TN: number, WX: number, WY: number): Tiling => ({
  TM,
  TN,
  WX,
  WY,
  SHARED: true,
  TK: 16,
});

const TILINGS = {
  'quad 16x8': { ...registers(16, 8, 2), QUAD: true },
  'quad 8x8': { ...registers(8, 8, 2), QUAD: true },
  'single quad 16x8': single(16, 8),
  'single quad 8x8': single(8, 8),
  'narrow quad 16x8': { ...narrow(16, 8), QUAD: true },
  'narrow quad 8x4': { ...narrow(8, 4), QUAD: true },
  'narrow 8x8': narrow(8, 8),
  'narrow 8x4': narrow(8, 4),
  'registers 16x8': registers(16, 8, 1),
  'registers 8x8': registers(8, 8, 2),
  'registers 4x4': registers(4, 4, 8),
  'shared 64x32': shared(4, 4, 8, 16),
  'shared 32x32': shared(4, 4, 8, 8),
  'shared 64x64': shared(4, 4, 16, 16),
  'shared 128x64': shared(8, 4, 16, 16),
  'shared 64x64 8x8': shared(8, 8, 8, 8),
  'shared 128x128 8x8': shared(8, 8, 16, 16),
} as const satisfies Record<string, Tiling>;
type TilingName = keyof typeof TILINGS;

/** What is worth timing on a CPU-backed adapter. */
const SOFTWARE = {
  quad: ['quad 16x8', 'quad 8x8', 'single quad 16x8', 'single quad 8x8'],
  plain: ['registers 8x8', 'registers 16x8'],
} as const satisfies Record<string, readonly TilingName[]>;

/** Tried before the others where they need not be wider: tile and the maximum of columns. */
const NARROW = {
  quad: [
    ['narrow quad 8x4', 8],
    ['narrow quad 16x8', 32],
  ],
  plain: [
    ['narrow 8x4', 8],
    ['narrow 8x8', 32],
  ],
} as const satisfies Record<string, readonly (readonly [TilingName, number])[]>;

/** Below this many threads a product is also tried with smaller tiles, and with k cut into spans. */
const FEW_THREADS = 16;

/** A span shorter than this is not worth a second dispatch. */
const SHORTEST_SPAN = 64;

/** Those of all groups. */
const tiles = ({ m, n, groups = 1 }: Product, { TM, TN, WX, WY }: Tiling): number =>
  groups * Math.ceil(m / (WY * TM)) * Math.ceil(n / (WX * TN));

/** Multiply-adds of a product's tiles for each step of k, those beyond the edges with them. */
const padded = (product: Product, tiling: Tiling): number =>
  tiles(product, tiling) * tiling.WX * tiling.WY * tiling.TM * tiling.TN;

/** Tilings and cuts of k that are worth timing; the first is what is taken untuned. */
export const productVariants = (product: Product, lowering: Lowering): readonly [Variant, ...Variant[]] =>
  lowering.software ? softwareVariants(product, lowering.subgroups) : gpuVariants(product, lowering);

const choice = (TILING: TilingName, SPLIT: number): Choice => ({
  name: SPLIT > 1 ? `${TILING} split ${SPLIT}` : TILING,
  TILING,
  SPLIT,
});

function softwareVariants(product: Product, subgroups: boolean): readonly [Variant, ...Variant[]] {
  const { m, n, k, vector, bKMajor, sum } = product;
  const lanes = subgroups ? 'quad' : 'plain';
  // A line that is not along k is read by fours, half of them by each lane of a pair.
  const few = NARROW[lanes].filter(
    ([name, max]) => vector && n <= max && (bKMajor || TILINGS[name].TN === 8),
  );
  const variants: Choice[] = [];
  for (const TILING of [...few.map(([name]) => name), ...SOFTWARE[lanes], 'registers 4x4'] as const) {
    // Scalar loads unroll into four times the code, so large tiles are left to shapes that are read by fours.
    if (!vector && TILINGS[TILING].TM > 8) continue;
    const threads = tiles(product, TILINGS[TILING]) * TILINGS[TILING].WX * TILINGS[TILING].WY;
    if (TILING === 'registers 4x4' && Math.min(m, n) > 64 && threads > 4 * FEW_THREADS) continue;
    variants.push(choice(TILING, 1));
    for (const split of sum ? [4, 16] : [])
      if (threads * split <= 4 * FEW_THREADS && k >= split * SHORTEST_SPAN)
        variants.push(choice(TILING, split));
  }
  variants.sort((a, b) => guessedCost(product, a) - guessedCost(product, b));
  return variants as [Choice, ...Choice[]];
}

/**
 * Tilings that Mesa's compilers spill on none of the GPUs that they were tried for, one of which a GPU gets untuned, with what
 * a multiply-add costs beside the cheapest: a guess from the loads that it takes.
 */
const GPU = {
  'shared 64x64': 1,
  'shared 64x32': 1.1,
  'shared 32x32': 1.2,
} as const satisfies Partial<Record<TilingName, number>>;

/**
 * These have fewer loads a multiply-add, and more registers than some GPUs have: only where the tuner times them. Those of 8 × 8
 * spill on all of Intel's, into code that takes long to compile, and are not offered there.
 */
const GPU_LARGE = [
  'shared 128x64',
  'shared 64x64 8x8',
  'shared 128x128 8x8',
] as const satisfies readonly TilingName[];

/** Workgroups that a GPU needs to be busy, and fewer than it can do with; a sum over more than LONG k's is cut until it is busy. */
const BUSY_GPU = 256;
const FEW_GPU = 64;
const LONG = 4096;

/** Into how many spans k may be cut where there are so many tiles; the first is taken untuned. */
function splitsOf({ k, sum }: Product, workgroups: number): [number, ...number[]] {
  if (!sum || workgroups >= BUSY_GPU) return [1];
  const busy = 2 ** Math.ceil(Math.log2(BUSY_GPU / workgroups));
  if (k > LONG) return [busy];
  if (k < busy * SHORTEST_SPAN) return [1];
  return workgroups < FEW_GPU ? [busy, 1] : [1, busy];
}

function gpuVariants(product: Product, { limits, vendor }: Lowering): readonly [Variant, ...Variant[]] {
  const cost = (name: keyof typeof GPU): number => GPU[name] * padded(product, TILINGS[name]);
  const names = Object.keys(GPU) as (keyof typeof GPU)[];
  const best = names.reduce((a, b) => (cost(b) < cost(a) ? b : a));
  // What lies beyond the edges must not cost more than larger tiles can gain.
  const large = GPU_LARGE.filter(
    (name) =>
      !(vendor === 'intel' && TILINGS[name].TM * TILINGS[name].TN > 32) &&
      padded(product, TILINGS[name]) <= 1.3 * padded(product, TILINGS[best]) &&
      stagedBytes(product, TILINGS[name]) <= limits.maxComputeWorkgroupStorageSize,
  );
  const splits = (name: TilingName): [number, ...number[]] =>
    splitsOf(product, tiles(product, TILINGS[name]));
  const [first, ...others] = splits(best).map((split) => choice(best, split));
  return [first as Choice, ...others, ...large.map((name) => choice(name, splits(name)[0]))];
}

type Choice = Variant & { readonly TILING: TilingName; readonly SPLIT: number };

/** Workgroups that keep the cores of a small CPU busy. */
const BUSY = 3;

/**
 * Multiply-adds that take as long as compiling the code of one output of a tile, about 2.5 ms, divided by the 75 runs after
 * which the larger tile has paid.
 */
const COMPILING = 1e5;

/**
 * What a product takes on a CPU-backed adapter, which is not timed before every training: multiply-adds, those beyond the
 * edges with them, what is loaded for each, at ten multiply-adds a load, and its share of the compilation.
 */
function guessedCost(product: Product, { TILING, SPLIT }: Choice): number {
  const tiling: Tiling = TILINGS[TILING];
  const { TM, TN, QUAD } = tiling;
  const loads = (10 * (TM + TN)) / (TM * TN) / (QUAD ? 2 : 1);
  const idle = Math.max(1, BUSY / (tiles(product, tiling) * SPLIT));
  const running = product.k * padded(product, tiling) * (1 + loads) * idle * (SPLIT > 1 ? 1.3 : 1);
  return running + COMPILING * TM * TN;
}

/**
 * How a workgroup stages its tiles: vec4s a lane, rows between those of a lane, and vec4s from one k to the next, one more than
 * needed where a lane's four values go to four of them, so that they are in other banks than the neighbour's.
 */
function stagingDefines({ aKMajor, bKMajor }: Product, { TM, TN, WX, WY, TK }: Tiling) {
  const LANES = WX * WY;
  return {
    LANES,
    SLOTS_A: Math.ceil((WY * TM * TK) / 4 / LANES),
    SLOTS_B: Math.ceil((WX * TN * TK) / 4 / LANES),
    APART: (4 * LANES) / TK,
    PITCH_A: (WY * TM) / 4 + (aKMajor ? 1 : 0),
    PITCH_B: (WX * TN) / 4 + (bKMajor ? 1 : 0),
  };
}

/** Bytes of workgroup memory. */
function stagedBytes(product: Product, tiling: Tiling): number {
  const { PITCH_A, PITCH_B } = stagingDefines(product, tiling);
  return 16 * tiling.TK * (PITCH_A + PITCH_B);
}

/** The dispatches of a product: one, or two where k is cut into spans. */
export function productKernels(
  product: Product,
  lowering: Lowering,
  variant: Variant | undefined,
): Dispatch[] {
  const { name, m, n, k, groups = 1, bias, y, sum } = product;
  const { TILING, SPLIT } = (variant ?? productVariants(product, lowering)[0]) as Choice;
  const tiling: Tiling = TILINGS[TILING];
  const partial = SPLIT > 1 && sum ? lowering.scratch('partial', [SPLIT, groups * m, n]) : undefined;
  const [tileM, tileN] = [tiling.WY * tiling.TM, tiling.WX * tiling.TN];
  const summed = bias && !partial ? bias : undefined;
  const fours =
    n % 4 === 0 &&
    (!summed || elements(summed.shape) % 4 === 0) &&
    (partial !== undefined || !product.strided);
  const stored = fours ? 'vec4f' : 'f32';
  const dispatch = kernel({
    name,
    source: product.operands + matmulSource,
    defines: {
      ...tiling,
      ...stagingDefines(product, tiling),
      QUAD: tiling.QUAD ?? false,
      OWN_M: tiling.QUAD ? tiling.TM / 2 : tiling.TM,
      OWN_N: tiling.QUAD ? tiling.TN / 2 : tiling.TN,
      PARTIAL: partial !== undefined,
      A_K_MAJOR: product.aKMajor,
      B_K_MAJOR: product.bKMajor,
      BIAS: bias !== undefined,
      // What does not lie together in y still comes by fours: its place is found once for four columns.
      STORE_FOURS: fours || (tiling.SHARED && product.strided === true),
      GUARD_M: m % tileM !== 0,
      GUARD_N: n % tileN !== 0,
      GUARD_K: k % tiling.TK !== 0,
      GROUPS: groups,
      ...product.defines,
    },
    sizes: {
      M: m,
      N: n,
      K: k,
      SPAN: Math.ceil(k / SPLIT / tiling.TK) * tiling.TK,
      TILES: tiles(product, tiling) / groups,
      TILES_N: Math.ceil(n / tileN),
      ...product.sizes,
    },
    bindings: [
      ...product.bindings,
      ...(summed ? [read('bias', summed, stored)] : []),
      partial ? write('partial', partial, stored) : write('y', y, stored),
    ],
    workgroup: tiling.WX * tiling.WY,
    workgroups: tiles(product, tiling) * SPLIT,
    subgroups: tiling.QUAD ?? false,
  });
  return partial && sum ? [dispatch, sum(partial, SPLIT, lowering)] : [dispatch];
}

/** A product of two matrices in memory. */
export interface Gemm {
  readonly name: string;
  /** [m, k], or [k, m] when not aKMajor; with groups [m, groups, k] or [k, groups, m]. */
  readonly a: Tensor;
  readonly aKMajor: boolean;
  /** [n, k], or [k, n] when not bKMajor; with groups [groups, n, k] or [groups, k, n], and [k, groups, n] when neither is k-major. */
  readonly b: Tensor;
  readonly bKMajor: boolean;
  /** [n], or [groups, n]. */
  readonly bias?: Tensor | undefined;
  /** [m, n]; with groups [m, groups, n], and [groups, m, n] when neither is k-major. */
  readonly y: Tensor;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly groups: number;
}

function matrices(gemm: Gemm): Product {
  const { a, b, bias, y, m, n, k } = gemm;
  const aVector = (gemm.aKMajor ? k : m) % 4 === 0;
  const bVector = (gemm.bKMajor ? k : n) % 4 === 0;
  return {
    ...gemm,
    vector: aVector && bVector,
    operands: operandsSource,
    defines: { A_VECTOR: aVector, B_VECTOR: bVector, K_BY_FOURS: k % 4 === 0 },
    bindings: [read('a', a, aVector ? 'vec4f' : 'f32'), read('b', b, bVector ? 'vec4f' : 'f32')],
    sum: (partial, split, lowering) => sumPartials(partial, y, split, lowering, bias),
  };
}

/** The variants of a product of two matrices in memory. */
export const gemmVariants = (gemm: Gemm, lowering: Lowering): readonly [Variant, ...Variant[]] =>
  productVariants(matrices(gemm), lowering);

/** The dispatches of a product of two matrices in memory. */
export const gemmKernels = (gemm: Gemm, lowering: Lowering, variant: Variant | undefined): Dispatch[] =>
  productKernels(matrices(gemm), lowering, variant);

/** FLOPs and bytes of a product of two matrices in memory. */
export const gemmCost = ({ a, b, bias, y, m, n, k, groups }: Gemm) => ({
  flops: groups * (2 * m * n * k + (bias ? m * n : 0)),
  bytes: [a, b, y, ...(bias ? [bias] : [])].reduce((sum, tensor) => sum + bytesOf(tensor), 0),
});

/** The product in float64, in the order of y. */
export function gemmReference(
  a: Float64Array,
  b: Float64Array,
  { m, n, k, groups, aKMajor, bKMajor }: Pick<Gemm, 'm' | 'n' | 'k' | 'groups' | 'aKMajor' | 'bKMajor'>,
): Float64Array {
  const y = new Float64Array(groups * m * n);
  for (let g = 0; g < groups; g++) {
    const aAt = (i: number, p: number): number =>
      aKMajor ? (i * groups + g) * k + p : (p * groups + g) * m + i;
    const bAt = (j: number, p: number): number => {
      if (bKMajor) return (g * n + j) * k + p;
      return (aKMajor ? g * k + p : p * groups + g) * n + j;
    };
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let p = 0; p < k; p++) sum += (a[aAt(i, p)] as number) * (b[bAt(j, p)] as number);
        y[(aKMajor ? i * groups + g : g * m + i) * n + j] = sum;
      }
  }
  return y;
}
