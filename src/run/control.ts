import type { Device } from '../engine/device';

/** Pause, resume and stop of a run: asked for at any time, obeyed by its loop between two steps. */
export class RunControl {
  #paused = false;
  #stopped = false;
  #skipped = false;
  #wake: () => void = () => undefined;

  get paused(): boolean {
    return this.#paused;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** Whether to do without what the run can do without. */
  get skipped(): boolean {
    return this.#skipped;
  }

  /** Whether the wait for a GPU is skipped; the next one is not. */
  takeSkip(): boolean {
    const skipped = this.#skipped;
    this.#skipped = false;
    return skipped;
  }

  /** Ends a preparation that can be skipped. */
  skip(): void {
    this.#skipped = true;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#wake();
  }

  stop(): void {
    this.#stopped = true;
    this.#wake();
  }

  /** Waits until the run is not paused or is stopped. Throws EngineError where `device` is lost meanwhile. */
  async resumed(device: Device): Promise<void> {
    while (this.#paused && !this.#stopped) {
      const woken = new Promise<void>((resolve) => (this.#wake = resolve));
      await device.guard(woken, 'the pause');
    }
  }
}
