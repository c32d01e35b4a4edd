import type { Device } from '../engine/device';

/** The one device of a worker or a process: another is opened when that was lost or has failed, as its errors are for those who used it. */
export class UsableDevice {
  #device: Promise<Device> | undefined;

  constructor(private readonly open: () => Promise<Device>) {}

  /** Who asks later has what others compiled on it. Rejects like `open`; the next call then tries again. */
  get(): Promise<Device> {
    const { open } = this;
    this.#device =
      this.#device?.then((device) => {
        if (!device.failure) return device;
        device.destroy();
        return open();
      }, open) ?? open();
    return this.#device;
  }
}
