import type { RecordingResult } from '../../../detection/protocol';
import type { Failure } from '../../../run/protocol';
import { askToPersist } from '../../../checkpoints/store';
import { messageOf } from '../../../base/text';
import { adapterHint, describeAdapter, requestAdapter } from '../../../engine/adapter';
import type { Suggestion } from '../../../training/fits';
import type { CheckpointName, EegEvent, EegPlan, FolderReport, StartFrom } from '../../../training/protocol';
import type { RunSummary } from '../../../training/run_record';
import { SMOKE_RUN, type EegSettings } from '../../../training/settings';
import { EventPort } from '../../ui/event_port';
import { failureOf } from '../../ui/link';
import { checkpointDamaged, nothingUsable, recordingsMissing } from './failures';
import { Film } from './film.svelte';
import { eegLink } from './link';
import { Listing } from './listing.svelte';
import { linkTo, SharedByLink } from './shared_settings.svelte';
import type { Viewed } from './viewed';
import { download } from '../../ui/download';
import type { DroppedFile, Unread } from '../../ui/dropped';

export type Phase = 'idle' | 'opening' | 'preparing' | 'running' | 'paused' | 'finished' | 'failed';
type Of<T extends EegEvent['type']> = Extract<EegEvent, { type: T }>;
export type Validated = Of<'validated'>;

const SYNTHETIC_SEED = 42;
const UNOPENED = 'Could not open recordings';
const UNTRAINED = 'Training failed';

/** All that the Train page shows: recordings, the run, and the detector's predictions for the validation recordings. */
export class Detector implements Viewed {
  phase = $state<Phase>('idle');
  settings = $state<EegSettings>(structuredClone(SMOKE_RUN));
  folder = $state.raw<FolderReport | null>(null);
  preparation = $state.raw<Of<'preparing'> | null>(null);
  plan = $state.raw<EegPlan | null>(null);
  progress = $state.raw<Of<'progress'> | null>(null);
  outcome = $state.raw<Of<'finished'> | null>(null);
  failure = $state.raw<Failure | null>(null);
  /** What failed last, as a title. */
  failed = $state('');
  validations = $state.raw<readonly Validated[]>([]);
  losses = $state.raw<readonly number[]>([]);
  /** Of the last validation. */
  results = $state.raw<readonly RecordingResult[]>([]);
  /** The recording that is shown. */
  selected = $state(0);
  /** The step whose state was saved last; undefined before there is one. */
  saved = $state<number | undefined>(undefined);
  /** The store's name of the run that is under way or was last, once it is there. */
  run = $state<string | undefined>(undefined);
  /** Whether the browser promised to keep what is stored; undefined before it was asked, null where it does not say. */
  persisted = $state<boolean | null | undefined>(undefined);
  /** Whether the newest state, or the end of the run, is in memory alone. */
  unstored = $state(false);
  /** Steps of the run that overflowed float16. */
  skipped = $state(0);
  /** Whether the GPU can store float16; false before `askDevice`. */
  half = $state(false);
  /** What is to be known of the GPU; undefined where nothing is, or it was not asked for. */
  hint = $state<string | undefined>();
  /** A message about the run that does not end it. */
  notice = $state<string | null>(null);
  /** Settings that would fit, where memory was too small. */
  suggestions = $state.raw<readonly Suggestion[]>([]);
  /** An undamaged checkpoint, where the one that was asked for is damaged. */
  offer = $state.raw<{ checkpoint: CheckpointName; take: () => void } | null>(null);
  readonly shared = new SharedByLink((failure) => {
    this.failed = 'Link not supported';
    this.failure = failure;
  });

  readonly training = $derived(['preparing', 'running', 'paused'].includes(this.phase));
  readonly active = $derived(this.training || this.phase === 'opening');
  /** Whether leaving the page would lose steps. */
  readonly unsaved = $derived(this.unstored || (this.training && this.losses.length > (this.saved ?? 0)));
  readonly best = $derived(this.validations.findLast(({ best }) => best) ?? this.validations.at(-1));
  readonly memoryBytes = $derived(this.plan?.memory.reduce((sum, { bytes }) => sum + bytes, 0));

