/** When the loop looks at the model: previews a few times per second, evaluations every so many steps. */
import { handled } from '../../base/handled';
import type { Previewer } from './preview';
import type { RunEvent } from './protocol';

/** Between two previews, in milliseconds. */
const PREVIEW_INTERVAL = 300;

/** Evaluations go by steps, not by time, so that a run ends at the same step however fast it is. */
const EVALUATION_STEPS = 20;
/** So many in a row must be good. */
const EVALUATIONS = 3;

/** Sends previews, one at a time, without holding up the loop. */
export class PreviewPace {
  #latest: Promise<void> = Promise.resolve();
  #busy = false;
  #started = -Infinity;

  constructor(
    private readonly previewer: Previewer,
    private readonly emit: (event: RunEvent) => void,
    private readonly now: () => number,
  ) {}

  /** Starts a preview if the last is done and long enough ago. Throws what the last one threw. */
  async offer(step: number): Promise<void> {
    if (this.#busy || this.now() - this.#started < PREVIEW_INTERVAL) return;
    await this.#latest;
    this.#start(step);
  }

  /** Sends a preview and waits until it is sent. */
  async show(step: number): Promise<void> {
    await this.#latest;
    this.#start(step);
    await this.#latest;
  }

  /** Waits until none is under way; does not throw. */
  async settled(): Promise<void> {
    await Promise.allSettled([this.#latest]);
  }

  #start(step: number): void {
    this.#busy = true;
    this.#started = this.now();
    this.#latest = handled(this.#send(step));
  }

  async #send(step: number): Promise<void> {
    try {
      this.emit({ type: 'preview', preview: await this.previewer.preview(step) });
    } finally {
      this.#busy = false;
    }
  }
}

/** Notices that the held-out sequences are answered well, when `threshold` says what that is. */
export class SolvedRule {
  #streak: number;

  /** `streak`: how many in a row were good before a run was resumed. */
  constructor(
    private readonly previewer: Previewer,
    private readonly threshold: number | undefined,
    streak = 0,
  ) {
    this.#streak = streak;
  }

  get streak(): number {
    return this.#streak;
  }

  get solved(): boolean {
    return this.#streak >= EVALUATIONS;
  }

  /** Evaluates the model after `step` if it is time. */
  async look(step: number): Promise<void> {
    if (this.threshold === undefined || step % EVALUATION_STEPS !== 0) return;
    const accuracy = await this.previewer.accuracy();
    this.#streak = accuracy >= this.threshold ? this.#streak + 1 : 0;
  }
}
