import { Random } from '../../base/random';
import type { Device } from '../../engine/device';
import { elements, type Tensor } from '../../engine/graph';
import { ssdScanOp } from '../../engine/ops/ssd_scan';
import { CHUNK, type SsdAttrs } from '../../engine/ops/ssd_scan_shared';
import { WINDOW } from '../../eeg/windows/windows';
import { onsetOf, PATIENTS, readingGraph, windowBefore } from '../course/eeg';
import { inFloat64, type Lab } from '../course/lab';
import type { Line, Measured, Measures, Settings } from '../course/step';
import { DETECTOR, storedDetector } from '../stored/detector';
import { chunkedScan } from './chunks';
import {
  blockOf,
  coarse,
  deltaOf,
  hears,
  matrixOf,
  medianOf,
  partsOf,
  reachOf,
  rowSums,
  scannedMatrix,
  type Head,
} from './head';
import { BLOCK, CHUNKS, RATE, SQUARE } from './plan';
import { rankOf, singularValues } from './singular_values';

/** Singular values below these shares of the largest are rounding: in float64, and in float32. */
const [ROUNDING, ROUNDING_32] = [1e-10, 1e-6];

interface Scanned {
  readonly head: Head;
  /** The node's own floating-point operations, as declared, of this head for a sequence. */
  readonly flops: number;
}

type Heads = readonly [Scanned, Scanned];
const read = new Map<Device | undefined, Promise<Heads>>();

/** Both heads of the stored detector while it reads a minute around an onset, forward first; read once for a device. */
function heads(lab: Lab): Promise<Heads> {
  const before = read.get(lab.device);
  if (before) return before;
  const reading = readHeads(lab);
  read.set(lab.device, reading);
  reading.catch(() => read.delete(lab.device));
  return reading;
}

async function readHeads(lab: Lab): Promise<Heads> {
  const { weights } = await storedDetector();
  const onset = await onsetOf(PATIENTS[0]);
  const { graph, x } = readingGraph(DETECTOR, 1, WINDOW, true);
  const nodes = graph.nodes.filter(({ op }) => op.name === ssdScanOp.name);
  const wanted = nodes.flatMap(({ inputs }) => [inputs['xbc'], inputs['dt'], inputs['A']]) as Tensor[];
  const feed = new Map([[x, windowBefore(onset, onset.start + WINDOW / 2, WINDOW)]]);
  const kernels = await lab.kernels(graph, weights, wanted);
  const all = (await kernels?.run(feed)) ?? inFloat64(graph, feed, weights);
  kernels?.destroy();
  return nodes.map((node) => {
    const { inputs, attrs } = node;
    const { xbc, dt, A, dt_bias } = inputs as Record<string, Tensor>;
    const values = (tensor: Tensor | undefined) => Float32Array.from(all.get(tensor as Tensor) ?? []);
    return {
      head: {
        attrs: attrs as SsdAttrs,
        length: elements((dt as Tensor).shape),
        xbc: values(xbc),
        dt: values(dt),
        A: values(A)[0] as number,
        dtBias: weights.get((dt_bias as Tensor).name)?.[0] ?? 0,
      },
      flops: node.op.cost(node).flops,
    };
  }) as unknown as Heads;
}

/** The whole matrix, as the scan computes it and by the formula in float64, in squares of `SQUARE` steps; of each the middle entry. */
async function grid(lab: Lab, settings: Settings): Promise<Measured> {
  const direction = settings['direction'] ?? 2;
  const { head } = (await heads(lab))[direction === 1 ? 0 : 1];
  const { length } = head;
  const [scanned, formula] = [await scannedMatrix(lab, head), matrixOf(head)];
  const seconds = (share: number, rows?: readonly [number, number]): number =>
    reachOf(formula, head, share, rows) / RATE;
  const side = length / SQUARE;
  const parts = partsOf(head);
  const middles = Array.from({ length: side * side }, (_, at) => {
    const [i, j] = [Math.floor(at / side), at % side].map((square) => square * SQUARE + SQUARE / 2) as [
      number,
      number,
    ];
    return { ...parts(i, j), heard: Number(hears(head, i, j)), scanned: scanned[i * length + j] as number };
  });
  const halfLife = Math.LN2 / (medianOf([...deltaOf(head)]) * -head.A * RATE);
  return {
    answer: [0],
    facts: {
      half: seconds(0.5),
      ninety: seconds(0.9),
      before: seconds(0.9, [0, length / 2]),
      within: seconds(0.9, [length / 2, length]),
      halfLife,
      direction,
    },
    matrix: {
      name: 'row',
      columns: side,
      values: coarse(scanned, length, SQUARE),
      reference: coarse(formula, length, SQUARE),
      parts: middles,
    },
  };
}

