import { transfer } from 'comlink';
import type { HostPrediction } from '../../../estimate/host_predict';
import type { Plan } from '../../../estimate/scenario';
import { Lane } from './lane';
import { predictionsLink } from './link';
import type { Incident } from '../../../config/incidents';
import type { IncidentReplay } from '../../../estimate/incident';
import type { HostRuns, Progress } from './worker';

/** Seeds among which an incident's kill is looked for. */
const CRASH_SEEDS = 60;

/** The simulations of the host's memory: in workers of their own, because a run takes a tenth of a second and more. */
export class HostState {
  /** Of the setup that is looked at, as far as it is simulated. */
  progress = $state.raw<Progress | undefined>();
  /** Of the file as it is. */
  before = $state.raw<HostPrediction | undefined>();
  runs = $state.raw<HostRuns | undefined>();
  /** Whether the pictures show another setup than the one that was asked for last. */
  stale = $state(true);
  problem = $state<string | undefined>();
  crashProgress = $state.raw<Progress | undefined>();
  crash = $state.raw<IncidentReplay | undefined>();
  crashing = $state(false);

  readonly #odds = predictionsLink('host odds');
  readonly #pictures = predictionsLink('host pictures');
  readonly #lane = new Lane();
  #port: MessagePort | undefined;

  constructor(private readonly failed: (error: unknown) => void) {}

  /** Asks for everything about a plan. `asInFile`: others are compared with it. */
  ask(plan: Plan, asInFile: boolean): void {
    this.stale = true;
    void this.#simulate(plan, asInFile);
    this.#lane.ask(() => this.#draw(plan));
  }

  /** Another file: nothing of the last one may be shown beside it. */
  clear(): void {
    this.progress = this.before = this.runs = undefined;
  }

  async #simulate(plan: Plan, asInFile: boolean): Promise<void> {
    this.#port?.close();
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.onmessage = ({ data }: MessageEvent<Progress>) => {
      this.progress = data;
      if (asInFile && data.whole) this.before = data.whole;
    };
    try {
      const answer = await this.#odds.call((worker) => worker.odds(plan, transfer(port2, [port2])));
      this.problem = answer.problem;
    } catch (error) {
      this.failed(error);
    }
  }

  async #draw(plan: Plan): Promise<void> {
    try {
      const { value } = await this.#pictures.call((worker) => worker.pictures(plan, 1));
      if (value) this.runs = value;
      this.stale = false;
    } catch (error) {
      this.failed(error);
    }
  }

  /** Looks for an incident's kill among seeds; the result is a replay. */
  async replayCrash(incident: Incident): Promise<void> {
    if (this.crashing) return;
    this.crashing = true;
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }: MessageEvent<Progress>) => (this.crashProgress = data);
    try {
      const replay = await this.#pictures.call((worker) =>
        worker.incident(incident, CRASH_SEEDS, transfer(port2, [port2])),
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
