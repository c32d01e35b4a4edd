import { isGpuId, type GpuId } from '../../../estimate/hardware';
import type { Quantity } from '../../../estimate/quantity';
import type { Measurement } from '../../../estimate/vram/options';
import type { Fit } from '../../../estimate/vram/predict';
import { PRESETS } from '../../../production/presets';
import { isTargetName, type TargetName } from '../../../production/targets';
import { download } from '../detector/download';
import { recall, remember } from '../../state/stored';
import { alternatives, epochHours, rateOf, stopCosts, wholeRun, type Pace, type Prices } from './costs';
import { withChanges } from './fields';
import { HostState } from './host.svelte';
import {
  AS_READ,
  hostNeed,
  hostOptionsOf,
  validationNeed,
  validationWindows,
  type Reading,
} from './host_question';
import { Lane } from './lane';
import { predictionsLink } from './link';
import { cardBytes, machineOf, ramBytes, type Machine } from './machine';
import { changedFields, changesOf, unwritten, vramRunOf, type Place, type Setup } from './setup';
import { stepPicture, type StepPicture } from './step_picture';
import { verdictOf, verdictOfOdds, worst } from './verdict';
import { REVIEW_VRAM } from './vram_view';
import type { VramAnswer } from './worker';

/** A configuration that can be looked at. */
export interface Source {
  readonly id: string;
  readonly label: string;
  readonly text: string;
  readonly target: TargetName;
  readonly group: 'open' | 'preset';
}

const FIRST = 'configs/review/tusz_train.yaml';
const STORED = 'fit.source';

const presets: readonly Source[] = PRESETS.map(({ name, title, text, target }) => ({
  id: name,
  label: `${title} (${name})`,
  text,
  target,
  group: 'preset',
}));

const placeOf = (target: TargetName): Place => (target === 'browser' ? 'local' : target);

/** What the page shows of one configuration on one machine. */
export class FitPage {
  sources = $state.raw<readonly Source[]>(presets);
  source = $state.raw<Source>(
    presets.find(({ id }) => id === (recall(STORED) ?? FIRST)) ?? (presets[0] as Source),
  );
  machine = $state.raw<Machine>(machineOf('wsl2'));
  /** The configuration as it is. */
  base = $state.raw<Setup | undefined>();
  changes = $state.raw<Partial<Setup>>({});
  /** Why nothing can be said of the file. */
  problem = $state<string | undefined>();
  pace = $state.raw<Pace>({ from: 'later', typed: 1, smokeSeconds: 600, smokeWindows: 1000 });
  prices = $state.raw<Prices>({ card: 'modal-2026-07-01', perKwh: 0.2, watts: null });
  reading = $state.raw<Reading>(AS_READ);
  /** The review's “$140 max”. */
  budget = $state(140);
  /** Hours within which the run should be over: a week. */
  deadline = $state(168);
  measurement = $state.raw<Measurement | undefined>();

  vram = $state.raw<VramAnswer | undefined>();
  vramBefore = $state.raw<VramAnswer | undefined>();
  vramProblem = $state<string | undefined>();
  /** Of the review's batches, this model's. */
  reviewed = $state.raw<readonly Quantity[]>([]);
  /** Of the machines that are compared. */
  fits = $state.raw<Partial<Record<GpuId, Fit>>>({});
  picture = $state.raw<StepPicture | undefined>();
  /** The worker broke: what happened, in a sentence. */
  written = $state('');
  failure = $state<string | undefined>();

  readonly now = $derived(this.base && withChanges(this.base, this.changes));
  readonly changed = $derived(this.base && this.now ? changedFields(this.base, this.now) : []);
  readonly toWrite = $derived(this.base && this.now ? changesOf(this.base, this.now) : []);
  readonly unwritten = $derived(this.base && this.now ? unwritten(this.base, this.now) : []);
  readonly epoch = $derived(this.now && epochHours(this.now, this.machine.gpu, this.pace, true));
  readonly costs = $derived(this.now ? stopCosts(this.now, this.machine, this.pace, this.prices) : []);
  readonly costsBefore = $derived(
    this.base ? stopCosts(this.base, this.machine, this.pace, this.prices) : [],
  );
  readonly hours = $derived(wholeRun(this.costs, 'hours'));
  readonly dollars = $derived(wholeRun(this.costs, 'dollars'));
  readonly hoursBefore = $derived(wholeRun(this.costsBefore, 'hours'));
  readonly dollarsBefore = $derived(wholeRun(this.costsBefore, 'dollars'));
  readonly rate = $derived(rateOf(this.machine, this.prices));
  readonly alternatives = $derived(
    this.now ? alternatives(this.now, this.machine, this.pace, this.prices) : [],
  );
  readonly validation = $derived(this.now && validationNeed(this.now, this.machine));

