import { askToPersist } from '../../../checkpoints/store';
import type { RecordingResult } from '../../../detection/protocol';
import type { EegEvent, EegPlan } from '../../../training/protocol';
import type { RunSummary } from '../../../training/run_record';

type Of<T extends EegEvent['type']> = Extract<EegEvent, { type: T }>;
export type Validated = Of<'validated'>;

/** What was reported of the run that is under way or was last. */
export class RunReport {
  preparation = $state.raw<Of<'preparing'> | null>(null);
  plan = $state.raw<EegPlan | null>(null);
  progress = $state.raw<Of<'progress'> | null>(null);
  outcome = $state.raw<Of<'finished'> | null>(null);
  validations = $state.raw<readonly Validated[]>([]);
  losses = $state.raw<readonly number[]>([]);
  /** Of the last validation. */
  results = $state.raw<readonly RecordingResult[]>([]);
  /** The step whose state was saved last; undefined before there is one. */
  saved = $state<number | undefined>(undefined);
  /** The store's name of the run, once it is there. */
  run = $state<string | undefined>(undefined);
  /** Whether the browser promised to keep what is stored; undefined before it was asked, null where it does not say. */
  persisted = $state<boolean | null | undefined>(undefined);
  /** Whether the newest state, or the end of the run, is in memory alone. */
  unstored = $state(false);
  /** Steps of the run that overflowed float16. */
  skipped = $state(0);
  /** A message about the run that does not end it. */
  notice = $state<string | null>(null);

  readonly best = $derived(this.validations.findLast(({ best }) => best) ?? this.validations.at(-1));
  readonly memoryBytes = $derived(this.plan?.memory.reduce((sum, { bytes }) => sum + bytes, 0));
  #toldUnsaved = false;

  /** Other recordings were opened: nothing that is shown is of them. */
  forget(): void {
    this.plan = this.progress = this.outcome = null;
    this.validations = [];
    this.losses = [];
    this.results = [];
  }

  /** A run starts. The results of the last one stay until there are others. `resumed`: what it has shown before. */
  start(resumed?: Pick<RunSummary, 'losses' | 'validations'>): void {
    this.plan = this.progress = this.outcome = this.preparation = this.notice = null;
    this.losses = resumed?.losses ?? [];
    this.validations = (resumed?.validations ?? []).map((validated) => ({
      type: 'validated',
      results: [],
      ...validated,
    }));
    this.saved = this.run = undefined;
    this.skipped = 0;
    this.unstored = this.#toldUnsaved = false;
  }

  take(event: EegEvent): void {
    switch (event.type) {
      case 'planned':
        this.plan = event.plan;
        return;
      case 'preparing':
        this.preparation = event;
        return;
      case 'progress':
        this.losses = [...this.losses, ...event.metrics.loss];
        this.progress = event;
        this.preparation = null;
        return;
      case 'validated':
        this.preparation = null;
        this.validations = [...this.validations, event];
        this.results = event.results;
        return;
      case 'skipped':
        this.skipped = event.skipped;
        return;
      case 'paused':
        this.preparation = null;
        return;
      case 'finished':
        this.outcome = event;
        this.tellUnstored(event.unstored);
        return;
      case 'failed':
        this.tellUnstored(event.unstored);
        return;
      case 'continuing':
        if (!this.unstored) this.saved ??= event.step;
        this.losses = this.losses.slice(0, event.step);
        this.validations = this.validations.filter(({ step }) => step <= event.step);
        return;
      case 'saved':
        this.saved = event.step;
        this.notice = event.remark ?? this.notice;
        this.unstored = this.#toldUnsaved = false;
        if (this.persisted === undefined) void this.#persist();
        return;
      case 'unsaved':
        // Said once until a checkpoint is saved again: training continues and tries again.
        if (!this.#toldUnsaved)
          this.notice = `${event.message} Training continues; checkpoints are kept in memory only.`;
        this.unstored = this.#toldUnsaved = true;
        return;
      case 'recovering':
        this.notice = `The GPU was lost. Training resumes from step ${event.step} on another device (attempt ${event.attempt} of ${event.attempts}).${event.shortSubmits ? ' It was lost at the same step before, so it is given less work at a time.' : ''}${event.damaged ? ` ${event.damaged}` : ''}`;
        return;
      case 'glimpsed':
      case 'resumed':
        return;
      default:
        event satisfies never;
    }
  }

  /** The store took the end of the run after all. */
  takeStoredEnd(): void {
    this.unstored = false;
    this.saved = this.outcome?.steps ?? this.saved;
  }

  /** `problem`: why the store did not take the end of the run, a sentence. */
  tellUnstored(problem: string | null | undefined): void {
    if (!problem) return;
    this.unstored = true;
    const rest = this.saved === undefined ? 'nor is the rest of it' : 'so Runs lists it as interrupted';
    this.notice = `${problem} The end of this run is not stored, ${rest}.`;
  }

  async #persist(): Promise<void> {
    this.persisted = null;
    this.persisted = (await askToPersist().catch(() => undefined)) ?? null;
  }
}
