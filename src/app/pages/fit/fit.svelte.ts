import { messageOf } from '../../../base/text';
import type { Remote } from 'comlink';
import type { Quantity } from '../../../base/quantity';
import type { Change } from '../../../config/change';
import type { Crash } from '../../../config/incidents';
import { MACHINES, type Machine, type Platform } from '../../../config/targets';
import type { Reading } from '../../../estimate/from_config';
import { RAM_RUNS } from '../../../estimate/ram_predict';
import type { Plan } from '../../../estimate/scenario';
import type { Measurement } from '../../../estimate/vram/options';
import type { ClaimTable } from '../../../estimate/vram/claims';
import type { MeasuredRow } from '../../../estimate/measured';
import type { Evidence } from '../../../estimate/mechanism_fit';
import { ownCrash, type OwnCrash } from '../../../estimate/own_crash';
import { answer, type Answer } from '../../ui/answer';
import { Latest } from '../../ui/latest.svelte';
import type { Link } from '../../ui/link';
import { download } from '../../ui/download';
import { recall, remember } from '../../ui/stored';
import { limitAnswers, linkTo, machineRows, steps, type LimitAnswers, type Row } from './asking';
import { BrowserState } from './browser.svelte';
import { limits } from './limits.svelte';
import { planOf, type Pace, type Prices } from './plan';
import type { CrashSearch, RamAnswer, RamRuns, Limits, Prediction } from './prediction';
import {
  change,
  changedFields,
  keyChanges,
  keylessChanges,
  remaining,
  settingsOf,
  type Changes,
  type ConfigFile,
  type Field,
  type Value,
} from './settings';
import { HostLogs } from './host_logs.svelte';
import { SnapshotState } from './snapshot.svelte';
import { FIRST, PRESET_SOURCES, type Source, type Written } from './sources';
import type { PredictionFormat, Predictions } from './worker';

const STORED = 'fit.source';
/** Seeds among which the kill of an incident is looked for. */
const CRASH_SEEDS = 60;
/** Simulated runs of each mechanism that is laid beside a log. */
const FIT_RUNS = 30;

/** What takes long, and is looked at by few. */
type OnSight = 'pictures' | 'claims' | 'machines' | 'limits';

/** A configuration, a machine and what is changed of them; everything else are the worker's answers about these. */
export class FitPage {
  sources = $state.raw<readonly Source[]>(PRESET_SOURCES);
  source = $state.raw<Source>(
    PRESET_SOURCES.find(({ id }) => id === (recall(STORED) ?? FIRST)) ?? (PRESET_SOURCES[0] as Source),
  );
  machine = $state.raw<Machine>(MACHINES.wsl2);
  changes = $state.raw<Changes>({});
  pace = $state.raw<Pace>({ from: 'later', typed: 1, smokeSeconds: 600, smokeWindows: 1000 });
  prices = $state.raw<Prices>({ card: 'modal-2026-07-01', perKwh: null, watts: null });
  reading = $state.raw<Reading>({});
  measurement = $state.raw<Measurement | undefined>();
  written = $state('');
  /** The worker broke: what happened, in a sentence. */
  failure = $state<string | undefined>();

  readonly file = new Latest<ConfigFile>();
  readonly prediction = new Latest<Prediction>();
  /** Of the file without the changes. */
  readonly #before = new Latest<Prediction>();
  readonly ram = new Latest<RamAnswer>();
  readonly pictures = new Latest<RamRuns>();
  readonly claims = new Latest<readonly ClaimTable[]>();
  readonly scenarios = new Latest<readonly Row[]>();
  /** To questions about the setup that is shown. */
  readonly answers = new Latest<LimitAnswers>();
  readonly crash = new Latest<CrashSearch>();
  readonly browser = new BrowserState();
  readonly snapshot = new SnapshotState();
  readonly logs = new HostLogs();
  /** Real runs beside what is predicted of them now. */
  readonly measured = new Latest<readonly MeasuredRow[]>();

