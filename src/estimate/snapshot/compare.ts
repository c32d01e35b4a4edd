/**
 * A recorded snapshot beside the predicted run: one step of it is found by the sizes of its allocations, each allocation of
 * the predicted steady step gets the one that stands for it, by size and order, and what is left over on either side is
 * named. What was there before the step is matched by size.
 */
import { several } from '../../base/text';
import type { Use } from '../vram/events';
import { checkRun, windowsOf, type Measurement, type VramRun } from '../vram/options';
import { bytesOf, noUses, timelineOf, type ByUse } from '../vram/replay';
import { traceOf, WORKSPACES } from '../vram/scenarios';
import { align, likest } from './align';
import { allocationsOf, levels, reservedUntil, type Allocations } from './allocations';
import { snapshotOf } from './predicted';
import { framesOf, SnapshotError, type Frame, type MemorySnapshot } from './snapshot';

/** Bytes of one category or layer at the peak of the step. */
export interface Beside<T extends string = string> {
  readonly name: T;
  readonly predicted: number;
  readonly measured: number;
}

/** Recorded allocations of one stack that no predicted one stands for. */
export interface Unexplained {
  /** Innermost first; empty where no stack was recorded. */
  readonly frames: readonly Frame[];
  readonly count: number;
  readonly bytes: number;
  /** Of them, at the peak. */
  readonly atPeak: number;
}

/** Predicted allocations that the snapshot does not have. */
export interface Missing {
  readonly layer: string;
  readonly name: string;
  readonly count: number;
  readonly bytes: number;
}

export interface Comparison {
  readonly device: number;
  readonly events: number;
  /** Of the step: predicted, recorded, of both the same bytes, of both other bytes. */
  readonly allocations: {
    readonly predicted: number;
    readonly recorded: number;
    readonly same: number;
    readonly other: number;
  };
  /** Bytes at the step's peak. */
  readonly peak: { readonly predicted: number; readonly measured: number };
  /** Of the bytes at the recorded peak, the share that predicted allocations of the same bytes stand for. */
  readonly explained: number;
  /** Recorded bytes at the highest moment of each operation of the predicted step. */
  readonly measured: Float64Array;
  readonly uses: readonly Beside<Use>[];
  /** Largest difference first. */
  readonly layers: readonly Beside[];
  /** Most bytes at the peak first. */
  readonly unexplained: readonly Unexplained[];
  readonly missing: readonly Missing[];
  /** What calibrates predictions. */
  readonly measurement: Measurement;
}

/** Below such a share of the bytes that a step allocates the snapshot is taken to be of something else. */
const MIN_SHARE = 0.2;
/** Rows of what is not explained. */
const ROWS = 20;

