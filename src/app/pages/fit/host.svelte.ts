import { transfer } from 'comlink';
import type { HostRamOptions, HostRun } from '../../../estimate/host_ram';
import { Lane } from './lane';
import { predictionsLink } from './link';
import type { CrashReplay, Progress } from './worker';

/** Runs that are simulated for the odds: their interval is then at most ±13 %. */
const RUNS = 60;
/** Seeds among which the review's crash is looked for. */
const CRASH_SEEDS = 60;

/** The simulations of the host's memory: in workers of their own, because a run takes a tenth of a second and more. */
export class HostState {
  /** Of the setup that is looked at; the odds so far. */
  progress = $state.raw<Progress | undefined>();
  training = $state.raw<HostRun | undefined>();
  validation = $state.raw<HostRun | undefined>();
  /** Whether the picture shows another setup than the one that was asked for last. */
  stale = $state(true);
  crashProgress = $state.raw<Progress | undefined>();
  crash = $state.raw<CrashReplay | undefined>();
  crashing = $state(false);

  readonly #odds = predictionsLink('host odds');
  readonly #pictures = predictionsLink('host pictures');
  readonly #lane = new Lane();

  constructor(private readonly failed: (error: unknown) => void) {}

  /** Asks for everything about one epoch, and about a validation of so many windows after it. */
  ask(options: HostRamOptions, windows: number): void {
    this.stale = true;
    void this.#simulate(options);
    this.#lane.ask(() => this.#draw(options, windows));
  }

  async #simulate(options: HostRamOptions): Promise<void> {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }: MessageEvent<Progress>) => (this.progress = data);
    try {
      await this.#odds.call((worker) => worker.odds(options, RUNS, transfer(port2, [port2])));
    } catch (error) {
      this.failed(error);
    } finally {
      port1.close();
    }
  }

  async #draw(options: HostRamOptions, windows: number): Promise<void> {
    try {
      const training = await this.#pictures.call((worker) => worker.trained(options, 1));
      if (training.value) this.training = training.value;
      const validation = await this.#pictures.call((worker) => worker.validated(options, 1, windows));
      if (validation.value) this.validation = validation.value;
      this.stale = false;
    } catch (error) {
      this.failed(error);
    }
  }

  /** Looks for the review's crash among seeds; the result is a replay. */
  async replayCrash(): Promise<void> {
    if (this.crashing) return;
    this.crashing = true;
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }: MessageEvent<Progress>) => (this.crashProgress = data);
    try {
      const replay = await this.#pictures.call((worker) =>
        worker.crash(CRASH_SEEDS, transfer(port2, [port2])),
      );
      this.crash = replay ?? undefined;
    } catch (error) {
      this.failed(error);
    } finally {
      port1.close();
      this.crashing = false;
    }
  }
}