  /** The detector's predictions for the selected recording. */
  readonly result = $derived(this.results.find(({ recording }) => recording === this.selected));

  readonly probabilities = $derived.by(() => this.film.over(this));

  readonly threshold = $derived(this.settings.postprocessing.tau_on);
  readonly unopened = 'No recordings loaded. Open EDF files, or train on six synthetic 10-minute recordings.';
  readonly unpredicted = 'No predictions yet: they appear when training starts';
  readonly link = eegLink();
  readonly listing = new Listing(this.link);
  readonly film = new Film(this.link);
  readonly #events = new EventPort<EegEvent>();
  #toldUnsaved = false;
  /** Of the synthetic recordings that are open. */
  #seed: number | null = null;

  constructor() {
    // A hidden page may be closed silently.
    document.addEventListener('visibilitychange', () => {
      if (document.hidden && this.phase === 'running') void this.link.call((worker) => worker.checkpoint());
    });
  }

  useShared(): void {
    const settings = this.shared.take();
    if (settings && !this.active) this.settings = settings;
  }

  /** Resumes a stored run. Synthetic recordings are generated again, others have to be open. */
  async resume(id: string, summary: RunSummary, checkpoint?: CheckpointName): Promise<void> {
    if (this.active) return;
    const { settings, data, losses, validations } = summary;
    if (data && 'synthetic' in data) {
      if (this.#seed !== data.synthetic && !(await this.synthesize(data.synthetic))) return;
    } else if (!this.folder || (data && this.folder.synthetic)) {
      return this.#fail('Could not resume the run', recordingsMissing(data));
    }
    this.settings = structuredClone(settings);
    await this.#start(
      { run: id, weightsOnly: false, ...(checkpoint && { checkpoint }) },
      (other) => void this.resume(id, summary, other),
      () => {
        this.losses = losses;
        this.validations = validations.map((validated) => ({ type: 'validated', results: [], ...validated }));
      },
    );
  }

