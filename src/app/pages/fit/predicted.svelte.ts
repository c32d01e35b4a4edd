import type { Remote } from 'comlink';
import { messageOf } from '../../../base/text';
import type { Quantity } from '../../../base/quantity';
import type { Crash } from '../../../config/incidents';
import type { Platform } from '../../../config/targets';
import type { MeasuredRow } from '../../../estimate/measured';
import type { Evidence } from '../../../estimate/mechanism_fit';
import { RAM_RUNS } from '../../../estimate/ram_predict';
import type { Plan } from '../../../estimate/scenario';
import type { ClaimTable } from '../../../estimate/vram/claims';
import type { Measurement, VramRun } from '../../../estimate/vram/options';
import type { Answer } from '../../ui/answer';
import { download } from '../../ui/download';
import { Latest } from '../../ui/latest.svelte';
import type { Link } from '../../ui/link';
import { limitAnswers, linkTo, machineRows, steps, type LimitAnswers, type Row } from './asking';
import type { Fitted } from './host_logs.svelte';
import { limits } from './limits.svelte';
import type { CrashSearch, Prediction, RamAnswer, RamRuns } from './prediction';
import type { ConfigFile } from './settings';
import type { Source } from './sources';
import type { PredictionFormat, Predictions } from './worker';

/** Seeds among which the kill of an incident is looked for. */
const CRASH_SEEDS = 60;
/** Simulated runs of each mechanism that is laid beside a log. */
const FIT_RUNS = 30;

/** What takes long, and is looked at by few. */
export type OnSight = 'pictures' | 'claims' | 'machines' | 'limits';

/** What the page's workers answer about a plan, each answer as new as there is one. */
export class Predicted {
  readonly run = new Latest<Prediction>();
  /** Of the file without the changes. */
  readonly unchanged = new Latest<Prediction>();
  readonly ram = new Latest<RamAnswer>();
  /** Peak of the system RAM without the changes, bytes. */
  unchangedRam = $state.raw<Quantity | undefined>();
  readonly pictures = new Latest<RamRuns>();
  readonly claims = new Latest<readonly ClaimTable[]>();
  readonly scenarios = new Latest<readonly Row[]>();
  readonly limits = new Latest<LimitAnswers>();
  readonly crash = new Latest<CrashSearch>();
  /** Real runs beside what is predicted of them now. */
  readonly measured = new Latest<readonly MeasuredRow[]>();
  /** The worker broke: what happened, in a sentence. */
  failure = $state<string | undefined>();

  /** What was in sight: nobody waits for the rest. */
  #seen: readonly OnSight[] = [];
  /** What `unchanged` is of. */
  #compared: readonly unknown[] = [];

  // Simulations take longer than a slider may wait, so they have workers of their own.
  readonly #predictions = linkTo('predictions');
  readonly #comparisons = linkTo('comparisons');
  readonly #simulations = linkTo('system RAM');
  readonly #drawings = linkTo('pictures of system RAM');

  /** A configuration, as the worker reads it for a platform. */
  read({ text, path }: Source, platform: Platform): Promise<Answer<ConfigFile> | undefined> {
    return this.#call(this.#predictions, (worker) => worker.read(text, path, platform));
  }

  /** Another file is looked at: nothing of the last one may be shown beside it. */
  forget(): void {
    this.unchangedRam = undefined;
    this.ram.clear();
    this.pictures.clear();
  }

