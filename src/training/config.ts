/** A run of this engine from the trainer's configuration, and back: by the settings that have a key there. */
import type { Json } from '../checkpoints/state';
import { KEY_AT } from '../config/keys';
import { allowed, readAs } from '../config/pydantic';
import type { PyValue } from '../config/plain';
import type { Settings } from '../config/settings';
import type { Capabilities } from '../engine/plan';
import { SettingsError } from '../run/failure';
import { allowedOf, isAllowed, shownValue } from './fields';
import { FIELDS, PRODUCTION_RUN, settingsFrom, valueOf, type EegSettings } from './settings';

export interface TrainerConfig {
  readonly settings: EegSettings;
  /** data.data_dir */
  readonly dataDir: string | undefined;
}

/** The one value of some keys that can be trained: the others validate in the trainer, and crash there once the data is loaded. */
const ONLY: readonly (readonly [path: string, value: string])[] = [
  ['training.optimizer', 'adamw'],
  ['training.scheduler.type', 'cosine'],
];

/** Throws SettingsError for what the trainer's schema takes, but neither the trainer nor this engine can train with. */
export function fromTrainer(config: Settings): TrainerConfig {
  const wrong = (path: string, expected: string): never => {
    throw new SettingsError(`${path} is ${shownValue(config.value(path))}; here it must be ${expected}`);
  };
  for (const [path, value] of ONLY) if (config.value(path) !== value) wrong(path, value);
  const settings = settingsFrom((name, field) => {
    const key = field.key === undefined ? undefined : KEY_AT.get(field.key);
    if (!key) return valueOf(PRODUCTION_RUN, name);
    const read = readAs(key.kind, config.value(key.path) as PyValue, key.nullable);
    if (!('value' in read)) return wrong(key.path, allowed(key.kind));
    const value = field.fromKey ? field.fromKey(read.value) : read.value;
    return isAllowed(field, value) ? value : wrong(key.path, allowedOf(field));
  });
  const dataDir = config.value('data.data_dir');
  return {
    dataDir: typeof dataDir === 'string' ? dataDir : undefined,
    // The trainer splits by file, and ignores persistent workers where there are none.
    settings: {
      ...settings,
      split: 'file',
      persistentWorkers: settings.persistentWorkers && settings.workers > 0,
    },
  };
}

/** The trainer's configuration of the same run, as far as this engine knows it: what a checkpoint for the trainer contains. */
export function toTrainer(settings: EegSettings): Json {
  const config: Record<string, unknown> = {};
  const write = (path: string, value: unknown): void => {
    const parts = path.split('.');
    const last = parts.pop() as string;
    const at = parts.reduce((tree, part) => (tree[part] ??= {}) as Record<string, unknown>, config);
    at[last] = value;
  };
  for (const [path, value] of ONLY) write(path, value);
  for (const [name, field] of FIELDS) {
    const value = valueOf(settings, name);
    if (field.key !== undefined) write(field.key, field.toKey ? field.toKey(value) : value);
  }
  return config as Json;
}

/** The settings as this device can train them, and a message where that is not the mixed precision that they ask for. */
export function fitted(
  settings: EegSettings,
  { half }: Pick<Capabilities, 'half'>,
): { readonly settings: EegSettings; readonly message: string | null } {
  if (settings.precision === 'float32' || half) return { settings, message: null };
  return {
    settings: { ...settings, precision: 'float32' },
    message:
      'training.mixed_precision is true, and this device does not have shader-f16: activations are stored in float32',
  };
}
