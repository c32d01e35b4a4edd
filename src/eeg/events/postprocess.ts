/**
 * The trainer's way from probabilities to events: hysteresis, opening, closing, duration filter, merging. Everything
 * after the first step works on runs of samples, one at a time, so memory grows with the events and not with the
 * recording. Parameters are named as in the trainer's configuration files.
 */
import { POSTPROCESSING } from '../../base/production';
import type { PredictedEvent, Run } from './events';

export type ConfidenceMethod = 'mean' | 'peak' | 'percentile';

export interface Postprocessing {
  /** Probability from which an event may start, and below which it may end: tau_on > tau_off. */
  readonly tau_on: number;
  readonly tau_off: number;
  /** So many samples in a row must be ≥ tau_on, or < tau_off. */
  readonly min_onset_samples: number;
  readonly min_offset_samples: number;
  /** Odd numbers of samples; 1 leaves everything as it is. */
  readonly opening_kernel: number;
  readonly closing_kernel: number;
  /** Seconds. */
  readonly min_duration_s: number;
  readonly max_duration_s: number;
  /** Gaps up to so many seconds are closed. */
  readonly tau_merge: number;
  readonly confidence_method: ConfidenceMethod;
}

/** The defaults of the trainer's schema. */
export const DEFAULT_POSTPROCESSING: Postprocessing = POSTPROCESSING;

/** The trainer's configuration accepts `confidence_percentile`, but never reads it: it is always this share. */
const CONFIDENCE_PERCENTILE = 0.75;

/** The runs of samples that the trainer calls a seizure. `probabilities`: [samples] at `rate` Hz. */
export function postprocess(
  probabilities: Float32Array,
  parameters: Postprocessing,
  rate: number,
): Generator<Run> {
  checkPostprocessing(parameters);
  return shaped(hysteresis(probabilities, parameters), parameters, rate, probabilities.length);
}

/** What production makes of the hysteresis' runs: opening, closing, duration filter, merging. */
function shaped(
  runs: Iterable<Run>,
  { opening_kernel, closing_kernel, min_duration_s, max_duration_s, tau_merge }: Postprocessing,
  rate: number,
  samples: number,
): Generator<Run> {
  const closed = closing(opening(runs, opening_kernel, samples), closing_kernel, samples);
  const shortest = Math.trunc(min_duration_s * rate);
  const pieces = limitDurations(closed, shortest, Math.trunc(max_duration_s * rate));
  return merge(pieces, tau_merge * rate);
}

/**
 * Finds the events of one recording while its probabilities come in piece by piece. It holds the probabilities since the
 * start of an event that may still grow, so memory follows the longest event and not the recording.
 */
export class EventFinder {
  readonly #hysteresis: Hysteresis;
  /** Runs that are farther apart never become one. */
  readonly #reach: number;
  /** Runs of the hysteresis that may still grow together, and the probabilities from sample `#from` on. */
  #open: Run[] = [];
  #pieces: Float32Array[] = [];
  #from = 0;
  #at = 0;
  readonly #events: PredictedEvent[] = [];

  /** `samples`: how many will come, at `rate` Hz. Throws RangeError for parameters that are not allowed. */
  constructor(
    private readonly parameters: Postprocessing,
    private readonly rate: number,
    private readonly samples: number,
  ) {
    checkPostprocessing(parameters);
    this.#hysteresis = new Hysteresis(parameters);
    this.#reach = Math.max(parameters.closing_kernel, parameters.tau_merge * rate);
  }

