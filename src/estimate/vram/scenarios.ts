/** A run's allocations with little, likely and much workspace for cuDNN, replayed from a trace that sliders share. */
import { PRODUCTION, segmentOf } from '../../models/detector';
import { detectorTape } from './lower';
import { windowsOf, type VramModel, type VramRun } from './options';
import { replay, type Replay } from './replay';
import type { Trace } from './events';
import { traceLoop } from './trace';

/**
 * cuDNN's workspace of a convolution, in copies of what it reads and writes. Which algorithm its heuristics choose is not
 * to be known from outside: an implicit product takes nothing, tensor cores want one copy in another layout, transforms take
 * several.
 */
export const WORKSPACES = { low: 0, likely: 1, high: 3 } as const;

export type Scenario = keyof typeof WORKSPACES;

const traces = new Map<string, Trace>();
const REMEMBERED = 24;

/** The trace of a checked run; it does not depend on the batch. */
export function traceOf({
  microBatches,
  checkpointing,
  layers,
  mixer,
  precision,
  kernelSizes,
  convKernel,
  loss,
}: VramModel): Trace {
  const parts = microBatches > 1 ? 2 : 1;
  const key = JSON.stringify([parts, checkpointing, layers, mixer, precision, kernelSizes, convKernel, loss]);
  const known = traces.get(key);
  if (known) return known;
  const model = { ...PRODUCTION, layers, mixer, kernelSizes, convKernel };
  const tape = detectorTape({ backend: 'cuda', precision, model, loss, bothMixers: true });
  const trace = traceLoop(tape, {
    microBatches: parts,
    segmentOf: checkpointing ? segmentOf : undefined,
  });
  const oldest = traces.keys().next();
  if (traces.size >= REMEMBERED && !oldest.done) traces.delete(oldest.value);
  traces.set(key, trace);
  return trace;
}

/** Replays without a capacity of the remembered traces: whether a run fits is asked of one bound after another. */
const replays = new WeakMap<Trace, Map<string, Replay>>();
/** Of a trace: more than a search for a batch among thousands asks for. */
const REPLAYS = 256;

/** Throws OutOfMemory where the segments exceed the capacity. */
export function replayRun(run: VramRun, scenario: Scenario, capacity?: number): Replay {
  const trace = traceOf(run);
  const options = { windows: windowsOf(run), workspace: WORKSPACES[scenario], capacity };
  if (capacity !== undefined) return replay(trace, options);
  const known = replays.get(trace) ?? new Map<string, Replay>();
  replays.set(trace, known);
  const key = `${options.windows} ${scenario}`;
  const result = known.get(key) ?? replay(trace, options);
  const oldest = known.keys().next();
  if (known.size >= REPLAYS && !known.has(key) && !oldest.done) known.delete(oldest.value);
  known.set(key, result);
  return result;
}
