/**
 * GPU memory of the trainer's run, before it starts: PyTorch 2.2 with CUDA 12.1 on the detector, from the same
 * graph that this engine trains (lower.ts), its allocations in order (trace.ts) and the caching allocator (allocator.ts).
 */
import { SAVED_MIB } from '../../config/facts';
import { quantity, type Basis, type Quantity } from '../../base/quantity';
import type { Fit } from '../../config/verdict';
import { OutOfMemory } from './allocator';
import { boundsOf, UNCERTAIN, type Bound, type Bounds } from './bounds';
import { checkRun, windowsOf, type VramOptions, type VramRun } from './options';
import { timelineOf, type Replay, type Timeline } from './replay';
import { replayRun, traceOf, WORKSPACES, type Scenario } from './scenarios';
import { bytesFor } from './tape';
import type { Trace, Use } from './events';
import { livingWhenForwardEnds } from './trace';

export type PartName = Use | 'unexplained' | 'reserve' | 'context';

export interface VramPart {
  readonly name: PartName;
  /** At the moment of the peak; the likely bytes of all parts add up to the total's. */
  readonly bytes: Quantity;
  /** Its own peak, at another moment than the total's: gradients, say, are small when that is reached. */
  readonly max: number;
}

export interface VramLayer {
  /** Such as `encoder/encoder_blocks.0`. */
  readonly layer: string;
  /** Its parameters and what BatchNorm remembers; moments are twice the trained part of it, gradients once. */
  readonly parameters: number;
  /** Saved for the backward pass when the forward pass has ended. */
  readonly saved: number;
  /** Weights in the lower precision at the same time. */
  readonly casts: number;
}

/** All in bytes. */
export interface VramPrediction {
  /** What the process takes of the card, as nvidia-smi shows it. */
  readonly total: Quantity;
  /** torch.cuda.max_memory_allocated() */
  readonly allocated: Quantity;
  /** torch.cuda.max_memory_reserved() */
  readonly reserved: Quantity;
  readonly parts: readonly VramPart[];
  readonly perLayer: readonly VramLayer[];
  /** Saved for the backward pass by each window of a micro-batch. */
  readonly savedPerWindow: number;
  /** The operation in which the peak is reached. */
  readonly peak: Replay['peak'];
  /** Assumptions and limits of these numbers, in sentences. */
  readonly notes: readonly string[];
}

/** Of a CUDA context on the card, with lazy loading of kernels (CUDA 11.7 and later); before that over 1 GB. */
const CONTEXT = quantity(
  [300e6, 350e6, 400e6],
  'measured',
  'a CUDA 12.1 context that loads kernels when they are called: 300 to 400 MB',
);

const SOURCES: Readonly<Record<PartName, readonly [Basis, string]>> = {
  parameters: ['derived', 'counted in the model’s graph, fp32, both mixers’'],
  gradients: [
    'derived',
    'fp32, as large as the parameter; zero_grad(set_to_none=True) frees them before a step',
  ],
  moments: ['derived', 'AdamW’s exp_avg and exp_avg_sq, fp32, from the first step on'],
  inputs: ['derived', 'windows [B, 19, 15360] and labels in fp32; for a moment those of two batches'],
  saved: ['derived', 'PyTorch 2.2, derivatives.yaml and autocast’s lists, operation by operation'],
  casts: ['derived', 'autocast casts each weight once in a forward pass and keeps it'],
  temporaries: ['derived', 'gradients of activations and what an operation needs while it runs'],
  workspace: [
    'assumed',
    'cuDNN: 0 to 3 copies of what a convolution reads and writes; cuBLAS: 8.1 MiB a thread',
  ],
  unexplained: ['measured', 'allocations of the snapshot that no predicted one stands for'],
  reserve: [
    'derived',
    'the caching allocator simulated: rounding to 512 B, segments of 2 and 20 MiB, fragmentation',
  ],
  context: [CONTEXT.basis, CONTEXT.source],
};

/** The same bytes seen at three moments need not be in order. */
const range = (values: readonly [number, number, number], basis: Basis, source: string): Quantity =>
  quantity([Math.min(...values), values[1], Math.max(...values)], basis, source);

/** Throws RangeError for an impossible run, and for a measurement that cannot be of its run. */
export function predictVram(options: VramOptions): VramPrediction {
  checkRun(options);
  if (options.measurement) checkRun(options.measurement.run);
  const likely = replayRun(options, 'likely');
  const bounds = boundsOf(options, likely);
  const over = (name: PartName, read: (bound: Bound) => number): Quantity => {
    const [basis, source] = SOURCES[name];
    const values = [read(bounds.low), read(bounds.likely), read(bounds.high)] as const;
    return range(values, bounds.ratio !== null && isUncertain(name) ? 'measured' : basis, source);
  };
  const uses = (Object.keys(UNCERTAIN) as Use[]).map((name): VramPart => ({
    name,
    bytes: over(name, ({ atPeak }) => atPeak[name]),
    max: likely.max[name],
  }));
  const reserve = over('reserve', ({ reserved, allocated }) => reserved - allocated);
  const unexplained = bounds.ratios && over('unexplained', (bound) => bound.unexplained ?? 0);
  const trace = traceOf(options);
  const summed = (source: string, read: (bound: Bound) => number): Quantity =>
    range(
      [read(bounds.low), read(bounds.likely), read(bounds.high)],
      bounds.ratio === null ? 'derived' : 'measured',
      source,
    );
  const reserved = summed('PyTorch’s rules and its allocator, simulated', (bound) => bound.reserved);
  return {
    total: quantity(
      [reserved.low + CONTEXT.low, reserved.likely + CONTEXT.likely, reserved.high + CONTEXT.high],
      reserved.basis,
      'the allocator’s segments and the CUDA context',
    ),
    allocated: summed('PyTorch’s rules on the model’s graph', (bound) => bound.allocated),
    reserved,
    parts: [
      ...uses,
      ...(unexplained ? [{ name: 'unexplained', bytes: unexplained, max: unexplained.likely } as const] : []),
      { name: 'reserve', bytes: reserve, max: reserve.likely },
      { name: 'context', bytes: CONTEXT, max: CONTEXT.likely },
    ],
    perLayer: layersOf(trace, windowsOf(options)),
    savedPerWindow: livingWhenForwardEnds(trace).reduce(
      (sum, { use, size }) => sum + (use === 'saved' ? size.perWindow : 0),
      0,
    ),
    peak: likely.peak,
    notes: notesOf(options, bounds),
  };
}

