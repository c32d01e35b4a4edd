import { isGpuId } from '../../../config/gpus';
import type { Reading } from '../../../estimate/from_config';
import type { Plan } from '../../../estimate/scenario';
import type { HostedRow, ScenarioRow } from '../../../estimate/scenario_table';
import type { Measurement } from '../../../estimate/vram/options';
import type { ClaimTable } from '../../../estimate/vram/claims';
import type { Change } from '../../../config/change';
import { isTargetName } from '../../../config/targets';
import { recall, remember } from '../../ui/stored';
import { BrowserState } from './browser.svelte';
import { withChanges } from './fields';
import { HostState } from './host.svelte';
import { Lane } from './lane';
import { predictionsLink } from './link';
import { cardBytes, machineOf, type Machine } from './machine';
import { hostNeed, hostVerdict, planOf, validationNeed, wholeRun, type Pace, type Prices } from './plan';
import { changedFields, changesOf, remaining, unwritten, vramRunOf, type Setup } from './setup';
import type { QuestionName } from './questions';
import { FIRST, placeOf, PRESET_SOURCES, type Source } from './sources';
import { stepPicture, type StepPicture } from './step_picture';
import type { Times, VramAnswer } from './worker';
import type { Written } from './write';

const STORED = 'fit.source';

/** What the page shows of one configuration on one machine. */
export class FitPage {
  sources = $state.raw<readonly Source[]>(PRESET_SOURCES);
  source = $state.raw<Source>(
    PRESET_SOURCES.find(({ id }) => id === (recall(STORED) ?? FIRST)) ?? (PRESET_SOURCES[0] as Source),
  );
  machine = $state.raw<Machine>(machineOf('wsl2'));
  /** The configuration as it is. */
  base = $state.raw<Setup | undefined>();
  changes = $state.raw<Partial<Setup>>({});
  /** Why nothing can be said of the file. */
  problem = $state<string | undefined>();
  pace = $state.raw<Pace>({ from: 'later', typed: 1, smokeSeconds: 600, smokeWindows: 1000 });
  prices = $state.raw<Prices>({ card: 'modal-2026-07-01', perKwh: 0.2, watts: null });
  reading = $state.raw<Reading>({});
  /** The review's “$140 max”. */
  budget = $state(140);
  /** Hours within which the run should be over: a week. */
  deadline = $state(168);
  measurement = $state.raw<Measurement | undefined>();

  vram = $state.raw<VramAnswer | undefined>();
  vramBefore = $state.raw<VramAnswer | undefined>();
  vramProblem = $state<string | undefined>();
  times = $state.raw<Times | undefined>();
  timesBefore = $state.raw<Times | undefined>();
  picture = $state.raw<StepPicture | undefined>();
  claims = $state.raw<readonly ClaimTable[] | undefined>();
  /** The host’s memory is simulated after the rest. */
  scenarios = $state.raw<readonly (ScenarioRow | HostedRow)[]>([]);
  /** Answers to the inverse questions; they are of the setup that they were asked for. */
  answers = $state.raw<Partial<Record<QuestionName, string>>>({});
  asking = $state<QuestionName | undefined>();
  written = $state('');
  /** The worker broke: what happened, in a sentence. */
  failure = $state<string | undefined>();