/** Sums of rows, which are 1 in attention. */
async function attention(lab: Lab): Promise<Measured> {
  const lines: Line[] = [];
  const facts: Record<string, number> = {};
  for (const [i, { head }] of (await heads(lab)).entries()) {
    const { length } = head;
    const name = i === 0 ? 'forward' : 'backward';
    const [scanned, formula] = [await scannedMatrix(lab, head), matrixOf(head)];
    const [y, reference] = [rowSums(scanned, length), rowSums(formula, length)];
    lines.push({ name, x: y.map((_, step) => step / RATE), y, reference, strong: i === 1 });
    const ordered = reference.toSorted((a, b) => a - b);
    facts[`${name}Low`] = ordered[Math.floor(0.1 * length)] as number;
    facts[`${name}High`] = ordered[Math.floor(0.9 * length)] as number;
    const entries = formula.filter((value) => value !== 0);
    facts[`${name}Negative`] = entries.filter((value) => value < 0).length / entries.length;
  }
  return { answer: [1], facts, lines };
}

/** Singular values of a block, of its largest: as the scan computes the block, and in float64. */
function valuesOf(
  scanned: Float64Array,
  formula: Float64Array,
  { length, attrs }: Head,
  distance: number,
): { lines: Line[]; rank: number; rank32: number } {
  const near = Math.floor((length / BLOCK - distance) / 2) * BLOCK;
  const far = near + distance * BLOCK;
  const place = attrs.reverse ? ([near, far] as const) : ([far, near] as const);
  const [got, want] = [scanned, formula].map((matrix) =>
    singularValues(blockOf(matrix, length, place, BLOCK), BLOCK, BLOCK),
  ) as [number[], number[]];
  const scaled = (values: readonly number[]): number[] =>
    values.map((value) => value / (values[0] as number));
  const x = got.map((_, i) => i + 1);
  const [y, reference] = [scaled(got), scaled(want)];
  return {
    lines: [
      { name: 'as scanned', x, y, reference, strong: true },
      { name: 'float64', x, y: reference, reference },
    ],
    rank: rankOf(want, ROUNDING),
    rank32: rankOf(got, ROUNDING_32),
  };
}

/** Of the backward head: the forward one forgets within a step, so that little is left of its blocks. */
async function rank(lab: Lab, settings: Settings): Promise<Measured> {
  const [, { head }] = await heads(lab);
  const distance = settings['distance'] ?? 1;
  const [scanned, formula] = [await scannedMatrix(lab, head), matrixOf(head)];
  const { lines, rank, rank32 } = valuesOf(scanned, formula, head, distance);
  return { answer: [rank], facts: { rank, rank32, distance, states: head.attrs.dState }, lines };
}

/** Arithmetic and stored states by the length of a chunk, counted while it is done. */
async function chunk(lab: Lab): Promise<Measured> {
  const [{ head, flops }] = await heads(lab);
  const { headdim, dState } = head.attrs;
  const counted = CHUNKS.map((size) => chunkedScan(head, size));
  const arithmetic = counted.map(({ flops: count }) => count / 1e6);
  const min = Math.min(...arithmetic);
  const best = CHUNKS[arithmetic.indexOf(min)] as number;
  const at = (size: (typeof CHUNKS)[number]): number => arithmetic[CHUNKS.indexOf(size)] as number;
  const none = CHUNKS.map(() => NaN);
  return {
    answer: [best],
    facts: {
      best,
      min,
      kernel: CHUNK,
      atKernel: at(CHUNK),
      declared: flops / 1e6,
      whole: at(960),
      recurrence: (6 * head.length * headdim * dState) / 1e6,
    },
    lines: [
      { name: 'MFLOP', x: CHUNKS, y: arithmetic, reference: none, strong: true },
      {
        name: 'KiB of states',
        x: CHUNKS,
        y: counted.map(({ stored }) => (4 * stored) / 1024),
        reference: none,
      },
    ],
  };
}

/** A head of 64 states with random B, C and Δ. */
async function transfer(lab: Lab): Promise<Measured> {
  const random = new Random(0, 'a head of 64 states');
  const attrs: SsdAttrs = { headdim: 64, groups: 1, dState: 64, reverse: false };
  const length = 8 * BLOCK;
  const head: Head = {
    attrs,
    length,
    xbc: Float32Array.from({ length: length * (attrs.headdim + 2 * attrs.dState) }, () => random.normal()),
    dt: Float32Array.from({ length }, () => random.normal()),
    A: -1,
    dtBias: -5,
  };
  const { lines, rank, rank32 } = valuesOf(await scannedMatrix(lab, head), matrixOf(head), head, 4);
  return { answer: [rank], facts: { rank, rank32 }, lines };
}

export const measures: Measures = { grid, attention, rank, chunk, transfer };