  /** A new run with these settings, initialised from the weights of another. */
  async startWithWeightsOf(id: string, settings: EegSettings, checkpoint?: CheckpointName): Promise<void> {
    if (this.active) return;
    this.settings = structuredClone(settings);
    if (!this.folder && !(await this.synthesize())) return;
    await this.#start(
      { run: id, weightsOnly: true, ...(checkpoint && { checkpoint }) },
      (other) => void this.startWithWeightsOf(id, settings, other),
    );
  }

  get shareLink(): string {
    return linkTo($state.snapshot(this.settings));
  }

  /** Resumes from the checkpoint that is offered. */
  takeOffer(): void {
    const { offer } = this;
    this.dismissFailure();
    offer?.take();
  }

  useSuggestion(settings: EegSettings): void {
    this.settings = structuredClone(settings);
    this.failure = null;
  }

  /** Looks at the adapter that a run would take. What is wrong with it is reported where a run needs it. */
  async askDevice(): Promise<void> {
    const adapter = await requestAdapter(navigator.gpu).catch(() => undefined);
    this.half = adapter?.features.has('shader-f16') ?? false;
    this.hint = adapter && adapterHint(describeAdapter(adapter.info), navigator.userAgent);
  }

  async #persist(): Promise<void> {
    this.persisted = null;
    this.persisted = (await askToPersist().catch(() => undefined)) ?? null;
  }

  /** Without recordings the synthetic ones are trained on. */
  async primary(): Promise<void> {
    if (this.phase === 'running') return this.#ask('pause');
    if (this.phase === 'paused') return this.#ask('resume');
    if (this.active) return;
    if (!this.folder && !(await this.synthesize())) return;
    await this.#start();
  }

  /** The store's name of the run that is under way here. */
  async underWay(): Promise<string | undefined> {
    return this.active ? this.link.call((worker) => worker.underWay()) : undefined;
  }

  readonly stop = (): Promise<void> => {
    this.listing.stop();
    return this.#ask('stop');
  };
  /** Ends the choice of kernels. */
  readonly skip = (): Promise<void> => this.#ask('skip');

  async synthesize(seed = SYNTHETIC_SEED): Promise<boolean> {
    const opened = await this.#open(() => this.link.call((worker) => worker.synthesize(seed)));
    if (opened) this.#seed = seed;
    return opened;
  }

  /** `limit`: only so many recordings, the first by path; null takes all. `unread`: files that the browser could not read. */
  open(files: Iterable<File | DroppedFile>, limit: number | null, unread: Unread = []): Promise<boolean> {
    const list = Array.from(files, (file) =>
      file instanceof File ? { path: file.webkitRelativePath || file.name, data: file } : file,
    );
    return this.#open(() => this.listing.open({ files: list, limit, unread }));
  }

  /** Remembers which annotations are seizures, and reads the open recordings anew. */
  async chooseSeizureTexts(texts: readonly string[]): Promise<void> {
    if (this.active) return;
    this.listing.chooseTexts(texts);
    const { again } = this.listing;
    if (again) await this.#open(again);
  }

  readonly saveSynthetic = (): Promise<void> =>
    this.#download('synthetic-eeg.zip', () => this.link.call((worker) => worker.saveSynthetic()));
  /** The newest state of the run that is under way or was last, as a file. */
  readonly readState = (): Promise<Blob> => this.link.call((worker) => worker.saveState());
  /** Saves it; opened under Runs it can be resumed. */
  readonly saveState = (): Promise<void> => this.#download('run.state.safetensors', this.readState);

  /** Stores the end of the run, which the store did not take. */
  async storeEnd(): Promise<void> {
    this.notice = null;
    try {
      await this.link.call((worker) => worker.storeEnd());
      this.unstored = false;
      this.saved = this.outcome?.steps ?? this.saved;
    } catch (error) {
      this.#tellUnstored(messageOf(error));
    }
  }

  #tellUnstored(problem: string | null | undefined): void {
    if (!problem) return;
    this.unstored = true;
    const rest = this.saved === undefined ? 'nor is the rest of it' : 'so Runs lists it as interrupted';
    this.notice = `${problem} The end of this run is not stored, ${rest}.`;
  }

  async #download(name: string, read: () => Promise<Blob>): Promise<void> {
    try {
      download(name, await read());
    } catch (error) {
      this.failed = 'Could not save the file';
      this.failure = failureOf(error);
    }
  }

  dismissFailure(): void {
    this.failure = null;
    this.suggestions = [];
    this.offer = null;
  }

  /** `ask` gives null where it was stopped: nothing has changed then. */
  async #open(ask: () => Promise<FolderReport | null>): Promise<boolean> {
    if (this.active) return false;
    const before = this.phase;
    this.phase = 'opening';
    try {
      const folder = await ask();
      if (folder?.recordings.length === 0) this.#fail(UNOPENED, nothingUsable(folder));
      else if (!folder) this.phase = before;
      if (!folder || folder.recordings.length === 0) return false;
      this.folder = folder;
      this.#seed = null;
      this.results = this.film.rows = [];
      this.validations = [];
      this.losses = [];
      this.plan = this.progress = this.outcome = null;
      this.selected = Math.max(
        0,
        folder.recordings.findIndex(({ seizures }) => seizures.length > 0),
      );
      this.phase = 'idle';
      return true;
    } catch (error) {
      this.#fail(UNOPENED, failureOf(error));
      return false;
    }
  }

  /** `again` does the same from another checkpoint; `prefill` sets what a resumed run has shown before. */
  async #start(
    from?: StartFrom,
    again: (checkpoint: CheckpointName) => void = () => undefined,
    prefill: () => void = () => undefined,
  ): Promise<void> {
    this.plan = this.progress = this.outcome = this.failure = this.preparation = this.notice = null;
    this.validations = [];
    this.losses = [];
    this.suggestions = [];
    this.saved = this.run = undefined;
    this.skipped = 0;
    this.unstored = false;
    this.#toldUnsaved = false;
    prefill();
    this.phase = 'preparing';
    this.film.start();
    try {
      const port = this.#events.open((event) => this.#handle(event));
      const settings = $state.snapshot(this.settings);
      const rejected = await this.link.call((worker) => worker.start(settings, port, from));
      if (!rejected) return;
      const { damaged, instead } = rejected;
      if (instead) this.offer = { checkpoint: instead, take: () => again(instead) };
      this.#fail('Checkpoint damaged', checkpointDamaged(damaged, instead !== null));
    } catch (error) {
      this.#fail(UNTRAINED, failureOf(error));
    }
  }

  async #ask(what: 'pause' | 'resume' | 'stop' | 'skip'): Promise<void> {
    try {
      await this.link.call((worker) => worker[what]());
    } catch (error) {
      this.#fail(UNTRAINED, failureOf(error));
    }
  }

  #handle(event: EegEvent): void {
    switch (event.type) {
      case 'planned':
        this.plan = event.plan;
        this.hint = adapterHint(event.device, navigator.userAgent);
        this.selected = event.plan.recordings.validation[0] ?? this.selected;
        return;
      case 'preparing':
        this.preparation = event;
        return;
      case 'progress':
        this.losses = [...this.losses, ...event.metrics.loss];
        this.progress = event;
        this.preparation = null;
        if (this.phase === 'preparing') this.phase = 'running';
        return;
      case 'validated':
        this.preparation = null;
        this.validations = [...this.validations, event];
        this.results = event.results;
        return;
      case 'glimpsed':
        this.film.take(event);
        return;
      case 'skipped':
        this.skipped = event.skipped;
        return;
      case 'paused':
        this.preparation = null;
        this.phase = 'paused';
        return;
      case 'resumed':
        this.phase = 'running';
        return;
      case 'finished':
        this.outcome = event;
        this.#tellUnstored(event.unstored);
        this.#close('finished');
        return;
      case 'failed':
        this.suggestions = event.suggestions;
        this.#tellUnstored(event.unstored);
        this.#fail(UNTRAINED, event.failure);
        return;
      case 'continuing':
        if (!this.unstored) this.saved ??= event.step;
        this.losses = this.losses.slice(0, event.step);
        this.validations = this.validations.filter(({ step }) => step <= event.step);
        return;
      case 'saved':
        this.saved = event.step;
        this.notice = event.remark ?? this.notice;
        void this.underWay().then((run) => (this.run = run ?? this.run));
        this.unstored = this.#toldUnsaved = false;
        if (this.persisted === undefined) void this.#persist();
        return;
      case 'unsaved':
        // Said once until a checkpoint is saved again: training continues and tries again.
        if (!this.#toldUnsaved)
          this.notice = `${event.message} Training continues; checkpoints are kept in memory only.`;
        this.unstored = true;
        this.#toldUnsaved = true;
        return;
      case 'recovering':
        this.phase = 'preparing';
        this.notice = `The GPU was lost. Training resumes from step ${event.step} on another device (attempt ${event.attempt} of ${event.attempts}).${event.shortSubmits ? ' It was lost at the same step before, so it is given less work at a time.' : ''}${event.damaged ? ` ${event.damaged}` : ''}`;
        return;
      default:
        event satisfies never;
    }
  }

  #fail(failed: string, failure: Failure): void {
    this.failed = failed;
    this.failure = failure;
    this.#close('failed');
  }

  #close(phase: Phase): void {
    this.#events.close();
    this.preparation = null;
    this.phase = phase;
  }
}