  readonly now = $derived(this.base && withChanges(this.base, this.changes));
  readonly changed = $derived(this.base && this.now ? changedFields(this.base, this.now) : []);
  readonly toWrite = $derived(this.base && this.now ? changesOf(this.base, this.now) : []);
  readonly unwritten = $derived(this.base && this.now ? unwritten(this.base, this.now) : []);
  readonly plan = $derived(this.now && this.#planOf(this.now));
  readonly planBefore = $derived(this.base && this.#planOf(this.base));

  readonly costs = $derived(this.times?.costs ?? []);
  readonly hours = $derived(wholeRun(this.costs, 'hours'));
  readonly dollars = $derived(wholeRun(this.costs, 'dollars'));
  readonly hoursBefore = $derived(wholeRun(this.timesBefore?.costs ?? [], 'hours'));
  readonly dollarsBefore = $derived(wholeRun(this.timesBefore?.costs ?? [], 'dollars'));

  readonly browser = new BrowserState();
  readonly host = new HostState((error) => this.#fail(error));
  readonly validation = $derived(
    this.host.progress?.whole?.validation ?? (this.now && validationNeed(this.now, this.machine)),
  );
  readonly hostNeed = $derived(this.validation && hostNeed(this.host.progress?.peak, this.validation));
  readonly hostVerdict = $derived(
    this.hostNeed &&
      hostVerdict(
        { killed: this.host.progress?.odds.killed, need: this.hostNeed },
        this.machine,
        this.host.progress?.whole,
      ),
  );

  /** What `vramBefore` and `timesBefore` are of. */
  #before: { readonly plan?: Plan; readonly measurement?: Measurement | undefined } = {};
  readonly #link = predictionsLink('predictions');
  /** What takes longer than a slider may. */
  readonly #others = predictionsLink('comparisons');
  /** Whether a person chose a configuration here, now or before. */
  #chosen = recall(STORED) !== null;
  readonly #reading = new Lane();
  readonly #quick = new Lane();
  readonly #slow = new Lane();

  constructor() {
    this.#look(this.source.id);
  }

  /** The files that are open on the page that checks them; of those the one that is shown there is looked at first. */
  show(open: readonly Source[], active: string | undefined): void {
    this.sources = [...open, ...PRESET_SOURCES];
    const known = this.sources.find(({ id }) => id === this.source.id);
    const wanted = this.#chosen && known ? known : (this.sources.find(({ id }) => id === active) ?? known);
    if (!wanted) return this.#look(FIRST);
    const { text, path, place, id } = this.source;
    const same = wanted.text === text && wanted.path === path && wanted.place === place;
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
    this.machine = machineOf(source.place);
    this.changes = {};
    this.#read();
  }

  #planOf(setup: Setup): Plan {
    return planOf(setup, this.machine, this.pace, this.prices, this.reading);
  }

  setMachine(change: Partial<Machine>): void {
    this.machine = { ...this.machine, ...change };
    this.#ask();
  }

  setGpu(name: string): void {
    if (isGpuId(name)) this.setMachine({ gpu: name });
  }

  setPlace(name: string): void {
    if (!isTargetName(name)) return;
    this.machine = machineOf(placeOf(name));
    // The mixer follows the place.
    this.changes = {};
    this.#read();
  }

  set<K extends keyof Setup>(field: K, value: Setup[K]): void {
    if (!this.base) return;
    const changes: Partial<Setup> = { ...this.changes, [field]: value };
    if (this.base[field] === value) delete changes[field];
    this.changes = changes;
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

  /** A short run of the trainer's with the settings and on the card that are shown. */
  setSmoke(change: Partial<Pick<Pace, 'smokeSeconds' | 'smokeWindows'>>): void {
    if (this.now) this.setPace({ ...change, smokeOf: { run: vramRunOf(this.now), gpu: this.machine.gpu } });
  }

  setPrices(change: Partial<Prices>): void {
    this.prices = { ...this.prices, ...change };
    this.#ask();
  }

  setReading(change: Partial<Reading>): void {
    this.reading = { ...this.reading, ...change };
    this.#ask();
  }

  readAsAssumed(): void {
    this.reading = {};
    this.#ask();
  }

  /** Bytes as torch.cuda tells them of a run with the settings that are shown. */
  calibrate(allocated: number | undefined, reserved: number | undefined): void {
    if (!this.now) return;
    const given = (bytes: number | undefined): number | undefined => ((bytes ?? 0) > 0 ? bytes : undefined);
    this.measurement = { run: vramRunOf(this.now), allocated: given(allocated), reserved: given(reserved) };
    this.#ask();
  }

  forgetMeasurement(): void {
    this.measurement = undefined;
    this.#ask();
  }

  /** Writes the changed keys with what makes changes in files. */
  async write(make: (source: Source, changes: readonly Change[]) => Promise<Written>): Promise<void> {
    await this.#try(async () => {
      const { said, id } = await make(this.source, this.toWrite);
      if (id !== undefined && id !== this.source.id) this.choose(id);
      this.written = said;
    });
  }

  async askInverse(name: QuestionName): Promise<void> {
    const { plan, deadline } = this;
    if (!plan || this.asking) return;
    this.asking = name;
    await this.#try(async () => {
      const answer = await this.#others.call((worker) => worker.inverse({ name, deadline }, plan));
      // Meanwhile something may have been changed.
      if (this.plan === plan) this.answers = { ...this.answers, [name]: answer.value ?? answer.problem };
    });
    this.asking = undefined;
  }

  /** `edited`: the same file with another text, in which something of what was changed here may stand by now. */
  #read(edited = false): void {
    const { text, path } = this.source;
    const { place } = this.machine;
    if (!edited) this.measurement = undefined;
    if (!edited) this.host.clear();
    this.#reading.ask(() =>
      this.#try(async () => {
        const answer = await this.#link.call((worker) => worker.setup(text, path, place));
        this.problem = answer.problem;
        this.base = answer.value;
        if (answer.value) this.changes = remaining(answer.value, this.changes);
        this.#ask();
      }),
    );
  }

  /** Asks for all predictions anew; what is shown stays until the answers are there. */
  #ask(): void {
    const { now, base, plan, planBefore, measurement } = this;
    if (!now || !base || !plan || !planBefore) return;
    this.answers = {};
    this.written = '';
    const bytes = cardBytes(this.machine);
    const asInFile = this.changed.length === 0;
    this.#quick.ask(() =>
      this.#try(async () => {
        const vram = await this.#link.call((worker) => worker.vram(vramRunOf(now), bytes, measurement));
        this.vramProblem = vram.problem;
        if (vram.value) this.vram = vram.value;
        const times = await this.#link.call((worker) => worker.times(plan));
        if (times.value) this.times = times.value;
        const timeline = await this.#link.call((worker) => worker.timeline(vramRunOf(now)));
        if (timeline.value) this.picture = stepPicture(timeline.value);
        // The file as it is does not change with the sliders.
        if (this.#before.plan === planBefore && this.#before.measurement === measurement) return;
        const [vramBefore, timesBefore] = await Promise.all([
          this.#link.call((worker) => worker.vram(vramRunOf(base), bytes, measurement)),
          this.#link.call((worker) => worker.times(planBefore)),
        ]);
        this.vramBefore = vramBefore.value;
        this.timesBefore = timesBefore.value;
        this.#before = { plan: planBefore, measurement };
      }),
    );
    this.#slow.ask(() =>
      this.#try(async () => {
        const scenarios = await this.#others.call((worker) => worker.scenarios(plan));
        this.scenarios = scenarios.value ?? [];
        const claims = await this.#others.call((worker) => worker.claims(vramRunOf(now)));
        this.claims = claims.value;
        for (const [at, row] of this.scenarios.entries()) {
          // Something was changed meanwhile.
          if (this.plan !== plan) return;
          const hosted = await this.#others.call((worker) => worker.hosted(row));
          if (hosted.value) this.scenarios = this.scenarios.with(at, hosted.value);
        }
      }),
    );
    this.host.ask(plan, asInFile);
  }

  async #try(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    this.failure = `The predictions could not be computed: ${message}. No configuration was changed. Reload the page to try again.`;
  }
}
