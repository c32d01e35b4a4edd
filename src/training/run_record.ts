/** What is shown of a run beside its checkpoints: curves, scores, size; JSON, so that it can be stored. */
import type { Json, TrainingState } from '../checkpoints/state';
import { SettingsError, wasInterrupted } from '../run/failure';
import type { EegEvent, EegPlan, Scores } from './protocol';
import { storedSettings, type EegSettings } from './settings';

export interface RecordedValidation {
  readonly epoch: number;
  readonly step: number;
  readonly best: boolean;
  readonly scores: Scores;
}

export interface RunSummary {
  readonly kind: 'eeg';
  readonly settings: EegSettings;
  readonly plan: Pick<EegPlan, 'parameters' | 'steps' | 'memory' | 'windows'>;
  /**
   * The seed of synthetic recordings, or how many recordings were open and the first of them; null where a file brought
   * the run, whose state alone knows.
   */
  readonly data:
    | { readonly synthetic: number }
    | { readonly recordings: number; readonly first: string }
    | null;
  /** Tells the GPU that it was started on apart from others of its name; runs of before have none. */
  readonly adapterKey?: string;
  /** By step; NaN where it is not known. */
  readonly losses: readonly number[];
  readonly validations: readonly RecordedValidation[];
  /** Of training, rests and validation not counted. */
  readonly seconds: number;
  /** Why it ended; null while it has not, and where the GPU went away. */
  readonly outcome: string | null;
  /** Measured after the run, where somebody asked for it. */
  readonly device?: RunDevice;
}

/** The measured rates of a run's device, and what one step of the run takes. */
export interface RunDevice {
  readonly rates: { readonly flopsPerSecond: number; readonly bandwidthBytesPerSecond: number };
  readonly update: { readonly flops: number; readonly bytes: number; readonly dispatches: number };
}

/** A stored summary; null where it is none of these. Numbers that JSON has no words for come back as NaN. */
export function readSummary(summary: Json): RunSummary | null {
  if (typeof summary !== 'object' || summary === null || !('kind' in summary) || summary.kind !== 'eeg')
    return null;
  const read = summary as unknown as RunSummary;
  if (!isWhole(read)) return null;
  const number = (_: string, value: unknown): unknown => (value === null ? NaN : value);
  const revive = <T>(part: T): T => JSON.parse(JSON.stringify(part), number) as T;
  try {
    return {
      ...read,
      settings: storedSettings(JSON.stringify(read.settings)),
      losses: revive(read.losses),
      validations: revive(read.validations),
    };
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return null;
  }
}

/** Whether what is drawn of a summary is there: copies of runs are files that anybody may have changed. */
function isWhole({ plan, losses, validations, seconds, outcome, data }: Partial<RunSummary>): boolean {
  const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null;
  const isNumber = (value: unknown): boolean => typeof value === 'number' || value === null;
  return (
    isObject(plan) &&
    [plan?.steps, plan?.parameters, seconds].every((value) => typeof value === 'number') &&
    Array.isArray(losses) &&
    losses.every(isNumber) &&
    Array.isArray(validations) &&
    validations.every(
      (one: unknown) =>
        isObject(one) &&
        isNumber((one as RecordedValidation).epoch) &&
        isNumber((one as RecordedValidation).step) &&
        isObject((one as RecordedValidation).scores),
    ) &&
    (outcome === null || typeof outcome === 'string') &&
    (data === null || isObject(data))
  );
}

/** What is known of a run of which there is a state alone, as a file brings it. Throws SettingsError. */
export function summaryOf({ parameters, progress }: TrainingState): RunSummary {
  const number = (json: Json, name: string): number => {
    const value =
      typeof json === 'object' && json !== null ? (json as Record<string, Json>)[name] : undefined;
    if (typeof value === 'number') return value;
    throw new SettingsError('the checkpoint does not say where the run stood');
  };
  return {
    kind: 'eeg',
    settings: storedSettings(progress.config),
    plan: {
      parameters: [...parameters.values()].reduce((sum, { data }) => sum + data.length, 0),
      steps: number(progress.schedule, 'steps'),
      memory: [],
      windows: { training: number(progress.sampler, 'windows'), validation: 0 },
    },
    data: null,
    losses: Array.from({ length: progress.step }, () => NaN),
    validations: [],
    seconds: 0,
    outcome: null,
  };
}

/** Collects events into a summary. */
export class RunRecord {
  #summary: RunSummary;
  /** Seconds of training before it was resumed. */
  #before: number;

  constructor(summary: RunSummary) {
    this.#summary = summary;
    this.#before = summary.seconds;
  }

  get summary(): RunSummary {
    return this.#summary;
  }

  /** `ended`: with how the run ended, otherwise as one that is under way. */
  toJson(ended: boolean): Json {
    return asJson({ ...this.#summary, outcome: ended ? this.#summary.outcome : null });
  }

  /** Forgets what was after `step`: a run that is resumed there does it again. */
  backTo(step: number): void {
    const { losses, validations } = this.#summary;
    this.#summary = {
      ...this.#summary,
      losses: losses.slice(0, step),
      validations: validations.filter((validated) => validated.step <= step),
      outcome: null,
    };
  }

  add(event: EegEvent): void {
    const summary = this.#summary;
    if (event.type === 'progress') {
      const losses = [...summary.losses, ...event.metrics.loss];
      this.#summary = { ...summary, losses, seconds: this.#before + event.seconds };
    } else if (event.type === 'recovering') {
      this.#before = summary.seconds;
    } else if (event.type === 'validated') {
      const { epoch, step, best, scores } = event;
      const before = summary.validations.filter((other) => other.epoch < epoch);
      this.#summary = { ...summary, validations: [...before, { epoch, step, best, scores }] };
    } else if (event.type === 'continuing') {
      this.backTo(event.step);
    } else if (event.type === 'finished') {
      this.#summary = { ...summary, outcome: event.reason, seconds: this.#before + event.seconds };
    } else if (event.type === 'failed' && !wasInterrupted(event.failure)) {
      this.#summary = { ...summary, outcome: event.failure.message };
    }
  }
}

/** JSON has neither NaN nor infinities nor −0. */
export function asJson(summary: RunSummary): Json {
  const plain = (_: string, value: unknown): unknown => {
    if (typeof value !== 'number') return value;
    return Number.isFinite(value) ? value + 0 : null;
  };
  return JSON.parse(JSON.stringify(summary, plain)) as Json;
}
