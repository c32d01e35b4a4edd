import { Device } from '../engine/device';

/** The one device of a worker: another is asked for when that was lost or has failed, as its errors are for those who used it. */
export class UsableDevice {
  #device: Promise<Device> | undefined;

  /** `gpu` is undefined where the browser has no WebGPU. */
  constructor(private readonly gpu: GPU | undefined) {}

  /** Rejects with an EngineError where there is none. */
  get(): Promise<Device> {
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