  /** Asks for all anew; what is shown stays until the answers are there. `unchanged`: the file's own plan; undefined where it is this one. */
  ask(plan: Plan, unchanged: Plan | undefined, measurement: Measurement | undefined): void {
    this.predict(plan, unchanged, measurement);
    this.#simulate(plan, unchanged === undefined);
    for (const name of this.#seen) this.#asked[name](plan);
  }

  /** GPU memory, time and cost. */
  predict(plan: Plan, unchanged: Plan | undefined, measurement: Measurement | undefined): void {
    const predict = (of: Plan): Promise<Answer<Prediction> | undefined> =>
      this.#call(this.#predictions, (worker) => worker.predict(of, limits.value, measurement));
    this.run.ask(() => predict(plan));
    const compared = [unchanged, measurement];
    // The file without the changes does not move with the sliders.
    if (!unchanged || compared.every((one, i) => one === this.#compared[i])) return;
    this.#compared = compared;
    this.unchanged.ask(() => predict(unchanged));
  }

  /** It is in sight, so it is computed, now and after each change. */
  see(name: OnSight, plan: Plan | undefined): void {
    if (!this.#seen.includes(name)) this.#seen = [...this.#seen, name];
    if (plan) this.#asked[name](plan);
  }

  /** The limits are others. */
  findLimits(plan: Plan): void {
    if (this.#seen.includes('limits')) this.#asked.limits(plan);
  }

  readonly #asked: Readonly<Record<OnSight, (plan: Plan) => void>> = {
    pictures: (plan) =>
      this.pictures.ask(() => this.#call(this.#drawings, (worker) => worker.pictures(plan, 1))),
    claims: (plan) =>
      this.claims.ask(() => this.#call(this.#comparisons, (worker) => worker.claims(plan.settings.vram))),
    machines: (plan) =>
      this.scenarios.ask(async (show) => {
        const rows = await this.#call(this.#comparisons, (worker) => worker.scenarios(plan));
        return machineRows(show, rows, (row) =>
          this.#call(this.#comparisons, (worker) => worker.simulated(row)),
        );
      }),
    limits: (plan) => {
      this.limits.clear();
      const { hours } = limits.value;
      this.limits.ask((show) =>
        limitAnswers(show, (name) =>
          this.#call(this.#comparisons, (worker) => worker.inverse(name, plan, hours)),
        ),
      );
    },
  };

  #simulate(plan: Plan, unchanged: boolean): void {
    this.ram.ask(async (show) => {
      const answer = await steps(RAM_RUNS, show, (runs) =>
        this.#call(this.#simulations, (worker) => worker.ram(plan, runs)),
      );
      if (answer && 'value' in answer && unchanged) this.unchangedRam = answer.value.peak;
      return answer;
    });
  }

  /** Looks for the kill of a crash among seeds; the result is a replay. */
  replayCrash(incident: Crash): void {
    if (this.crash.busy) return;
    this.crash.ask((show) =>
      steps(CRASH_SEEDS, show, (runs) =>
        this.#call(this.#drawings, (worker) => worker.crash(incident, runs, CRASH_SEEDS)),
      ),
    );
  }

  /** How well each mechanism of a crash explains what is known of its end. */
  fitMechanisms(fitted: Latest<Fitted>, crash: Crash, evidence: Evidence): void {
    fitted.clear();
    fitted.ask((show) =>
      steps(FIT_RUNS, show, (runs) =>
        this.#call(this.#drawings, (worker) => worker.fit(crash, evidence, runs, FIT_RUNS)),
      ),
    );
  }

  showMeasured(): void {
    if (this.measured.value || this.measured.busy) return;
    this.measured.ask(() => this.#call(this.#comparisons, (worker) => worker.measured()));
  }

  /** The predicted run as a file: `pickle` for PyTorch's memory viewer, `json` for Perfetto. */
  async save(run: VramRun, format: PredictionFormat): Promise<void> {
    const file = await this.#call(this.#comparisons, (worker) => worker.file(run, format));
    if (file && 'value' in file) download(`predicted_memory.${format}`, new Blob([file.value]));
  }

  async #call<T>(
    link: Link<Predictions>,
    question: (worker: Remote<Predictions>) => Promise<Answer<T>>,
  ): Promise<Answer<T> | undefined> {
    try {
      return await link.call(question);
    } catch (error) {
      this.fail(error);
      return undefined;
    }
  }

  fail(error: unknown): void {
    const message = messageOf(error);
    this.failure = `The predictions could not be computed: ${message}. No configuration was changed. Reload the page to try again.`;
  }
}
