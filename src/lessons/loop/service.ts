/** What the training worker does for the page: one device, one run at a time. */
import { Device } from '../../engine/device';
import { profileDevice, type DeviceProfile } from '../../engine/profile';
import type { TuneMemory } from '../../engine/tune';
import type { RunSettings, TrainingWorker } from './protocol';
import type { DeviceReport } from '../../run/protocol';
import { reportDevice } from '../../run/device_report';
import { storedLosses } from '../../run/gpu_losses';
import { UsableDevice } from '../../run/usable_device';
import { Trainer } from './trainer';

export class TrainingService implements TrainingWorker {
  readonly #device: UsableDevice;
  #profile: DeviceProfile | undefined;
  #measuring: Promise<void> | undefined;
  #trainer: Trainer | undefined;

  /** `gpu` is undefined where the browser has no WebGPU; `tuning` remembers which kernels are the fastest. */
  constructor(
    gpu: GPU | undefined,
    private readonly tuning: TuneMemory | Promise<TuneMemory>,
  ) {
    this.#device = new UsableDevice(() => Device.request(gpu), storedLosses());
  }

  async device(): Promise<DeviceReport> {
    return reportDevice(await this.#device.get(), this.#profile);
  }

  async measure(): Promise<DeviceReport> {
    this.#rejectDuringRun('Measuring');
    const measuring = Promise.resolve(this.#measuring).then(async () => {
      this.#profile = await profileDevice(await this.#device.get());
    });
    // A run that is started meanwhile waits for this, and need not know how it ended.
    this.#measuring = measuring.catch(() => undefined);
    await measuring;
    return this.device();
  }

  async start(settings: RunSettings, port: MessagePort): Promise<void> {
    this.#rejectDuringRun('A new run');
    const trainer = new Trainer({
      device: async (wait) => {
        await this.#measuring;
        return this.#device.get(wait);
      },
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

  skip(): void {
    this.#trainer?.skip();
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

  #rejectDuringRun(what: string): void {
    if (this.#trainer) throw new Error(`${what} has to wait for the end of the run that is under way.`);
  }
}
