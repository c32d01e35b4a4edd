/** What the EEG worker does for the page: one folder of recordings, one device, one run at a time. */
import { messageOf } from '../base/text';
import { writeState } from '../checkpoints/state_file';
import { startStoreWorker, type StoreWorker } from '../checkpoints/store_worker';
import { writeZip } from '../checkpoints/zip';
import { Detection } from '../detection/detect';
import type { DetectionEvent } from '../detection/protocol';
import { configOf, mixerIn, type DetectorWeights } from '../detection/weights';
import type { PredictedEvent } from '../eeg/events/events';
import { detectedAnnotation, withAnnotations } from '../eeg/files/edf/annotate';
import type { EdfAnnotation } from '../eeg/files/edf/file';
import type { SeizureTexts } from '../eeg/files/edf_labels';
import { Dataset, KEEP_BYTES, openRecordings, type OpenedFolder } from '../eeg/windows/dataset';
import { PageReader, type SignalPage } from '../eeg/files/page';
import { openEdf, pairFiles, sourceOf, type RecordingFiles } from '../eeg/files/recording';
import { SAMPLE_RATE } from '../eeg/signal/preprocess';
import { DEMO_CORPUS, syntheticCorpus } from '../eeg/synthetic/corpus';
import { Device } from '../engine/device';
import type { TuneMemory } from '../engine/tune';
import type { DeviceReport } from '../run/protocol';
import { reportDevice } from '../run/device_report';
import { storedLosses } from '../run/gpu_losses';
import { UsableDevice } from '../run/usable_device';
import { files as readFiles } from './files';
import { startWorkers } from './pool';
import type { PreparedCache } from '../eeg/signal/cache';
import { preparedCache } from './prepared_cache';
import {
  type DamagedCheckpoint,
  type DetectionChoices,
  type EegWorker,
  type FolderReport,
  type Listed,
  type StartFrom,
  type Watched,
} from './protocol';
import { storedSettings, type EegSettings } from './settings';
import { openCheckpoint, StoredRun } from './stored_run';
import { EegTrainer } from './trainer';

/** Milliseconds between two words of how far a listing is. */
const REPORT_EVERY = 100;

interface OfferedFile {
  readonly path: string;
  readonly data: Blob;
}

class StoppedListing extends Error {}

export class EegService implements EegWorker {
  readonly #device: UsableDevice;
  #folder: OpenedFolder | undefined;
  /** What is opened next. */
  #offered: OfferedFile[] = [];
  /** Whether the listing that is under way is to end. */
  #stopped = false;
  #trainer: EegTrainer | undefined;
  #detection: Detection | undefined;
  #syntheticSeed: number | undefined;
  readonly #pages = new PageReader();
  #store: StoreWorker | undefined;
  #run: StoredRun | undefined;
  #watched: Watched | null = null;

  /** `gpu` is undefined where the browser has no WebGPU; `tuning` remembers which kernels are the fastest. */
  constructor(
    gpu: GPU | undefined,
    private readonly tuning: TuneMemory | Promise<TuneMemory>,
  ) {
    this.#device = new UsableDevice(() => Device.request(gpu), storedLosses());
  }