  readonly hostNeed = $derived.by(
    () => this.validation && hostNeed(this.host.progress?.peak, this.validation),
  );

  readonly host = new HostState((error) => this.#fail(error));
  readonly #link = predictionsLink('predictions');
  readonly #reading = new Lane();
  readonly #vram = new Lane();
  readonly #timeline = new Lane();

  /** Of training and of validation, and of both. */
  readonly hostVerdicts = $derived.by(() => {
    const odds = this.host.progress?.odds.killed;
    const training = odds && verdictOfOdds(odds);
    const validation = this.validation && verdictOf(this.validation, ramBytes(this.machine));
    return { training, validation, both: worst([training, validation].filter((one) => one !== undefined)) };
  });

  constructor() {
    this.choose(this.source.id);
  }

  choose(id: string): void {
    const source = this.sources.find((one) => one.id === id);
    if (!source) return;
    remember(STORED, id);
    this.source = source;
    this.machine = machineOf(placeOf(source.target));
    this.changes = {};
    this.#read();
  }

  setMachine(change: Partial<Machine>): void {
    this.machine = change.place ? machineOf(change.place) : { ...this.machine, ...change };
    // The mixer follows the place.
    if (change.place) this.#read();
    else this.#ask();
  }

  setGpu(name: string): void {
    if (isGpuId(name)) this.setMachine({ gpu: name });
  }

  setPlace(name: string): void {
    if (isTargetName(name) && name !== 'browser') this.setMachine({ place: name });
  }

  setRam(gib: number): void {
    if (gib >= 1) this.setMachine({ ramGiB: gib });
  }

  setCores(cores: number): void {
    if (cores >= 1) this.setMachine({ cores: Math.round(cores) });
  }

  set<K extends keyof Setup>(field: K, value: Setup[K]): void {
    if (!this.base) return;
    const changes: Partial<Setup> = { ...this.changes, [field]: value };
    if (JSON.stringify(this.base[field]) === JSON.stringify(value)) delete changes[field];
    this.changes = changes;
    this.#ask();
  }

  /** Saves the file with the changed keys; the configuration itself stays as it is. */
  async write(): Promise<void> {
    const { source, toWrite } = this;
    await this.#try(async () => {
      const answer = await this.#link.call((worker) => worker.changed(source.text, toWrite));
      if (answer.value === undefined) {
        this.written = `Nothing was written: ${answer.problem ?? ''}.`;
        return;
      }
      const name = source.id.split('/').at(-1) ?? source.id;
      download(name, new Blob([answer.value], { type: 'application/yaml' }));
      this.written = `${name} was saved with ${toWrite.length} changed keys.`;
    });
  }

  reset(): void {
    this.changes = {};
    this.#ask();
  }

  setPace(change: Partial<Pace>): void {
    this.pace = { ...this.pace, ...change };
    this.#ask();
  }

  setReading(change: Partial<Reading>): void {
    this.reading = { ...this.reading, ...change };
    this.#askHost();
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

  #read(): void {
    const { text } = this.source;
    const { place } = this.machine;
    this.#reading.ask(() =>
      this.#try(async () => {
        const answer = await this.#link.call((worker) => worker.setup(text, place));
        this.problem = answer.problem;
        this.base = answer.value;
        this.#ask();
      }),
    );
  }

  /** Asks for all predictions anew; what is shown stays until the answers are there. */
  #ask(): void {
    const { now, base, measurement } = this;
    if (!now || !base) return;
    const bytes = cardBytes(this.machine);
    this.#vram.ask(() =>
      this.#try(async () => {
        const answer = await this.#link.call((worker) => worker.vram(vramRunOf(now), bytes, measurement));
        this.vramProblem = answer.problem;
        if (answer.value) this.vram = answer.value;
        const batches = REVIEW_VRAM.map(({ batch }) => batch);
        const reviewed = await this.#link.call((worker) =>
          worker.batches(vramRunOf(now), batches, measurement),
        );
        if (reviewed.value) this.reviewed = reviewed.value;
        const gpus = this.alternatives.map(({ machine }) => machine.gpu);
        const cards = await this.#link.call((worker) => worker.cards(vramRunOf(now), gpus, measurement));
        if (cards.value) this.fits = cards.value;
        const before = await this.#link.call((worker) => worker.vram(vramRunOf(base), bytes, measurement));
        this.vramBefore = before.value;
      }),
    );
    this.#timeline.ask(() =>
      this.#try(async () => {
        const answer = await this.#link.call((worker) => worker.timeline(vramRunOf(now)));
        this.picture = answer.value && stepPicture(answer.value);
      }),
    );
    this.#askHost();
  }

  #askHost(): void {
    const { now, epoch } = this;
    if (!now || !epoch) return;
    this.host.ask(hostOptionsOf(now, this.machine, epoch, this.reading), validationWindows(now));
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
