/** What the training worker does for the page: one device, one run at a time. */
import { Device } from '../../engine/device';
import { profileDevice, type DeviceProfile } from '../../engine/profile';
import type { TuneMemory } from '../../engine/tune';
import type { RunSettings, TrainingWorker } from './protocol';
import type { DeviceReport } from '../../run/protocol';
import { reportDevice } from '../../run/device_report';
import { Trainer } from './trainer';

export class TrainingService implements TrainingWorker {
  #device: Promise<Device> | undefined;
  #profile: DeviceProfile | undefined;
  #measuring: Promise<void> | undefined;
  #trainer: Trainer | undefined;

  /** `gpu` is undefined where the browser has no WebGPU; `tuning` remembers which kernels are the fastest. */
  constructor(
    private readonly gpu: GPU | undefined,
    private readonly tuning: TuneMemory | Promise<TuneMemory>,
  ) {}

  async device(): Promise<DeviceReport> {
    return reportDevice(await this.#usable(), this.#profile);
  }

  async measure(): Promise<DeviceReport> {
    this.#rejectDuringRun('Measuring');
    const measuring = Promise.resolve(this.#measuring).then(async () => {
      this.#profile = await profileDevice(await this.#usable());
    });
    // A run that is started meanwhile waits for this, and need not know how it ended.
    this.#measuring = measuring.catch(() => undefined);
    await measuring;
    return this.device();
  }

  async start(settings: RunSettings, port: MessagePort): Promise<void> {
    this.#rejectDuringRun('A new run');
    const device = Promise.resolve(this.#measuring).then(() => this.#usable());
    const trainer = new Trainer({
      device,
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

  #rejectDuringRun(what: string): void {
    if (this.#trainer) throw new Error(`${what} has to wait for the end of the run that is under way.`);
  }

  /** The one device, or another when that was lost or has failed: its errors are for those who used it. */
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
