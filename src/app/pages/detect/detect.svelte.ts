import { fileName, messageOf } from '../../../base/text';
import type { Run } from '../../../checkpoints/run';
import { startStoreWorker, type StoreWorker } from '../../../checkpoints/store_worker';
import { writeZip } from '../../../checkpoints/zip';
import type { DetectionEvent, LeftOut, RecordingResult } from '../../../detection/protocol';
import { outputNames } from '../../../eeg/events/output_names';
import { isReadable } from '../../../eeg/files/recording';
import type { EventScores } from '../../../eeg/scores/score_events';
import type { Mixer } from '../../../models/bimamba';
import type { Failure } from '../../../run/protocol';
import { download } from '../../ui/download';
import { isWeights, type Dropped } from '../../ui/dropped';
import { EventPort } from '../../ui/event_port';
import { failureOf } from '../../ui/link';
import type { Detector } from '../detector/detector.svelte';
import type { Viewed } from '../detector/viewed';
import { eventFiles } from './event_files';

type Of<T extends DetectionEvent['type']> = Extract<DetectionEvent, { type: T }>;
export type Phase = 'idle' | 'running' | 'finished' | 'failed';

/** Weights of a file, or the best ones of a run that this browser stores. */
export type ChosenWeights = { readonly file: File } | { readonly run: string; readonly name: string } | null;

/** Detection with finished weights in the recordings that are open; nothing is kept unless it is saved. */
export class Detect implements Viewed {
  phase = $state<Phase>('idle');
  weights = $state.raw<ChosenWeights>(null);
  /** Whether a file that was chosen is being read. */
  reading = $state(false);
  /** Why the file that was chosen last cannot be used. */
  weightsProblem = $state<string | null>(null);
  mixer = $state<Mixer | 'trained'>('trained');
  /** Seconds between the starts of two windows. */
  stride = $state(10);
  /** Runs that this browser stores, the newest first. */
  runs = $state.raw<readonly Run[]>([]);
  /** Why they cannot be listed. */
  runsProblem = $state<string | null>(null);
  plan = $state.raw<Of<'planned'> | null>(null);
  progress = $state.raw<Of<'detecting'> | null>(null);
  outcome = $state.raw<Of<'finished'> | null>(null);
  results = $state.raw<readonly RecordingResult[]>([]);
  leftOut = $state.raw<readonly LeftOut[]>([]);
  failure = $state.raw<Failure | null>(null);
  readonly result = $derived.by(() => {
    const { selected } = this.detector;
    return this.results.find(({ recording }) => recording === selected);
  });
  readonly probabilities = $derived(this.result);
  readonly scores = $derived<EventScores | null>(this.outcome?.scores ?? null);
  readonly found = $derived(this.results.reduce((sum, { predicted }) => sum + predicted.length, 0));
  readonly unopened = 'No recordings loaded. Open a folder, or drop EDF files here.';
  readonly unpredicted = 'No probabilities yet: start the detection';
  /** The recordings that `results` are of. */
  #of: unknown = null;
  readonly #events = new EventPort<DetectionEvent>();
  #store: StoreWorker | undefined;
  /** The file that was chosen last. */
  #chosen: File | undefined;

  /** `detector`: whose recordings these are; they are those of the page Train too. */
  constructor(readonly detector: Detector) {}

  get folder() {
    return this.detector.folder;
  }
  get selected(): number {
    return this.detector.selected;
  }
  set selected(recording: number) {
    this.detector.selected = recording;
  }
  get threshold(): number {
    return this.detector.threshold;
  }
  get link() {
    return this.detector.link;
  }

