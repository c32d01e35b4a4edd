import type { Failure } from '../../../run/protocol';
import { messageOf } from '../../../base/text';
import { adapterHint, describeAdapter, requestAdapter } from '../../../engine/adapter';
import type { Suggestion } from '../../../training/fits';
import type { CheckpointName, EegEvent, FolderReport, StartFrom } from '../../../training/protocol';
import type { RunSummary } from '../../../training/run_record';
import { SMOKE_RUN, type EegSettings } from '../../../training/settings';
import { EventPort } from '../../ui/event_port';
import { failureOf } from '../../ui/link';
import { checkpointDamaged, nothingUsable, recordingsMissing } from './failures';
import { Film } from './film.svelte';
import { eegLink } from './link';
import { Listing } from './listing.svelte';
import { RunReport } from './run_report.svelte';
import { linkTo, SharedByLink } from './shared_settings.svelte';
import type { Viewed } from './viewed';
import { download } from '../../ui/download';
import type { DroppedFile, Unread } from '../../ui/dropped';

export type Phase = 'idle' | 'opening' | 'preparing' | 'running' | 'paused' | 'finished' | 'failed';
const SYNTHETIC_SEED = 42;
const UNOPENED = 'Could not open recordings';
const UNTRAINED = 'Training failed';

/** All that the Train page shows: recordings, the run, and the detector's predictions for the validation recordings. */
export class Detector implements Viewed {
  phase = $state<Phase>('idle');
  settings = $state<EegSettings>(structuredClone(SMOKE_RUN));
  folder = $state.raw<FolderReport | null>(null);
  readonly report = new RunReport();
  failure = $state.raw<Failure | null>(null);
  /** What failed last, as a title. */
  failed = $state('');
  /** The recording that is shown. */
  selected = $state(0);
  /** Whether the GPU can store float16; false before `askDevice`. */
  half = $state(false);
  /** What is to be known of the GPU; undefined where nothing is, or it was not asked for. */
  hint = $state<string | undefined>();
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
  readonly unsaved = $derived(
    this.report.unstored || (this.training && this.report.losses.length > (this.report.saved ?? 0)),
  );
  /** The detector's predictions for the selected recording. */
  readonly result = $derived(this.report.results.find(({ recording }) => recording === this.selected));

  readonly probabilities = $derived.by(() => this.film.over(this));

  readonly threshold = $derived(this.settings.postprocessing.tau_on);
  readonly unopened = 'No recordings loaded. Open EDF files, or train on six synthetic 10-minute recordings.';
  readonly unpredicted = 'No predictions yet: they appear when training starts';
  readonly link = eegLink();
  readonly listing = new Listing(this.link);
  readonly film = new Film(this.link);
  readonly #events = new EventPort<EegEvent>();
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
    const { settings, data } = summary;
    if (data && 'synthetic' in data) {
      if (this.#seed !== data.synthetic && !(await this.synthesize(data.synthetic))) return;
    } else if (!this.folder || (data && this.folder.synthetic)) {
      return this.#fail('Could not resume the run', recordingsMissing(data));
    }
    this.settings = structuredClone(settings);
    await this.#start(
      { run: id, weightsOnly: false, ...(checkpoint && { checkpoint }) },
      (other) => void this.resume(id, summary, other),
      summary,
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
    this.report.notice = null;
    try {
      await this.link.call((worker) => worker.storeEnd());
      this.report.takeStoredEnd();
    } catch (error) {
      this.report.tellUnstored(messageOf(error));
    }
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
      this.film.rows = [];
      this.report.forget();
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

  /** `again` does the same from another checkpoint; `resumed`: a run that continues. */
  async #start(
    from?: StartFrom,
    again: (checkpoint: CheckpointName) => void = () => undefined,
    resumed?: RunSummary,
  ): Promise<void> {
    this.failure = null;
    this.suggestions = [];
    this.report.start(resumed);
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
    this.report.take(event);
    switch (event.type) {
      case 'planned':
        this.hint = adapterHint(event.device, navigator.userAgent);
        this.selected = event.plan.recordings.validation[0] ?? this.selected;
        return;
      case 'progress':
        if (this.phase === 'preparing') this.phase = 'running';
        return;
      case 'glimpsed':
        this.film.take(event);
        return;
      case 'paused':
        this.phase = 'paused';
        return;
      case 'resumed':
        this.phase = 'running';
        return;
      case 'finished':
        this.#close('finished');
        return;
      case 'failed':
        this.suggestions = event.suggestions;
        this.#fail(UNTRAINED, event.failure);
        return;
      case 'saved':
        void this.underWay().then((run) => (this.report.run = run ?? this.report.run));
        return;
      case 'recovering':
        this.phase = 'preparing';
        return;
      case 'preparing':
      case 'validated':
      case 'skipped':
      case 'continuing':
      case 'unsaved':
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
    this.report.preparation = null;
    this.phase = phase;
  }
}
