/**
 * The range of a prediction, and how a measurement narrows it. What follows from the model's shapes alone
 * (parameters, moments, gradients, windows, casts) is certain; saved tensors, temporaries and workspaces are not.
 */
import { windowsOf, type MeasuredPeak, type Measurement, type VramOptions, type VramRun } from './options';
import type { ByUse, Replay } from './replay';
import { replayRun, traceOf } from './scenarios';
import type { Use } from './events';

/** One end of a range. */
export interface Bound {
  readonly allocated: number;
  readonly reserved: number;
  readonly atPeak: ByUse;
  /** Bytes that a snapshot has at its peak and no use accounts for. */
  readonly unexplained?: number;
}

export interface Bounds {
  readonly low: Bound;
  readonly likely: Bound;
  readonly high: Bound;
  /** What a measurement multiplied the uncertain uses by; null without one. */
  readonly ratio: number | null;
  /** Where a snapshot says it by use, what it multiplied each uncertain one by. */
  readonly ratios?: ByUse;
}

export const UNCERTAIN: Readonly<Record<Use, boolean>> = {
  parameters: false,
  gradients: false,
  moments: false,
  inputs: false,
  saved: true,
  casts: false,
  temporaries: true,
  workspace: true,
};

/**
 * How far the uncertain uses may be off. For the convolution mixer the rules meet what was measured, on a CPU and with another
 * PyTorch than the trainer's; Mamba-2's were read in its source, and checkpointing is not in the trainer's code, so where it
 * would cut is a guess.
 */
const spreadOf = ({ mixer, checkpointing }: VramRun): number =>
  mixer === 'conv' && !checkpointing ? 0.03 : 0.1;

/** Of a prediction scaled by a measurement: for the same kind of run or another; growing with each doubling of the batch. */
const CALIBRATED_SPREAD = { same: 0.02, other: 0.1, perDoubling: 0.01 } as const;

const USES = Object.keys(UNCERTAIN) as readonly Use[];

const total = (atPeak: ByUse, uncertain: boolean): number =>
  USES.reduce((sum, use) => sum + (UNCERTAIN[use] === uncertain ? atPeak[use] : 0), 0);

/** Multiplies what is uncertain, and the allocator's reserve. */
function scaledBound({ allocated, reserved, atPeak }: Bound, uses: number, reserve = uses): Bound {
  const scaled = Object.fromEntries(
    USES.map((use) => [use, atPeak[use] * (UNCERTAIN[use] ? uses : 1)]),
  ) as Record<Use, number>;
  const sum = total(scaled, true) + total(scaled, false);
  return { allocated: sum, reserved: sum + (reserved - allocated) * reserve, atPeak: scaled };
}

/**
 * The range around the likely replay: low and high scenarios, in which the uncertain uses are scaled by what the rules may be
 * off. With a measurement, the likely replay scaled to it, in a narrower range.
 */
export function boundsOf(options: VramOptions, likely: Replay): Bounds {
  const { measurement } = options;
  if (measurement) return calibrated(options, measurement, likely);
  const spread = spreadOf(options);
  return {
    low: withoutMambaSsm(scaledBound(replayRun(options, 'low'), 1 - spread), options),
    likely,
    high: scaledBound(replayRun(options, 'high'), 1 + spread),
    ratio: null,
  };
}

/** Where mamba_ssm is not installed, the convolution mixer is alone in memory. */
function withoutMambaSsm({ allocated, reserved, atPeak }: Bound, run: VramRun): Bound {
  const unused = traceOf(run).storages.reduce(
    (sum, { package: needed, size }) => sum + (needed === 'mamba_ssm' ? size.fixed : 0),
    0,
  );
  return {
    allocated: allocated - unused,
    reserved: reserved - unused,
    atPeak: { ...atPeak, parameters: atPeak.parameters - unused },
  };
}

/**
 * The ratio of what was measured to what was predicted for the measured run, certain uses taken off both, multiplies the
 * uncertain ones of this run; where both figures were measured, the reserve has a ratio of its own.
 */