  async device(): Promise<DeviceReport> {
    return reportDevice(await this.#device.get(), undefined);
  }

  offer(files: readonly OfferedFile[], first: boolean): void {
    if (first) this.#offered = [];
    this.#offered.push(...files);
  }

  async open(
    port: MessagePort,
    limit?: number,
    seizureTexts?: SeizureTexts,
  ): Promise<{ recordings: number; rejected: number } | null> {
    this.#stopped = false;
    let reported = -Infinity;
    const progress = (done: number, total: number): void => {
      if (this.#stopped) throw new StoppedListing();
      const now = performance.now();
      if (now - reported < REPORT_EVERY) return;
      reported = now;
      port.postMessage({ done, total } satisfies Listed);
    };
    try {
      const pairs = pairFiles(this.#offered);
      const opened = await openRecordings(pairs, limit, progress, seizureTexts, (one, texts) =>
        readFiles().ask((reader) => reader.recording(one, texts ?? [])),
      );
      const { recordings, rejected } = this.#opened(opened, false);
      return { recordings: recordings.length, rejected: rejected.length };
    } catch (error) {
      if (!(error instanceof StoppedListing)) throw error;
      return null;
    } finally {
      this.#offered = [];
    }
  }

  listed(from: number, to: number): Pick<FolderReport, 'recordings' | 'rejected'> {
    const { recordings = [], rejected = [] } = this.#folder ?? {};
    return { recordings: recordings.slice(from, to), rejected: rejected.slice(from, to) };
  }

  async synthesize(seed: number): Promise<FolderReport> {
    const files = [...syntheticCorpus({ ...DEMO_CORPUS, seed })].map(({ path, bytes }) => ({
      path,
      data: new Blob([bytes]),
    }));
    const report = this.#opened(await openRecordings(pairFiles(files)), true);
    this.#syntheticSeed = seed;
    return report;
  }

  async saveSynthetic(): Promise<Blob> {
    const seed = this.#syntheticSeed;
    if (seed === undefined) throw new Error('The recordings that are open are not synthetic.');
    const files = [...syntheticCorpus({ ...DEMO_CORPUS, seed })];
    return new Blob(writeZip(new Map(files.map(({ path, bytes }) => [path, bytes]))), {
      type: 'application/zip',
    });
  }

  async page(recording: number, start: number, seconds: number): Promise<SignalPage> {
    return this.#pages.read(this.#files(recording), start, seconds);
  }

  async annotations(recording: number): Promise<readonly EdfAnnotation[]> {
    return readFiles().ask((reader) => reader.annotations(this.#files(recording)));
  }

  async annotated(recording: number, events: readonly PredictedEvent[]): Promise<Blob> {
    const files = this.#files(recording);
    const annotations = events.map(detectedAnnotation);
    let copy = new Blob([]);
    for await (const piece of withAnnotations(await openEdf(files), sourceOf(files.recording), annotations))
      // The browser keeps blobs on the disk where they are large.
      copy = new Blob([copy, piece]);
    return copy;
  }

  async checkWeights(file: Blob): Promise<void> {
    configOf(await this.#weights(file));
  }

  async detect(
    weights: Blob | string,
    { mixer, stride, interpolation, postprocessing }: DetectionChoices,
    port: MessagePort,
  ): Promise<void> {
    this.#startable();
    let read: DetectorWeights;
    try {
      read = await this.#weights(weights);
    } catch (error) {
      const message = `These weights cannot be read: ${messageOf(error)}`;
      port.postMessage({
        type: 'failed',
        failure: { kind: 'settings', message, advice: 'Choose another file with weights.' },
      } satisfies DetectionEvent);
      return;
    }
    const cache = await preparedCache();
    // Another call may have come first while this one waited.
    const folder = this.#startable();
    const detection = new Detection({
      device: (wait) => this.#device.get(wait),
      weights: read,
      mixer: mixer ?? undefined,
      interpolation,
      folder,
      postprocessing,
      stride: stride * SAMPLE_RATE,
      cache,
      tuning: this.tuning,
      emit: (event) => port.postMessage(event),
    });
    this.#detection = detection;
    void detection.run().finally(() => {
      this.#detection = undefined;
    });
  }

  async #weights(weights: Blob | string): Promise<DetectorWeights> {
    if (typeof weights !== 'string') return readFiles().ask((reader) => reader.weights(weights));
    const { store } = (this.#store ??= startStoreWorker());
    const { best } = await store.run(weights);
    const { state } = await store.load(weights, best.length > 0 ? 'best' : 'last');
    const { parameters, buffers, progress } = state;
    return { parameters, buffers, mixer: mixerIn(progress.config, 'model') };
  }

  #files(recording: number): RecordingFiles {
    const files = this.#folder?.files[recording];
    if (!files) throw new Error(`there is no recording ${recording} in the open folder`);
    return files;
  }

  async start(settings: EegSettings, port: MessagePort, from?: StartFrom): Promise<DamagedCheckpoint | null> {
    const folder = this.#startable();
    const [first] = folder.recordings;
    const data =
      this.#syntheticSeed === undefined
        ? { recordings: folder.recordings.length, first: first?.path ?? '' }
        : { synthetic: this.#syntheticSeed };
    const { store } = (this.#store ??= startStoreWorker());
    const run = new StoredRun(store, data);
    const opened = from && (await openCheckpoint(store, from.run, from.checkpoint));
    if (opened && 'damaged' in opened) return opened;
    const weights = from?.weightsOnly ? opened?.state : undefined;
    const state = from?.weightsOnly ? undefined : opened?.state;
    let chosen = settings;
    let cache: PreparedCache | undefined;
    try {
      if (from && state) await run.reopen(from.run, state);
      if (state) chosen = storedSettings(state.progress.config);
      cache = chosen.cache ? await preparedCache() : undefined;
      // Another call may have come first while this one waited.
      this.#startable();
    } catch (error) {
      run.close();
      throw error;
    }
    const trainer = new EegTrainer({
      device: (wait) => this.#device.get(wait),
      dataset: new Dataset(folder, KEEP_BYTES, cache, chosen.interpolation),
      startWorkers: (count) => startWorkers(count, folder, chosen),
      settings: chosen,
      tuning: this.tuning,
      watched: () => this.#watched,
      checkpoints: run,
      ...(state && { from: state }),
      ...(weights && { weights }),
      emit: (event) => {
        const written = run.observe(event);
        // The end is reported after it is written: whoever receives it may read the runs.
        if (event.type === 'finished' || event.type === 'failed')
          void written.then((unstored) => port.postMessage({ ...event, unstored }));
        else port.postMessage(event);
      },
    });
    this.#trainer = trainer;
    this.#run = run;
    void trainer.run().finally(() => {
      this.#trainer = undefined;
    });
    return null;
  }

  #startable(): OpenedFolder {
    if (this.#detection)
      throw new Error('This has to wait for the end of the detection that is under way, or stop it.');
    if (this.#trainer) throw new Error('A new run has to wait for the end of the run that is under way.');
    if (!this.#folder) throw new Error('There are no recordings yet: open a folder, or take synthetic EEG.');
    return this.#folder;
  }

  async saveState(): Promise<Blob> {
    const state = await this.#run?.latest();
    if (!state) throw new Error('There is no checkpoint yet.');
    return new Blob([writeState(state) as Uint8Array<ArrayBuffer>]);
  }

  async storeEnd(): Promise<void> {
    if (!this.#trainer) await this.#run?.storeEnd();
  }

  watch(part: Watched | null): void {
    this.#watched = part;
  }

  underWay(): string | undefined {
    return this.#trainer && this.#run?.id;
  }

  checkpoint(): void {
    this.#trainer?.checkpoint();
  }

  skip(): void {
    this.#trainer?.skip();
    this.#detection?.skip();
  }

  pause(): void {
    this.#trainer?.pause();
  }

  resume(): void {
    this.#trainer?.resume();
  }

  stop(): void {
    this.#stopped = true;
    this.#trainer?.stop();
    this.#detection?.stop();
  }

  #opened(folder: OpenedFolder, synthetic: boolean): FolderReport {
    if (this.#trainer || this.#detection)
      throw new Error('Other recordings have to wait for the end of the run that is under way.');
    this.#folder = folder;
    this.#watched = null;
    this.#syntheticSeed = undefined;
    return { recordings: folder.recordings, rejected: folder.rejected, synthetic };
  }
}