  /** Forgets what was found once other recordings are open. */
  noticeFolder(): void {
    const { folder } = this.detector;
    if (folder === this.#of || this.phase === 'running') return;
    this.#of = folder;
    this.#clear();
    this.phase = 'idle';
  }

  async listRuns(): Promise<void> {
    const { store } = (this.#store ??= startStoreWorker());
    try {
      this.runs = (await store.runs()).filter(({ best, last }) => best.length + last.length > 0);
      this.runsProblem = null;
    } catch (error) {
      this.runs = [];
      this.runsProblem = messageOf(error);
    }
  }

  /** Takes what was dropped: weights, recordings with their labels, or both. */
  async take({ files, unread }: Dropped): Promise<void> {
    if (this.phase === 'running') {
      this.failure = {
        kind: 'data',
        message: 'A detection is under way.',
        advice: 'Stop it, or drop the files again when it is done.',
      };
      return;
    }
    const weights = files.find(({ path }) => isWeights(path));
    const recordings = files.filter(({ path }) => isReadable(fileName(path)));
    if (weights) void this.chooseFile(weights.data);
    if (recordings.length > 0) await this.detector.open(recordings, null, unread);
  }

  /** Takes weights of a file once they are read; those before are forgotten. */
  async chooseFile(file: File): Promise<void> {
    this.#chosen = file;
    this.weights = this.weightsProblem = null;
    this.reading = true;
    let problem: string | null = null;
    try {
      await this.link.call((worker) => worker.checkWeights(file));
    } catch (error) {
      problem = `${file.name} cannot be used: ${messageOf(error)}`;
    }
    // Others may have been chosen meanwhile.
    if (this.#chosen !== file) return;
    this.reading = false;
    this.weightsProblem = problem;
    if (problem === null) this.weights = { file };
  }

  /** Takes the best weights of a stored run; none where there is no such run. */
  chooseRun(id: string): void {
    const run = this.runs.find((one) => one.id === id);
    this.#chosen = undefined;
    this.reading = false;
    this.weightsProblem = null;
    this.weights = run ? { run: run.id, name: run.name } : null;
  }

  async start(): Promise<void> {
    const { weights, mixer, stride } = this;
    if (!weights || this.phase === 'running' || this.detector.active || !this.detector.folder) return;
    this.#clear();
    this.phase = 'running';
    const { interpolation, postprocessing } = $state.snapshot(this.detector.settings);
    try {
      const port = this.#events.open((event) => this.#handle(event));
      const chosen = 'file' in weights ? weights.file : weights.run;
      await this.link.call((worker) =>
        worker.detect(
          chosen,
          { mixer: mixer === 'trained' ? null : mixer, stride, interpolation, postprocessing },
          port,
        ),
      );
    } catch (error) {
      this.#fail(failureOf(error));
    }
  }

  async stop(): Promise<void> {
    await this.link.call((worker) => worker.stop()).catch((error: unknown) => this.#fail(failureOf(error)));
  }

  /** Asks for a GPU at once that is being waited for. */
  async skip(): Promise<void> {
    await this.link.call((worker) => worker.skip()).catch((error: unknown) => this.#fail(failureOf(error)));
  }

  /** csv_bi and BIDS events of all recordings as one zip, in the folders of the recordings. */
  save(): void {
    const files = eventFiles(this.results, this.folder?.recordings ?? [], this.scores);
    download('detected-events.zip', new Blob(writeZip(files), { type: 'application/zip' }));
  }

  /** The recording that is shown, with its detected events as annotations. */
  async saveAnnotated(): Promise<void> {
    const { result } = this;
    const recordings = this.folder?.recordings ?? [];
    if (!result) return;
    try {
      const copy = await this.link.call((worker) => worker.annotated(result.recording, result.predicted));
      const name = outputNames(recordings.map(({ path }) => path))[result.recording]?.edf;
      download(fileName(name ?? 'recording.edf'), copy);
    } catch (error) {
      this.failure = failureOf(error);
    }
  }

  #handle(event: DetectionEvent): void {
    switch (event.type) {
      case 'planned':
        this.plan = event;
        this.leftOut = event.leftOut;
        return;
      case 'detecting':
        this.progress = event;
        return;
      case 'detected':
        if (this.results.length === 0) this.selected = event.result.recording;
        this.results = [...this.results, event.result];
        return;
      case 'unreadable':
        this.leftOut = [...this.leftOut, event.leftOut];
        return;
      case 'finished':
        this.outcome = event;
        this.#close('finished');
        return;
      case 'failed':
        this.#fail(event.failure);
        return;
      default:
        event satisfies never;
    }
  }

  #clear(): void {
    this.plan = this.progress = this.outcome = this.failure = null;
    this.results = [];
    this.leftOut = [];
  }

  #fail(failure: Failure): void {
    this.failure = failure;
    this.#close('failed');
  }

  #close(phase: Phase): void {
    this.#events.close();
    this.progress = null;
    this.phase = phase;
  }
}