function calibrated(options: VramOptions, measurement: Measurement, likely: Replay): Bounds {
  const { run, atPeak } = measurement;
  const predicted = replayRun(run, 'likely');
  const certain = total(predicted.atPeak, false);
  const reserve = predicted.reserved - predicted.allocated;
  const ratios = ratiosOf(measurement, certain, predicted.allocated - certain, reserve);
  const same =
    run.mixer === options.mixer &&
    run.precision === options.precision &&
    run.checkpointing === options.checkpointing;
  const doublings = Math.abs(Math.log2(windowsOf(options) / windowsOf(run)));
  const spread =
    (same ? CALIBRATED_SPREAD.same : CALIBRATED_SPREAD.other) + CALIBRATED_SPREAD.perDoubling * doublings;
  if (atPeak) {
    const byUse = ratiosByUse(measurement, atPeak, predicted.atPeak);
    const grown = windowsOf(options) / windowsOf(run);
    const extra = [atPeak.unexplained, atPeak.unexplained * grown].sort((a, b) => a - b) as [number, number];
    const at = (factor: number, unexplained: number): Bound =>
      boundByUse(likely, { byUse, offset: offsets(atPeak), factor, unexplained, ratios });
    return {
      low: at(1 - spread, extra[0]),
      likely: at(1, (extra[0] + extra[1]) / 2),
      high: at(1 + spread, extra[1]),
      ratio: ratios.uses,
      ratios: byUse,
    };
  }
  const at = (factor: number): Bound => scaledBound(likely, ratios.uses * factor, ratios.reserve * factor);
  return { low: at(1 - spread), likely: at(1), high: at(1 + spread), ratio: ratios.uses };
}

const eachUse = (bytes: (use: Use) => number): ByUse =>
  Object.fromEntries(USES.map((use) => [use, bytes(use)])) as Record<Use, number>;

/** Such that the measured run itself gets what was measured: its peaks by blocks and by requests need not be at one moment. */
function ratiosByUse(measurement: Measurement, peak: MeasuredPeak, predicted: ByUse): ByUse {
  const plain = eachUse((use) =>
    UNCERTAIN[use] && peak.predicted[use] > 0 ? peak.uses[use] / peak.predicted[use] : 1,
  );
  const offset = offsets(peak);
  const scaled = eachUse((use) => Math.max(0, predicted[use] * plain[use] + offset[use]));
  const { allocated = peak.unexplained + total(scaled, true) + total(scaled, false) } = measurement;
  const rest = allocated - peak.unexplained - total(scaled, false);
  const exact = total(scaled, true) > 0 ? Math.max(0, rest / total(scaled, true)) : 1;
  return eachUse((use) => (UNCERTAIN[use] ? plain[use] * exact : 1));
}

const offsets = ({ uses, predicted }: MeasuredPeak): ByUse =>
  eachUse((use) => (UNCERTAIN[use] ? 0 : uses[use] - predicted[use]));

/**
 * The least that a snapshot says of other batches: each uncertain use has a ratio, since its tensors grow with the batch;
 * the others, which do not, get the difference in bytes. One snapshot does not tell whether what is not explained grows.
 */
function boundByUse(
  { allocated, reserved, atPeak }: Bound,
  given: {
    readonly byUse: ByUse;
    readonly offset: ByUse;
    readonly factor: number;
    readonly unexplained: number;
    readonly ratios: { readonly reserve: number };
  },
): Bound {
  const { byUse, offset, factor, unexplained, ratios } = given;
  const uses = eachUse((use) =>
    Math.max(0, atPeak[use] * (UNCERTAIN[use] ? byUse[use] * factor : 1) + offset[use]),
  );
  const sum = total(uses, true) + total(uses, false) + unexplained;
  return {
    allocated: sum,
    reserved: sum + (reserved - allocated) * ratios.reserve * factor,
    atPeak: uses,
    unexplained,
  };
}

function ratiosOf(
  { allocated, reserved }: Measurement,
  certain: number,
  uncertain: number,
  reserve: number,
): { readonly uses: number; readonly reserve: number } {
  const checked = (name: string, bytes: number): number => {
    if (!(bytes > certain && bytes < Infinity))
      throw new RangeError(
        `${name} of ${bytes} bytes is less than the ${certain} that parameters, their moments and windows take by themselves: is it in bytes, and of this model?`,
      );
    return bytes;
  };
  if (allocated === undefined) {
    if (reserved === undefined)
      throw new RangeError('a measurement needs max_memory_allocated or max_memory_reserved');
    const ratio = (checked('max_memory_reserved', reserved) - certain) / (uncertain + reserve);
    return { uses: ratio, reserve: ratio };
  }
  const uses = (checked('max_memory_allocated', allocated) - certain) / uncertain;
  if (reserved === undefined) return { uses, reserve: uses };
  if (checked('max_memory_reserved', reserved) < allocated)
    throw new RangeError('max_memory_reserved cannot be less than max_memory_allocated');
  return { uses, reserve: (reserved - allocated) / reserve };
}
