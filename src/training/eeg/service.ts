/** What the EEG worker does for the page: one folder of recordings, one device, one run at a time. */
import { writeZip } from '../../checkpoints/zip';
import { Dataset, KEEP_BYTES, openRecordings, type OpenedFolder } from '../../data/dataset';
import { PageReader, type SignalPage } from '../../data/page';
import { pairFiles } from '../../data/recording';
import { DEMO_CORPUS, syntheticCorpus } from '../../data/synthetic/corpus';
import { Device } from '../../engine/device';
import type { TuneMemory } from '../../engine/tune';
import type { DeviceReport } from '../protocol';
import { reportDevice } from '../report';
import { startWorkers } from './pool';
import { preparedCache } from './prepared_cache';
import type { EegWorker, FolderReport } from './protocol';
import type { EegSettings } from './settings';
import { EegTrainer } from './trainer';

export class EegService implements EegWorker {
  #device: Promise<Device> | undefined;
  #folder: OpenedFolder | undefined;
  #trainer: EegTrainer | undefined;
  #syntheticSeed: number | undefined;
  readonly #pages = new PageReader();

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

  async start(settings: EegSettings, port: MessagePort): Promise<void> {
    if (this.#trainer) throw new Error('A new run has to wait for the end of the run that is under way.');
    const folder = this.#folder;
    if (!folder) throw new Error('There are no recordings yet: open a folder, or take synthetic EEG.');
    const trainer = new EegTrainer({
      device: this.#usable(),
      dataset: new Dataset(folder, KEEP_BYTES, settings.cache ? await preparedCache() : undefined),
      startWorkers: (count) => startWorkers(count, folder, settings.cache),
      settings,
      tuning: this.tuning,
      emit: (event) => port.postMessage(event),
    });
    this.#trainer = trainer;
    void trainer.run().finally(() => {
      this.#trainer = undefined;
      port.close();
    });
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
    return { recordings: folder.recordings, refused: folder.refused, synthetic };
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