/** Throws RangeError for an impossible run, and SnapshotError where no step of such a run is in the snapshot. */
export function compareSnapshot(snapshot: MemorySnapshot, run: VramRun): Comparison {
  checkRun(run);
  const device = busiest(snapshot);
  const predicted = predictedStep(run);
  const recorded = allocationsOf(snapshot, device);
  const events = snapshot.traces[device]?.action.length ?? 0;
  const step = stepOf(predicted, recorded);
  const { pairs, first, last } = step;
  const window = { first: recorded.from[first] as number, last: endOf(recorded, last, events) };
  const level = levels(recorded, window.first, window.last);
  const at = highest(level);
  const peakEvent = window.first + at;
  const standsFor = new Map(
    [...pairs].flatMap((given, i) => (given < 0 ? [] : [[given, predicted.first + i]])),
  );
  for (const [given, wanted] of pairedBefore(predicted, recorded, window.first)) standsFor.set(given, wanted);

  const uses = noUses();
  const layers = new Map<string, { predicted: number; measured: number }>();
  const layer = (name: string) => {
    const row = layers.get(name) ?? { predicted: 0, measured: 0 };
    layers.set(name, row);
    return row;
  };
  const unexplained = new Map<number, { count: number; bytes: number; atPeak: number }>();
  let same = 0;
  let explained = 0;
  for (let i = 0; i < recorded.bytes.length; i++) {
    const bytes = recorded.bytes[i] as number;
    const [from, to] = [recorded.from[i] as number, recorded.to[i] as number];
    const living = from <= peakEvent && to > peakEvent;
    const inStep = i >= first && i <= last;
    if (!living && !inStep) continue;
    const wanted = standsFor.get(i);
    if (wanted !== undefined) {
      const of = predicted.storages[wanted] as Predicted;
      const exact = predicted.all.bytes[wanted] === bytes;
      if (inStep && exact) same++;
      if (!living) continue;
      uses[of.use] += bytes;
      layer(of.layer).measured += bytes;
      if (exact) explained += bytes;
      continue;
    }
    const stack = recorded.stack[i] as number;
    const row = unexplained.get(stack) ?? { count: 0, bytes: 0, atPeak: 0 };
    unexplained.set(stack, row);
    row.count++;
    row.bytes += bytes;
    if (living) row.atPeak += bytes;
  }
  const rest = [...unexplained].sort(
    ([, a], [, b]) => b.atPeak - a.atPeak || b.bytes - a.bytes || b.count - a.count,
  );
  const measured = level[at] as number;
  const atPeak = predictedPeak(predicted, (name, bytes) => (layer(name).predicted += bytes));
  const paired = pairs.filter((given) => given >= 0).length;
  const notExplained = rest.reduce((sum, [, row]) => sum + row.atPeak, 0);
  return {
    device,
    events,
    allocations: {
      predicted: pairs.length,
      recorded: last - first + 1,
      same,
      other: paired - same,
    },
    peak: { predicted: atPeak.bytes, measured },
    explained: measured === 0 ? 0 : explained / measured,
    measured: byPoint(predicted, pairs, recorded, level, window.first),
    uses: (Object.keys(uses) as Use[]).map((name) => ({
      name,
      predicted: atPeak.uses[name],
      measured: uses[name],
    })),
    layers: [...layers]
      .map(([name, row]) => ({ name, ...row }))
      .sort((a, b) => Math.abs(b.measured - b.predicted) - Math.abs(a.measured - a.predicted)),
    unexplained: rest.slice(0, ROWS).map(([stack, row]) => ({ frames: framesOf(snapshot, stack), ...row })),
    missing: missingOf(predicted, pairs),
    measurement: {
      run,
      allocated: measured + predicted.excess,
      reserved: Math.max(measured + predicted.excess, reservedUntil(snapshot, device, window.last)),
      atPeak: { uses, predicted: atPeak.uses, unexplained: notExplained },
    },
  };
}

interface Predicted {
  readonly name: string;
  readonly layer: string;
  readonly use: Use;
  /** Number of the step's operation, from the first of the steady step on; negative before it. */
  readonly point: number;
}

/** The predicted run's allocations with what they are, and those of its steady step. */
interface PredictedStep {
  readonly all: Allocations;
  readonly storages: readonly Predicted[];
  /** First of the steady step, and how many there are. */
  readonly first: number;
  readonly count: number;
  readonly points: number;
  /** Bytes by which the allocator's blocks exceed what was asked for, at the peak: it does not split off less than a MiB. */
  readonly excess: number;
  /** Number of the first event of the steady step. */
  readonly start: number;
  readonly events: number;
}

function predictedStep(run: VramRun): PredictedStep {
  const trace = traceOf(run);
  const options = { windows: windowsOf(run), workspace: WORKSPACES.likely };
  const snapshot = snapshotOf(trace, options);
  const all = allocationsOf(snapshot, 0);
  const steady = trace.moments.findIndex(({ step }) => step === trace.steady);
  const storages: Predicted[] = [];
  trace.moments.forEach(({ events }, at) => {
    for (const event of events) {
      const storage = event >= 0 ? trace.storages[event] : undefined;
      if (storage && bytesOf(storage, options) > 0) storages.push({ ...storage, point: at - steady });
    }
  });
  const first = storages.findIndex(({ point }) => point >= 0);
  const { points } = timelineOf(trace, options);
  const start = all.from[first] as number;
  const events = snapshot.traces[0]?.action.length ?? 0;
  return {
    all,
    storages,
    first,
    count: storages.length - first,
    points: points.length,
    excess: Math.max(...points.map(({ peak }) => peak)) - Math.max(...levels(all, start, events - 1)),
    start,
    events,
  };
}

/** The device with the most events. Throws SnapshotError where none has any. */
function busiest({ traces }: MemorySnapshot): number {
  const device = traces.reduce(
    (best, { action }, at) => (action.length > (traces[best]?.action.length ?? 0) ? at : best),
    0,
  );
  if (!traces[device] || traces[device].action.length === 0)
    throw new SnapshotError(
      'The snapshot has no events. Call torch.cuda.memory._record_memory_history() before the run, and torch.cuda.memory._dump_snapshot(FILE) after some steps.',
    );
  return device;
}