  /** Takes the next probabilities; the array must not be changed afterwards. */
  push(probabilities: Float32Array): void {
    this.#pieces.push(probabilities);
    for (const run of this.#hysteresis.push(probabilities)) this.#open.push(run);
    this.#at += probabilities.length;
    const { since } = this.#hysteresis;
    const last = this.#open.at(-1);
    if (last && since - last.end > this.#reach) this.#close();
    // An event may be widened by half a kernel at the recording's start.
    if (this.#open.length === 0 && this.#from < since - this.parameters.closing_kernel)
      this.#drop(since - this.parameters.closing_kernel);
  }

  /** The events in seconds, with their confidence: mean or highest probability of their samples, or the 75th percentile. */
  finish(): PredictedEvent[] {
    const last = this.#hysteresis.finish();
    if (last) this.#open.push(last);
    this.#close();
    return this.#events;
  }

  #close(): void {
    const { parameters, rate, samples } = this;
    const probabilities = this.#joined();
    for (const { start, end } of shaped(this.#open, parameters, rate, samples))
      this.#events.push({
        start: start / rate,
        end: end / rate,
        confidence: confidence(
          probabilities.subarray(start - this.#from, end - this.#from),
          parameters.confidence_method,
        ),
      });
    this.#open = [];
  }

  #joined(): Float32Array {
    const joined = new Float32Array(this.#at - this.#from);
    let at = 0;
    for (const piece of this.#pieces) {
      joined.set(piece, at);
      at += piece.length;
    }
    this.#pieces = [joined];
    return joined;
  }

  /** Forgets the pieces that end before sample `before`. */
  #drop(before: number): void {
    let gone = 0;
    for (const piece of this.#pieces) {
      if (this.#from + piece.length > before) break;
      this.#from += piece.length;
      gone++;
    }
    this.#pieces = this.#pieces.slice(gone);
  }
}

/** Events in seconds, with their confidence; see EventFinder. */
export function predictEvents(
  probabilities: Float32Array,
  parameters: Postprocessing,
  rate: number,
): PredictedEvent[] {
  const finder = new EventFinder(parameters, rate, probabilities.length);
  finder.push(probabilities);
  return finder.finish();
}

type HysteresisParameters = Pick<
  Postprocessing,
  'tau_on' | 'tau_off' | 'min_onset_samples' | 'min_offset_samples'
>;

/**
 * An event starts with the first of `min_onset_samples` probabilities ≥ tau_on in a row, and ends with the last of
 * `min_offset_samples` probabilities < tau_off in a row; that last one does not belong to it any more.
 */
class Hysteresis {
  #start = -1;
  #inARow = 0;
  #at = 0;

  constructor(private readonly parameters: HysteresisParameters) {}

  /** The runs that end within the next probabilities. */
  *push(probabilities: Float32Array): Generator<Run> {
    const { min_onset_samples, min_offset_samples } = this.parameters;
    // The trainer compares float32 probabilities with float32 thresholds.
    const on = Math.fround(this.parameters.tau_on);
    const off = Math.fround(this.parameters.tau_off);
    let [start, inARow] = [this.#start, this.#inARow];
    for (let i = 0; i < probabilities.length; i++) {
      const probability = probabilities[i] as number;
      if (start < 0) {
        inARow = probability >= on ? inARow + 1 : 0;
        if (inARow < min_onset_samples) continue;
        start = this.#at + i + 1 - inARow;
        inARow = 0;
      } else {
        inARow = probability < off ? inARow + 1 : 0;
        if (inARow < min_offset_samples) continue;
        yield { start, end: this.#at + i };
        start = -1;
        inARow = 0;
      }
    }
    [this.#start, this.#inARow] = [start, inARow];
    this.#at += probabilities.length;
  }

  /** No run that is still to come starts before this sample. */
  get since(): number {
    return this.#start < 0 ? this.#at - this.#inARow : this.#start;
  }

  /** The run that lasts until the recording ends. */
  finish(): Run | undefined {
    return this.#start < 0 ? undefined : { start: this.#start, end: this.#at };
  }
}

/** The runs that the hysteresis finds in a whole recording. Exported for its tests. */
export function* hysteresis(probabilities: Float32Array, parameters: HysteresisParameters): Generator<Run> {
  const state = new Hysteresis(parameters);
  yield* state.push(probabilities);
  const last = state.finish();
  if (last) yield last;
}

/**
 * Erosion, then dilation, by a flat kernel of `kernel` samples: runs shorter than the kernel go. Like the trainer's
 * pooling this takes what lies beyond the recording as part of the run that touches its edge.
 * Exported for its tests.
 */
export function* opening(runs: Iterable<Run>, kernel: number, samples: number): Generator<Run> {
  const half = (kernel - 1) / 2;
  for (const run of runs) {
    const erodedStart = run.start === 0 ? 0 : run.start + half;
    const erodedEnd = run.end === samples ? samples : run.end - half;
    if (erodedStart < erodedEnd) yield run;
  }
}

/**
 * Dilation, then erosion: gaps shorter than the kernel close, as do gaps of up to half of it at the recording's edges.
 * Exported for its tests.
 */
export function* closing(runs: Iterable<Run>, kernel: number, samples: number): Generator<Run> {
  const half = (kernel - 1) / 2;
  const widened = function* (): Generator<Run> {
    for (const { start, end } of runs)
      yield { start: start <= half ? 0 : start, end: samples - end <= half ? samples : end };
  };
  yield* merge(widened(), kernel - 1);
}

/**
 * Runs of at least `shortest` samples, cut into pieces of at most `longest`. The pieces touch, so that the merging that
 * follows joins them again: the trainer's max_duration_s changes no event, and neither does it here.
 */
export function* limitDurations(runs: Iterable<Run>, shortest: number, longest: number): Generator<Run> {
  for (const { start, end } of runs) {
    if (end - start < shortest) continue;
    for (let at = start; at < end; at += longest) yield { start: at, end: Math.min(at + longest, end) };
  }
}

/** Joins runs with a gap of at most `gap` samples. `runs` come in rising order and do not overlap. Exported for its tests. */
export function* merge(runs: Iterable<Run>, gap: number): Generator<Run> {
  let open: Run | undefined;
  for (const run of runs) {
    if (open && run.start - open.end <= gap) {
      open = { start: open.start, end: run.end };
      continue;
    }
    if (open) yield open;
    open = run;
  }
  if (open) yield open;
}

function confidence(probabilities: Float32Array, method: ConfidenceMethod): number {
  switch (method) {
    case 'mean':
      return probabilities.reduce((sum, probability) => sum + probability, 0) / probabilities.length;
    case 'peak':
      return probabilities.reduce((highest, probability) => Math.max(highest, probability), 0);
    case 'percentile':
      return percentile(probabilities.slice().sort(), CONFIDENCE_PERCENTILE);
  }
}

/** As NumPy's `percentile`: linear between the two nearest ranks of `sorted`. */
function percentile(sorted: Float32Array, share: number): number {
  const rank = (sorted.length - 1) * share;
  const below = sorted[Math.floor(rank)] as number;
  const above = sorted[Math.ceil(rank)] as number;
  return below + (above - below) * (rank - Math.floor(rank));
}

/** Throws RangeError that names the parameter. */
export function checkPostprocessing(parameters: Postprocessing): void {
  const reject = (problem: string): never => {
    throw new RangeError(`post-processing: ${problem}`);
  };
  const { tau_on, tau_off, min_duration_s, max_duration_s, tau_merge } = parameters;
  if (!(tau_on > tau_off)) reject(`tau_on (${tau_on}) must be above tau_off (${tau_off})`);
  for (const name of [
    'min_onset_samples',
    'min_offset_samples',
    'opening_kernel',
    'closing_kernel',
  ] as const) {
    const value = parameters[name];
    if (!Number.isInteger(value) || value < 1) reject(`${name} is ${value}, not a whole number from 1`);
    if (name.endsWith('kernel') && value % 2 === 0) reject(`${name} is ${value}, and must be odd`);
  }
  if (!(min_duration_s >= 0)) reject(`min_duration_s is ${min_duration_s}, and must be 0 or more`);
  if (!(max_duration_s > 0 && max_duration_s >= min_duration_s))
    reject(`max_duration_s is ${max_duration_s}, and must be above 0 and not below min_duration_s`);
  if (!(tau_merge >= 0)) reject(`tau_merge is ${tau_merge}, and must be 0 or more`);
}
