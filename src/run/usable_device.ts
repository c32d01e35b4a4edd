import { EngineError, type Device } from '../engine/device';
import type { LossMemory } from './gpu_losses';
import type { Preparation } from './protocol';

/**
 * Seconds after a loss in which Chromium may hold the GPU back, also from a page that is loaded anew: it gives a page none for two
 * minutes after it was lost the second time within two minutes, and no page one where GPUs are lost more often.
 */
const HELD_BACK = 130;
/**
 * How often so long is waited: the second time because another page may have lost it again. Where there is none after that, none comes
 * before the browser is started anew: Chromium does without a GPU after its process has failed three times.
 */
const WAITS = 2;
/** After a loss the browser needs a moment until it has a GPU again: how often, and at what distance in milliseconds, it is asked. */
const MOMENTS = 20;
const MOMENT = 500;
/** Seconds after a loss in which it explains that there is no GPU: for as long as a browser may be open. */
const EXPLAINS = 24 * 3600;

/** The browser gives no GPU since one was lost. */
export class GpuHeldBackError extends EngineError {
  override name = 'GpuHeldBackError';

  /** `since`: seconds since the loss. */
  constructor(since: number) {
    const ago = since < 90 ? `${Math.max(1, Math.round(since))} s` : `${Math.round(since / 60)} minutes`;
    super(
      'held-back',
      'this browser',
      `it gives no GPU since one was lost ${ago} ago, ${
        since < HELD_BACK
          ? 'as browsers do for about two minutes after a second loss'
          : 'as Chromium does after three losses until it is started anew: close all its windows and open it again'
      }`,
    );
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

  /**
   * `losses`: where it is remembered when a GPU was lost last, by whichever page of this origin. `holdsBack`: whether GPUs are held
   * back after a loss, as browsers do.
   */
  constructor(
    private readonly open: () => Promise<Device>,
    private readonly losses: LossMemory,
    private readonly holdsBack = true,
  ) {}

  /**
   * Who asks later has what others compiled on it. Where the browser holds the GPU back after a loss, it is waited for as `wait`
   * says; without it, or where that was in vain, GpuHeldBackError is thrown. Rejects like `open` otherwise; the next call then tries again.
   */
  async get(wait?: WaitForGpu): Promise<Device> {
    /** Seconds in which it is still waited for. */
    let left: number | undefined;
    for (let tried = 0; ; tried++) {
      try {
        return await this.#current();
      } catch (error) {
        if (!(error instanceof EngineError) || error.kind !== 'unsupported') throw error;
        const since = (Date.now() - (await this.losses.last())) / 1000;
        if (!(since < EXPLAINS)) throw error;
        if (!wait && this.holdsBack) throw new GpuHeldBackError(since);
        if (tried < MOMENTS) {
          await sleep(MOMENT);
          continue;
        }
        if (!wait || !this.holdsBack) throw error;
        // The clock may have been set since the loss.
        left ??= Math.ceil(Math.min(Math.max(0, WAITS * HELD_BACK - since), WAITS * HELD_BACK));
        if (left === 0) throw new GpuHeldBackError(since);
        left = await countDown(wait, left);
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

/** Waits until the next time to ask, or until it is skipped; the seconds that are left of `left` then. */
async function countDown({ waiting, skipped }: WaitForGpu, left: number): Promise<number> {
  const wait = WAITS - Math.ceil(left / HELD_BACK) + 1;
  do {
    waiting({
      label: `the GPU was lost, and the browser gives none for a while; trying again (${wait} of at most ${WAITS} times)`,
      done: 0,
      total: 0,
      secondsLeft: left % HELD_BACK || HELD_BACK,
      skip: 'Try now',
      held: true,
    });
    await sleep(1000);
    left--;
  } while (left % HELD_BACK !== 0 && !skipped());
  return left;
}