  readonly settings = $derived(this.file.value && settingsOf(this.file.value, this.changes));
  readonly changed = $derived(this.file.value ? changedFields(this.file.value, this.changes) : []);
  readonly toWrite = $derived(keyChanges(this.changes));
  readonly keyless = $derived(this.file.value ? keylessChanges(this.file.value, this.changes) : []);
  readonly before = $derived(this.changed.length > 0 ? this.#before.value : undefined);
  /** Peak of the system RAM without the changes, bytes. */
  ramBefore = $state.raw<Quantity | undefined>();

  readonly #plan = $derived(this.settings && this.#planOf(this.settings));
  readonly #planBefore = $derived(this.file.value && this.#planOf(settingsOf(this.file.value)));
  /** What was in sight: nobody waits for the rest. */
  #seen: readonly OnSight[] = [];
  /** A snapshot that came before the settings were there. */
  #waiting: File | undefined;
  /** What `#before` is of. */
  #compared: readonly unknown[] = [];
  /** Whether a person chose a configuration here, now or before. */
  #chosen = recall(STORED) !== null;

  // Simulations take longer than a slider may wait, so they have workers of their own.
  readonly #predictions = linkTo('predictions');
  readonly #comparisons = linkTo('comparisons');
  readonly #simulations = linkTo('system RAM');
  readonly #drawings = linkTo('pictures of system RAM');

  constructor() {
    this.#look(this.source.id);
  }

  /** The files that are open on the page that checks them; of those the one that is shown there is looked at first. */
  show(open: readonly Source[], active: string | undefined): void {
    this.sources = [...open, ...PRESET_SOURCES];
    const known = this.sources.find(({ id }) => id === this.source.id);
    const wanted = this.#chosen && known ? known : (this.sources.find(({ id }) => id === active) ?? known);
    if (!wanted) return this.#look(FIRST);
    const { text, path, machine, id } = this.source;
    const moved = JSON.stringify(wanted.machine) !== JSON.stringify(machine);
    if (moved) return this.#look(wanted.id);
    const same = wanted.text === text && wanted.path === path;
    const edited = wanted.id === id;
    if (!same && !edited) return this.#look(wanted.id);
    this.source = wanted;
    if (!same) this.#read(true);
  }

  choose(id: string): void {
    remember(STORED, id);
    this.#chosen = true;
    this.#look(id);
  }

  #look(id: string): void {
    const source = this.sources.find((one) => one.id === id);
    if (!source) return;
    this.source = source;
    this.#runOn(source.machine);
  }

  /** The platform's usual machine, or the file's own where it is of that platform. */
  setPlatform(name: Platform): void {
    this.#runOn(name === this.source.machine.name ? this.source.machine : MACHINES[name]);
  }

