/** What the EEG worker does for the page: one folder of recordings, one device, one run at a time. */
import { writeState } from '../checkpoints/state_file';
import { startStoreWorker, type StoreWorker } from '../checkpoints/store_worker';
import { writeZip } from '../checkpoints/zip';
import { Dataset, KEEP_BYTES, openRecordings, type OpenedFolder } from '../eeg/windows/dataset';
import { PageReader, type SignalPage } from '../eeg/files/page';
import { pairFiles } from '../eeg/files/recording';
import { DEMO_CORPUS, syntheticCorpus } from '../eeg/synthetic/corpus';
import { Device } from '../engine/device';
import type { TuneMemory } from '../engine/tune';
import type { DeviceReport } from '../run/protocol';
import { reportDevice } from '../run/device_report';
import { startWorkers } from './pool';
import { preparedCache } from './prepared_cache';
import type { DamagedCheckpoint, EegWorker, FolderReport, StartFrom } from './protocol';
import { storedSettings, type EegSettings } from './settings';
import { openCheckpoint, StoredRun } from './stored_run';
import { EegTrainer } from './trainer';

export class EegService implements EegWorker {
  #device: Promise<Device> | undefined;
  #folder: OpenedFolder | undefined;
  #trainer: EegTrainer | undefined;
  #syntheticSeed: number | undefined;
  readonly #pages = new PageReader();
  #store: StoreWorker | undefined;
  #run: StoredRun | undefined;

  /** `gpu` is undefined where the browser has no WebGPU; `tuning` remembers which kernels are the fastest. */
  constructor(
    private readonly gpu: GPU | undefined,
    private readonly tuning: TuneMemory | Promise<TuneMemory>,
  ) {}

  async device(): Promise<DeviceReport> {
    return reportDevice(await this.#usable(), undefined);
  }

  async open(files: readonly { path: string; data: Blob }[], limit?: number): Promise<FolderReport> {
    return this.#opened(await openRecordings(pairFiles(files), limit), false);
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
    const files = this.#folder?.files[recording];
    if (!files) throw new Error(`there is no recording ${recording} in the open folder`);
    return this.#pages.read(files, start, seconds);
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
    if (from && state) await run.reopen(from.run, state);
    const chosen = state ? storedSettings(state.progress.config) : settings;
    const cache = chosen.cache ? await preparedCache() : undefined;
    // Another call may have come first while this one waited.
    this.#startable();
    const trainer = new EegTrainer({
      device: () => this.#usable(),
      dataset: new Dataset(folder, KEEP_BYTES, cache, chosen.interpolation),
      startWorkers: (count) => startWorkers(count, folder, chosen),
      settings: chosen,
      tuning: this.tuning,
      checkpoints: run,
      ...(state && { from: state }),
      ...(weights && { weights }),
      emit: (event) => {
        const written = run.observe(event);
        // The end is reported after it is written: whoever receives it may read the runs.
        if (event.type === 'finished' || event.type === 'failed')
          void written.then(() => port.postMessage(event));
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
    if (this.#trainer) throw new Error('A new run has to wait for the end of the run that is under way.');
    if (!this.#folder) throw new Error('There are no recordings yet: open a folder, or take synthetic EEG.');
    return this.#folder;
  }

  async saveState(): Promise<Blob> {
    const state = await this.#run?.latest();
    if (!state) throw new Error('There is no checkpoint yet.');
    return new Blob([writeState(state) as Uint8Array<ArrayBuffer>]);
  }

  underWay(): string | undefined {
    return this.#trainer && this.#run?.id;
  }

  checkpoint(): void {
    this.#trainer?.checkpoint();
  }

  pause(): void {
    this.#trainer?.pause();
  }

  resume(): void {
    this.#trainer?.resume();
  }

  stop(): void {
    this.#trainer?.stop();
  }

  #opened(folder: OpenedFolder, synthetic: boolean): FolderReport {
    if (this.#trainer)
      throw new Error('Other recordings have to wait for the end of the run that is under way.');
    this.#folder = folder;
    this.#syntheticSeed = undefined;
    return { recordings: folder.recordings, rejected: folder.rejected, synthetic };
  }

  /** The one device, or another when that was lost or has failed. */
  #usable(): Promise<Device> {
    const request = (): Promise<Device> => Device.request(this.gpu);
    this.#device =
      this.#device?.then((device) => {
        if (!device.failure) return device;
        device.destroy();
        return request();
      }, request) ?? request();
    return this.#device;
  }
}
