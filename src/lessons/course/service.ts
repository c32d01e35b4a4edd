/** Measures what lessons ask, on the GPU or in float64 where there is none. */
import { messageOf } from '../../base/text';
import { Device } from '../../engine/device';
import { storedChoice, type TuneMemory } from '../../engine/tune';
import { storedLosses } from '../../run/gpu_losses';
import { UsableDevice } from '../../run/usable_device';
import { Lab } from './lab';
import { MEASURES } from './measures';
import type { CourseWorker } from './protocol';
import type { Measured, Settings } from './step';

export class CourseService implements CourseWorker {
  readonly #device: UsableDevice;
  readonly #missing: Promise<string | null>;

  /** `gpu` is undefined where the browser has no WebGPU; `choices` reads which kernels were the fastest in trainings. */
  constructor(
    gpu: GPU | undefined,
    private readonly choices: () => Promise<TuneMemory>,
  ) {
    this.#device = new UsableDevice(() => Device.request(gpu), storedLosses());
    this.#missing = this.#device.get().then(
      () => null,
      (error: unknown) => messageOf(error),
    );
  }

  withoutKernels(): Promise<string | null> {
    return this.#missing;
  }

  async measure(
    lesson: string,
    step: string,
    settings: Settings,
    progress: (share: number) => void,
  ): Promise<Measured> {
    const measure = (await MEASURES[lesson]?.())?.[step];
    if (!measure) throw new RangeError(`there is no step ${step} of a lesson ${lesson}`);
    const device = (await this.#missing) === null ? await this.#device.get() : undefined;
    const choose = device && storedChoice(device, await this.choices());
    return measure(new Lab(device, progress, choose), settings);
  }
}
