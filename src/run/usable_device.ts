import { EngineError, type Device } from '../engine/device';
import type { LossMemory } from './gpu_losses';
import type { Preparation } from './protocol';

/**
 * Seconds. Chromium gives a page no GPU for two minutes after it was lost the second time within two minutes, and no page one
 * where GPUs are lost more often; also after a reload.
 */
const HELD_BACK = 130;
/** How often such a wait is repeated before it is given up. */
const WAITS = 3;
/** After a loss the browser needs a moment until it has a GPU again: how often, and at what distance in milliseconds, it is asked. */
const MOMENTS = 20;
const MOMENT = 500;
/** Seconds after a loss in which it explains that there is no GPU. */
const EXPLAINS = 10 * 60;

/** The browser gives no GPU since one was lost. */
export class GpuHeldBackError extends EngineError {
  override name = 'GpuHeldBackError';

  constructor(detail: string) {
    super('unsupported', 'this browser', detail);
  }
}

/** Who waits for a GPU. */
export interface WaitForGpu {
  /** Called each second; may throw, which ends the wait. */
  readonly waiting: (preparation: Preparation) => void;
  /** Whether to ask for the GPU at once. */
  readonly skipped: () => boolean;
}

/** The one device of a worker or a process: another is opened when that was lost or has failed, as its errors are for those who used it. */
export class UsableDevice {
  #device: Promise<Device> | undefined;

  /** `losses`: where it is remembered when a GPU was lost last, by whichever page of this origin. */
  constructor(
    private readonly open: () => Promise<Device>,
    private readonly losses: LossMemory,
  ) {}

  /**
   * Who asks later has what others compiled on it. Where the browser holds the GPU back after a loss, it is waited for as `wait`
   * says, without it GpuHeldBackError is thrown. Rejects like `open` otherwise; the next call then tries again.
   */
  async get(wait?: WaitForGpu): Promise<Device> {
    for (let tried = 0; ; tried++) {
      try {
        return await this.#current();
      } catch (error) {
        if (!(error instanceof EngineError) || error.kind !== 'unsupported') throw error;
        const since = (Date.now() - (await this.losses.last())) / 1000;
        if (!(since < EXPLAINS)) throw error;
        if (!wait || tried >= MOMENTS + WAITS)
          throw new GpuHeldBackError(
            `it gives no GPU since one was lost ${Math.max(1, Math.round(since / 60))} minutes ago, as browsers do for about two minutes; try again then, or start the browser anew`,
          );
        if (tried < MOMENTS) await sleep(MOMENT);
        else await countDown(wait, tried - MOMENTS + 1);
      }
    }
  }

  #current(): Promise<Device> {
    const open = async (): Promise<Device> => {
      const device = await this.open();
      device.onLost = () => this.losses.add(Date.now());
      return device;
    };
    this.#device =
      this.#device?.then((device) => {
        if (!device.failure) return device;
        device.destroy();
        return open();
      }, open) ?? open();
    return this.#device;
  }
}

const sleep = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

async function countDown({ waiting, skipped }: WaitForGpu, wait: number): Promise<void> {
  for (let left = HELD_BACK; left > 0 && !skipped(); left--) {
    waiting({
      label: `the GPU was lost, and the browser gives none for a while; trying again (${wait} of at most ${WAITS} times)`,
      done: 0,
      total: 0,
      secondsLeft: left,
      skip: 'Try now',
      held: true,
    });
    await sleep(1000);
  }
}