/** The recorded allocations that stand for those of the predicted step; the first and the last of them. */
function stepOf({ all, first, count }: PredictedStep, recorded: Allocations) {
  const wanted = all.bytes.subarray(first, first + count);
  const made = recorded.bytes.subarray(0, recorded.made);
  const near = likest(wanted, made);
  const from = Math.max(0, near - Math.ceil(count / 4));
  const given = made.subarray(from, Math.min(made.length, near + count + Math.ceil(count / 4)));
  const pairs = align(wanted, given).map((at) => (at < 0 ? at : at + from));
  const found = wanted.filter((bytes, i) => made[pairs[i] as number] === bytes);
  const sum = (sizes: Float64Array): number => sizes.reduce((total, bytes) => total + bytes, 0);
  if (sum(found) < MIN_SHARE * sum(wanted))
    throw new SnapshotError(
      `Only ${found.length.toLocaleString('en')} of the ${several(count, 'allocation')} of a predicted step are in this snapshot. It is of another batch size, precision or model than the settings shown, or has no whole training step.`,
    );
  const paired = pairs.filter((at) => at >= 0);
  return { pairs, first: paired.at(0) as number, last: paired.at(-1) as number };
}

/** The last event before the next allocation after the step. */
const endOf = ({ from, made }: Allocations, last: number, events: number): number =>
  (last + 1 < made ? (from[last + 1] as number) : events) - 1;

/** Recorded and predicted allocations that were there when the step started, in pairs: of each size the first with the first. */
function pairedBefore(
  { all, first, start }: PredictedStep,
  recorded: Allocations,
  stepStart: number,
): [number, number][] {
  const waiting = new Map<number, number[]>();
  for (let i = first - 1; i >= 0; i--) {
    if ((all.to[i] as number) <= start) continue;
    const bytes = all.bytes[i] as number;
    waiting.set(bytes, [...(waiting.get(bytes) ?? []), i]);
  }
  const pairs: [number, number][] = [];
  const take = (i: number): void => {
    if ((recorded.from[i] as number) >= stepStart || (recorded.to[i] as number) <= stepStart) return;
    const wanted = waiting.get(recorded.bytes[i] as number)?.pop();
    if (wanted !== undefined) pairs.push([i, wanted]);
  };
  // What was there before the trace is older than what was made in it.
  for (let i = recorded.made; i < recorded.bytes.length; i++) take(i);
  for (let i = 0; i < recorded.made; i++) take(i);
  return pairs;
}

const highest = (level: Float64Array): number =>
  level.reduce((best, bytes, at) => (bytes > (level[best] as number) ? at : best), 0);

/** Bytes and uses at the predicted step's peak; `each` gets every allocation that is there. */
function predictedPeak(
  { all, storages, start, events }: PredictedStep,
  each: (layer: string, bytes: number) => void,
): { readonly bytes: number; readonly uses: ByUse } {
  const level = levels(all, start, events - 1);
  const at = highest(level);
  const uses = noUses();
  for (const [i, { use, layer }] of storages.entries()) {
    if ((all.from[i] as number) > start + at || (all.to[i] as number) <= start + at) continue;
    const bytes = all.bytes[i] as number;
    uses[use] += bytes;
    each(layer, bytes);
  }
  return { bytes: level[at] as number, uses };
}

/** The highest recorded level during each operation: from the first allocation that stands for one of its own to the next’s. */
function byPoint(
  { storages, first, points }: PredictedStep,
  pairs: Int32Array,
  { from }: Allocations,
  level: Float64Array,
  stepStart: number,
): Float64Array {
  const starts = new Int32Array(points + 1).fill(level.length);
  for (let i = pairs.length - 1; i >= 0; i--) {
    const given = pairs[i] as number;
    const point = storages[first + i]?.point ?? 0;
    if (given >= 0) starts[point] = (from[given] as number) - stepStart;
  }
  for (let point = points - 1; point >= 0; point--)
    starts[point] = Math.min(starts[point] as number, starts[point + 1] as number);
  return Float64Array.from({ length: points }, (_, point) => {
    const at = starts[point] as number;
    const end = Math.max(at + 1, starts[point + 1] as number);
    return level
      .subarray(Math.max(0, at), end)
      .reduce((high, bytes) => Math.max(high, bytes), level[at] ?? 0);
  });
}

function missingOf({ storages, all, first }: PredictedStep, pairs: Int32Array): Missing[] {
  const rows = new Map<string, { layer: string; name: string; count: number; bytes: number }>();
  pairs.forEach((given, i) => {
    if (given >= 0) return;
    const { layer, name } = storages[first + i] as Predicted;
    const key = `${layer}\n${name}`;
    const row = rows.get(key) ?? { layer, name, count: 0, bytes: 0 };
    rows.set(key, row);
    row.count++;
    row.bytes += all.bytes[first + i] as number;
  });
  return [...rows.values()].sort((a, b) => b.bytes - a.bytes).slice(0, ROWS);
}