  /** Without changes: the mixer depends on the platform. */
  #runOn(machine: Machine): void {
    this.machine = machine;
    this.changes = {};
    this.#read();
  }

  setMachine(change: Partial<Machine>): void {
    this.machine = { ...this.machine, ...change };
    this.#ask();
  }

  set(field: Field, value: Value): void {
    if (!this.file.value) return;
    this.changes = change(this.file.value, this.changes, field, value);
    this.#ask();
  }

  reset(): void {
    this.changes = {};
    this.#ask();
  }

  setPace(change: Partial<Pace>): void {
    this.pace = { ...this.pace, ...change };
    this.#ask();
  }

  /** A short run of the trainer with the settings and on the GPU that are shown. */
  setSmoke(change: Partial<Pick<Pace, 'smokeSeconds' | 'smokeWindows'>>): void {
    if (this.settings)
      this.setPace({ ...change, smokeOf: { run: this.settings.vram, gpu: this.machine.gpu.id } });
  }

  setPrices(change: Partial<Prices>): void {
    this.prices = { ...this.prices, ...change };
    this.#ask();
  }

  setLimits(change: Partial<Limits>): void {
    limits.set(change);
    if (this.#plan && this.#seen.includes('limits')) this.#findLimits(this.#plan);
    this.#predict();
  }

  setReading(change: Partial<Reading>): void {
    this.reading = { ...this.reading, ...change };
    this.#ask();
  }

  resetReading(): void {
    this.reading = {};
    this.#ask();
  }

  /** Bytes that torch.cuda reports for a run with the settings that are shown; undefined forgets them. */
  calibrate(measured?: {
    readonly allocated: number | undefined;
    readonly reserved: number | undefined;
  }): void {
    this.measurement = measured && this.settings && { run: this.settings.vram, ...measured };
    this.#predict();
  }

  /** By what a memory snapshot shows of the run that it was compared with. */
  calibrateWith(measurement: Measurement): void {
    this.measurement = measurement;
    this.#predict();
  }

  /** As a file for measured/, whose README says what else it needs. */
  saveMeasurement({ run, allocated, reserved }: Measurement): void {
    const file = { kind: 'gpu-memory', title: '', source: '', run, allocated, reserved };
    download('measured.json', new Blob([`${JSON.stringify(file, null, 2)}\n`], { type: 'application/json' }));
  }

  /** A memory snapshot of a run with the settings that are shown, beside the prediction. */
  openSnapshot(file: File): void {
    if (this.settings) this.snapshot.open(file, this.settings.vram);
    else this.#waiting = file;
  }

  /** The predicted run as a file: `pickle` for PyTorch's memory viewer, `json` for Perfetto. */
  async savePrediction(format: PredictionFormat): Promise<void> {
    const run = this.settings?.vram;
    if (!run) return;
    const file = await this.#call(this.#comparisons, (worker) => worker.file(run, format));
    if (file && 'value' in file) download(`predicted_memory.${format}`, new Blob([file.value]));
  }

  /** Writes the changed keys with what makes changes in files. */
  async write(make: (source: Source, changes: readonly Change[]) => Promise<Written>): Promise<void> {
    try {
      const { said, id } = await make(this.source, this.toWrite);
      if (id !== undefined && id !== this.source.id) this.choose(id);
      this.written = said;
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Answers all questions about limits, one after the other. */
  #findLimits(plan: Plan): void {
    this.answers.clear();
    const { hours } = limits.value;
    this.answers.ask((show) =>
      limitAnswers(show, (name) =>
        this.#call(this.#comparisons, (worker) => worker.inverse(name, plan, hours)),
      ),
    );
  }

  /** What a crash of the run that is shown begins with. */
  get crashSettings(): OwnCrash | undefined {
    if (!this.settings) return undefined;
    const { batch, workers } = this.settings.loader;
    const { name: place, ramGiB } = this.machine;
    return { place, ramGiB, batch, workers, afterBatches: 100 };
  }

  /** A crash that a person describes, of a run of the configuration that is chosen; a sentence where it cannot be such a run. */
  crashOf(own: OwnCrash, like: Crash): Answer<Crash> {
    return answer(() =>
      ownCrash(own, this.source.text, this.prediction.value?.gpu?.likely ?? like.replay.hoursPerEpoch, like),
    );
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

  showMeasured(): void {
    if (this.measured.value || this.measured.busy) return;
    this.measured.ask(() => this.#call(this.#comparisons, (worker) => worker.measured()));
  }

  /** How well each mechanism of a crash explains what is known of its end. */
  fitMechanisms(crash: Crash, evidence: Evidence): void {
    this.logs.fitted.clear();
    this.logs.fitted.ask((show) =>
      steps(FIT_RUNS, show, (runs) =>
        this.#call(this.#drawings, (worker) => worker.fit(crash, evidence, runs, FIT_RUNS)),
      ),
    );
  }

  #planOf(settings: ReturnType<typeof settingsOf>): Plan {
    return planOf(settings, this.machine, this.pace, this.prices, this.reading);
  }

  /** `edited`: the same file with another text, in which some of the changes may be written by now. */
  #read(edited = false): void {
    const { text, path } = this.source;
    const { name } = this.machine;
    if (!edited) {
      // Nothing of the last file may be shown beside this one.
      this.measurement = this.ramBefore = undefined;
      this.ram.clear();
      this.pictures.clear();
    }
    this.file.ask(async (show) => {
      const file = await this.#call(this.#predictions, (worker) => worker.read(text, path, name));
      if (!file || 'problem' in file) return file;
      show(file.value);
      this.changes = remaining(file.value, this.changes);
      this.#ask();
      return undefined;
    });
  }

  /** Asks for all predictions anew; what is shown stays until the answers are there. */
  #ask(): void {
    const plan = this.#plan;
    if (!plan) return;
    this.written = '';
    this.#predict();
    this.#simulate(plan, this.changed.length === 0);
    if (this.#waiting) this.snapshot.open(this.#waiting, plan.settings.vram);
    else this.snapshot.compare(plan.settings.vram);
    this.#waiting = undefined;
    for (const name of this.#seen) this.#asked[name](plan);
  }

  /** It is in sight, so it is computed, now and after each change. */
  see(name: OnSight): void {
    if (!this.#seen.includes(name)) this.#seen = [...this.#seen, name];
    if (this.#plan) this.#asked[name](this.#plan);
  }

  readonly #asked: Readonly<Record<OnSight, (plan: Plan) => void>> = {
    pictures: (plan) =>
      this.pictures.ask(() => this.#call(this.#drawings, (worker) => worker.pictures(plan, 1))),
    claims: (plan) =>
      this.claims.ask(() => this.#call(this.#comparisons, (worker) => worker.claims(plan.settings.vram))),
    machines: (plan) => this.#compareMachines(plan),
    limits: (plan) => this.#findLimits(plan),
  };

  #compareMachines(plan: Plan): void {
    this.scenarios.ask(async (show) => {
      const rows = await this.#call(this.#comparisons, (worker) => worker.scenarios(plan));
      return machineRows(show, rows, (row) =>
        this.#call(this.#comparisons, (worker) => worker.simulated(row)),
      );
    });
  }

  #predict(): void {
    const { measurement } = this;
    const [plan, planBefore] = [this.#plan, this.#planBefore];
    if (!plan || !planBefore) return;
    const predict = (of: Plan): Promise<Answer<Prediction> | undefined> =>
      this.#call(this.#predictions, (worker) => worker.predict(of, limits.value, measurement));
    this.prediction.ask(() => predict(plan));
    const compared = [planBefore, measurement];
    // The file without the changes does not move with the sliders.
    if (this.changed.length === 0 || compared.every((one, i) => one === this.#compared[i])) return;
    this.#compared = compared;
    this.#before.ask(() => predict(planBefore));
  }

  #simulate(plan: Plan, unchanged: boolean): void {
    this.ram.ask(async (show) => {
      const answer = await steps(RAM_RUNS, show, (runs) =>
        this.#call(this.#simulations, (worker) => worker.ram(plan, runs)),
      );
      if (answer && 'value' in answer && unchanged) this.ramBefore = answer.value.peak;
      return answer;
    });
  }

  async #call<T>(
    link: Link<Predictions>,
    question: (worker: Remote<Predictions>) => Promise<Answer<T>>,
  ): Promise<Answer<T> | undefined> {
    try {
      return await link.call(question);
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  #fail(error: unknown): void {
    const message = messageOf(error);
    this.failure = `The predictions could not be computed: ${message}. No configuration was changed. Reload the page to try again.`;
  }
}