const isUncertain = (name: PartName): boolean =>
  name === 'reserve' || name === 'unexplained' || (name !== 'context' && UNCERTAIN[name]);

/** The step of the likely case without a measurement, for a picture. */
export function vramTimeline(run: VramRun): Timeline {
  checkRun(run);
  return timelineOf(traceOf(run), { windows: windowsOf(run), workspace: WORKSPACES.likely });
}

/**
 * Whether the low, likely or high case of a run runs on a GPU with so many bytes. Near its limit a run needs less than `total`,
 * because the allocator frees every segment that is free as a whole before it gives up; the reserved memory may even fall as
 * the batch grows, by how tensors happen to fill segments.
 */
export function runsOn(options: VramOptions, gpuBytes: number, bound: Scenario = 'likely'): boolean {
  const { total, allocated } = predictVram(options);
  if (total[bound] <= gpuBytes) return true;
  const scenario = options.measurement === undefined ? bound : 'likely';
  // The simulation is of the rules as they are: the bound's scale is put on the GPU instead.
  const scale = replayRun(options, scenario).allocated / allocated[bound];
  return within(options, scenario, (gpuBytes - CONTEXT[bound]) * scale);
}

/** `fits` where the high case runs, `borderline` where only the likely one does. */
export const gpuFit = (options: VramOptions, gpuBytes: number): Fit =>
  runsOn(options, gpuBytes, 'high') ? 'fits' : runsOn(options, gpuBytes) ? 'borderline' : "won't fit";

function within(run: VramRun, scenario: Scenario, capacity: number): boolean {
  try {
    replayRun(run, scenario, capacity);
    return true;
  } catch (error) {
    if (error instanceof OutOfMemory) return false;
    throw error;
  }
}

function layersOf(trace: Trace, windows: number): VramLayer[] {
  const layers = new Map<string, { layer: string; parameters: number; saved: number; casts: number }>();
  for (const { layer, use, size } of livingWhenForwardEnds(trace)) {
    if (use !== 'parameters' && use !== 'saved' && use !== 'casts') continue;
    const row = layers.get(layer) ?? { layer, parameters: 0, saved: 0, casts: 0 };
    row[use] += bytesFor(size, windows);
    layers.set(layer, row);
  }
  const order = new Map(
    trace.moments.map(({ layer }, index) => [layer, index]).reverse() as [string, number][],
  );
  return [...layers.values()].sort((a, b) => (order.get(a.layer) ?? 0) - (order.get(b.layer) ?? 0));
}

function notesOf(options: VramOptions, { ratio, ratios }: Bounds): string[] {
  const { mixer, precision, microBatches, checkpointing, measurement } = options;
  const notes = [
    'Both mixers’ weights are in memory wherever mamba_ssm is installed; the unused one has neither gradients nor moments.',
    mixer === 'mamba2'
      ? 'What Mamba-2’s fused function keeps was read in mamba_ssm’s source, not measured; in the first step Triton takes 256 MB more while it times kernels.'
      : `On a CPU the rules match the measured ${SAVED_MIB.fp32} MiB per window in fp32 and ${SAVED_MIB.autocast} MiB with autocast, and the peak of a step in PyTorch’s profiler.`,
  ];
  if (precision !== 'fp32')
    notes.push(
      'The trainer’s autocast computes in fp16.',
      'On a GPU autocast runs LayerNorm and the loss in fp32, and dropout keeps one byte per element, so a window takes slightly more or less than measured on a CPU.',
    );
  if (microBatches > 1) notes.push('The trainer does not support gradient accumulation: it drops the key.');
  if (checkpointing)
    notes.push('The trainer does not support gradient checkpointing: this is what it would save.');
  if (measurement && ratio !== null) {
    notes.push(
      ratios
        ? `The snapshot multiplies saved tensors by ${ratios.saved.toFixed(2)}, temporaries by ${ratios.temporaries.toFixed(2)} and workspaces by ${ratios.workspace.toFixed(2)}; parameters, moments, gradients, windows and cast weights get the difference in bytes. What it does not explain is taken as fixed for the low end, as growing with the batch for the high end, and as the mean of both in between.`
        : `The measurement multiplies saved tensors, temporaries and workspaces by ${ratio.toFixed(2)}.`,
    );
    if (ratio < 0.5 || ratio > 2)
      notes.push('That is far from 1: the measured run may have had another batch size, precision or model.');
  }
  return notes;
}
