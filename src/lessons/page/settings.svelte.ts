import type { RunSettings } from '../loop/protocol';
import { catalogue, defaults, dynamics, findPreset, findTask } from '../loop/catalogue';
import { recall, remember } from '../../app/ui/stored';

export const MAX_SEED = 2 ** 32 - 1;

/** What the next run is made of, as chosen in the form; remembered between visits. */
export class LessonSettings {
  task = $state(defaults.task);
  preset = $state(defaults.preset);
  dynamics = $state(defaults.dynamics);
  /** A whole number from 0 to MAX_SEED. */
  seed = $state(defaults.seed);

  readonly taskEntry = $derived(findTask({ task: this.task }));
  readonly presetEntry = $derived(findPreset({ task: this.task, preset: this.preset }));

  constructor() {
    const [task, preset, motion] = recall('settings')?.split(' ') ?? [];
    const known = catalogue.find(({ id }) => id === task);
    const entry = dynamics.find(({ name }) => name === motion);
    if (!known?.presets.some(({ name }) => name === preset) || !entry) return;
    this.task = known.id;
    this.preset = preset ?? defaults.preset;
    this.dynamics = entry.name;
  }

  /** What a run started now would be. */
  readonly current: RunSettings = $derived({
    task: this.task,
    preset: this.preset,
    dynamics: this.dynamics,
    seed: Math.trunc(this.seed),
  });

  /** The current settings, written back to the form and remembered. */
  take(): RunSettings {
    const taken = this.current;
    this.seed = taken.seed;
    remember('settings', [taken.task, taken.preset, taken.dynamics].join(' '));
    return taken;
  }

  nextSeed(): void {
    this.seed = this.seed >= MAX_SEED ? 0 : this.seed + 1;
  }
}
