/** Weights of convolutions in the order in which their products read them; shaders/conv1d_weights.wgsl has the kernel. */
import source from '../../../shaders/conv1d_weights.wgsl?raw';
import { elements, type Constant, type Pack, type Slice, type Tensor } from '../graph';
import type { PackLayout } from '../packs';
import type { Dispatch, Lowering, WeightPack } from './definition';
import { kernel, passesOf, read, write } from './kernel';

const WORKGROUP = 64;

/** Elements that weights packed at once take at most: each is in memory while the others are, 16 MiB in all. */
const MAX_ELEMENTS = 1 << 22;

/** Of a lowering, or with stand-ins for tensors where only shapes are asked for. */
export type Making = Pick<Lowering, 'scratch' | 'software'>;

interface Placed extends WeightPack {
  /** Where the weight starts in what the kernel reads, and its packed elements in what it writes. */
  readonly source: number;
  readonly target: number;
}

const rowOf = (pack: Placed): number[] => {
  const [, taps, to] = pack.packed.shape as readonly [number, number, number];
  const end = pack.target + elements(pack.packed.shape);
  const { target, source: start, from, block, rowStride, channelStride, firstTap, tapStep } = pack;
  return [target, end, start, taps, to, from, block, rowStride, channelStride, firstTap, tapStep];
};

function packKernel(making: Making, placed: readonly Placed[], weight: Tensor, packed: Tensor): Dispatch {
  const rows = placed.map(rowOf);
  const data = Int32Array.from(rows.flat());
  const table: Constant = {
    ...making.scratch('weights', [data.length]),
    dtype: 'u32',
    role: 'constant',
    data: new Uint32Array(data.buffer),
  };
  const items = elements(packed.shape);
  return kernel({
    name: 'conv1d.weights',
    source,
    defines: { FIELDS: data.length / rows.length },
    sizes: { ROWS: rows.length, MIDDLE: 2 ** Math.floor(Math.log2(rows.length)) },
    bindings: [read('weight', weight), read('table', table), write('packed', packed)],
    items,
    per: passesOf(items, WORKGROUP, making.software, 4),
    workgroup: WORKGROUP,
  });
}

/** The dispatch that packs one weight; `packTogether` makes one of several. */
export const packWeight = (making: Making, pack: WeightPack): Dispatch => ({
  ...packKernel(making, [{ ...pack, source: 0, target: 0 }], pack.weight, pack.packed),
  packs: pack,
});

/**
 * A program's dispatches with those that pack parameters together, as many as fit MAX_ELEMENTS, where the first of them was; and where
 * each packed weight then lies, by its id. `layout` is the parameters'.
 */
export function packTogether<D extends Dispatch>(
  dispatches: readonly D[],
  layout: PackLayout,
  making: Making,
): { readonly dispatches: readonly D[]; readonly slices: ReadonlyMap<number, Slice> } {
  const groups: Placed[][] = [];
  let filled = MAX_ELEMENTS;
  const groupOf = new Map<D, Placed[]>();
  for (const dispatch of dispatches) {
    const { packs } = dispatch;
    const parameter = packs?.weight.role === 'parameter' && layout.slices.get(packs.weight.name);
    if (!packs || !parameter) continue;
    const length = Math.ceil(elements(packs.packed.shape) / WORKGROUP) * WORKGROUP;
    if (filled + length > MAX_ELEMENTS) {
      groups.push([]);
      filled = 0;
    }
    const group = groups.at(-1) as Placed[];
    group.push({ ...packs, source: parameter.offset, target: filled });
    groupOf.set(dispatch, group);
    filled += length;
  }
  const value: Pack = {
    ...making.scratch('parameters', [layout.length]),
    role: 'pack',
    pack: 'value',
  };
  const slices = new Map<number, Slice>();
  const merged = dispatches.flatMap((dispatch) => {
    const group = groupOf.get(dispatch);
    if (!group || group.length === 1) return [dispatch];
    if (dispatch.packs !== undefined && group[0]?.packed !== dispatch.packs.packed) return [];
    const last = group.at(-1) as Placed;
    const whole = making.scratch('packed weights', [last.target + elements(last.packed.shape)]);
    for (const { packed, target } of group) slices.set(packed.id, { whole, offset: target });
    return [{ ...dispatch, ...packKernel(making, group, value, whole) }];
  });
  return { dispatches: merged, slices };
}
