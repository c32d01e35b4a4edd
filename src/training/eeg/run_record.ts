/** What is shown of a run beside its checkpoints: curves, scores, size; JSON, so that it can be stored. */
import type { Json } from '../../checkpoints/state';
import type { EegEvent, EegPlan, Scores } from './protocol';
import type { EegSettings } from './settings';

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
  /** The seed of synthetic recordings, or how many recordings were open and the first of them. */
  readonly data: { readonly synthetic: number } | { readonly recordings: number; readonly first: string };
  /** By update. */
  readonly losses: readonly number[];
  readonly validations: readonly RecordedValidation[];
  /** Of training, rests and validation not counted. */
  readonly seconds: number;
  /** Why it ended; null while it has not. */
  readonly outcome: string | null;
}

/** A stored summary; null where it is none of these. Scores that are no numbers come back as NaN. */
export function readSummary(summary: Json): RunSummary | null {
  if (typeof summary !== 'object' || summary === null || !('kind' in summary) || summary.kind !== 'eeg')
    return null;
  const read = summary as unknown as RunSummary;
  const number = (_: string, value: unknown): unknown => (value === null ? NaN : value);
  const validations = JSON.parse(JSON.stringify(read.validations), number) as RunSummary['validations'];
  return { ...read, validations };
}

/** Collects events into a summary. */
export class RunRecord {
  #summary: RunSummary;
  /** Seconds of training before it was gone on with. */
  #before: number;

  constructor(summary: RunSummary) {
    this.#summary = summary;
    this.#before = summary.seconds;
  }

  get summary(): RunSummary {
    return this.#summary;
  }

  /** JSON has neither NaN nor infinities nor −0. */
  toJson(): Json {
    const plain = (_: string, value: unknown): unknown => {
      if (typeof value !== 'number') return value;
      return Number.isFinite(value) ? value + 0 : null;
    };
    return JSON.parse(JSON.stringify(this.#summary, plain)) as Json;
  }

  /** Forgets what was after `step`: a run that goes on from there does it again. */
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
    } else if (event.type === 'failed') {
      this.#summary = { ...summary, outcome: event.failure.message };
    }
  }
}
