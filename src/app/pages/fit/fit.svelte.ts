import type { Change } from '../../../config/change';
import type { Crash } from '../../../config/incidents';
import { EXAMPLE } from '../../../config/presets';
import { MACHINES, type Machine, type Platform } from '../../../config/targets';
import type { Reading } from '../../../estimate/from_config';
import type { Plan } from '../../../estimate/scenario';
import type { Measurement } from '../../../estimate/vram/options';
import { ownCrash, type OwnCrash } from '../../../estimate/own_crash';
import { answer, type Answer } from '../../ui/answer';
import { Latest } from '../../ui/latest.svelte';
import { download } from '../../ui/download';
import { recall, remember } from '../../ui/stored';
import { BrowserState } from './browser.svelte';
import { limits } from './limits.svelte';
import { planOf, type Pace, type Prices } from './plan';
import type { Limits } from './prediction';
import { Predicted, type OnSight } from './predicted.svelte';
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
import { PRESET_SOURCES, type Source, type Written } from './sources';
import type { PredictionFormat } from './worker';

const STORED = 'fit.source';
/** A configuration, a machine and what is changed of them; `predicted` is what its workers answer about these. */
export class FitPage {
  sources = $state.raw<readonly Source[]>(PRESET_SOURCES);
  source = $state.raw<Source>(
    PRESET_SOURCES.find(({ id }) => id === (recall(STORED) ?? EXAMPLE.name)) ?? (PRESET_SOURCES[0] as Source),
  );
  machine = $state.raw<Machine>(MACHINES.wsl2);
  changes = $state.raw<Changes>({});
  pace = $state.raw<Pace>({ from: 'later', typed: 1, smokeSeconds: 600, smokeWindows: 1000 });
  prices = $state.raw<Prices>({ card: 'modal-2026-07-01', perKwh: null, watts: null });
  reading = $state.raw<Reading>({});
  measurement = $state.raw<Measurement | undefined>();
  written = $state('');
  readonly file = new Latest<ConfigFile>();
  readonly predicted = new Predicted();
  readonly browser = new BrowserState();
  readonly snapshot = new SnapshotState();
  readonly logs = new HostLogs();

  readonly settings = $derived(this.file.value && settingsOf(this.file.value, this.changes));
  readonly changed = $derived(this.file.value ? changedFields(this.file.value, this.changes) : []);
  readonly toWrite = $derived(keyChanges(this.changes));
  readonly keyless = $derived(this.file.value ? keylessChanges(this.file.value, this.changes) : []);
  readonly before = $derived(this.changed.length > 0 ? this.predicted.unchanged.value : undefined);

  readonly #plan = $derived(this.settings && this.#planOf(this.settings));
  readonly #planBefore = $derived(this.file.value && this.#planOf(settingsOf(this.file.value)));
  /** A snapshot that came before the settings were there. */
  #waiting: File | undefined;
  /** Whether a person chose a configuration here, now or before. */
  #chosen = recall(STORED) !== null;

  constructor() {
    this.#look(this.source.id);
  }

  /** The files that are open on the page that checks them; of those the one that is shown there is looked at first. */
  show(open: readonly Source[], active: string | undefined): void {
    this.sources = [...open, ...PRESET_SOURCES];
    const known = this.sources.find(({ id }) => id === this.source.id);
    const wanted = this.#chosen && known ? known : (this.sources.find(({ id }) => id === active) ?? known);
    if (!wanted) return this.#look(EXAMPLE.name);
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
    if (this.#plan) this.predicted.findLimits(this.#plan);
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
    if (this.settings) await this.predicted.save(this.settings.vram, format);
  }

  /** Writes the changed keys with what makes changes in files. */
  async write(make: (source: Source, changes: readonly Change[]) => Promise<Written>): Promise<void> {
    try {
      const { said, id } = await make(this.source, this.toWrite);
      if (id !== undefined && id !== this.source.id) this.choose(id);
      this.written = said;
    } catch (error) {
      this.predicted.fail(error);
    }
  }

  /** What a crash of the run that is shown starts with. */
  get crashSettings(): OwnCrash | undefined {
    if (!this.settings) return undefined;
    const { batch, workers } = this.settings.loader;
    const { name: place, ramGiB } = this.machine;
    return { place, ramGiB, batch, workers, afterBatches: 100 };
  }

  /** A crash that a person describes, of a run of the configuration that is chosen; a sentence where it cannot be such a run. */
  crashOf(own: OwnCrash, like: Crash): Answer<Crash> {
    return answer(() =>
      ownCrash(
        own,
        this.source.text,
        this.predicted.run.value?.gpu?.likely ?? like.replay.hoursPerEpoch,
        like,
      ),
    );
  }

  #planOf(settings: ReturnType<typeof settingsOf>): Plan {
    return planOf(settings, this.machine, this.pace, this.prices, this.reading);
  }

  /** `edited`: the same file with another text, in which some of the changes may be written by now. */
  #read(edited = false): void {
    if (!edited) {
      this.measurement = undefined;
      this.predicted.forget();
    }
    const { source, machine } = this;
    this.file.ask(async (show) => {
      const file = await this.predicted.read(source, machine.name);
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
    this.predicted.ask(plan, this.#unchanged, this.measurement);
    if (this.#waiting) this.snapshot.open(this.#waiting, plan.settings.vram);
    else this.snapshot.compare(plan.settings.vram);
    this.#waiting = undefined;
  }

  /** It is in sight, so it is computed, now and after each change. */
  see(name: OnSight): void {
    this.predicted.see(name, this.#plan);
  }

  /** The file's own plan, where this one is another. */
  get #unchanged(): Plan | undefined {
    return this.changed.length > 0 ? this.#planBefore : undefined;
  }

  #predict(): void {
    if (this.#plan) this.predicted.predict(this.#plan, this.#unchanged, this.measurement);
  }
}
