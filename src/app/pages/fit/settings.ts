/** The settings of a run: those of a configuration, and what a person changes of them on this page. */
import type { Change } from '../../../config/change';
import { KEY_AT } from '../../../config/keys';
import { readConfig } from '../../../config/settings';
import type { Platform } from '../../../config/targets';
import { CACHES, type Cache } from '../../../estimate/epoch_windows';
import { settingsFrom, type RunSettings, type Values } from '../../../estimate/from_config';
import type { VramRun } from '../../../estimate/vram/options';
import { boundsOf, type Field as Setting } from '../../../training/fields';
import { SETTINGS } from '../../../training/settings_table';

/** A configuration on a platform, as far as the estimator reads it. */
export interface ConfigFile {
  readonly path: string;
  readonly platform: Platform;
  /** By key; the trainer's default where the file says nothing. */
  readonly values: Values;
}

/** Settings that the trainer has no key for: the mixer follows its installation, the cache is what was done before. */
type Keyless = 'mixer' | 'microBatches' | 'checkpointing' | 'cache';
const KEYLESS = ['mixer', 'microBatches', 'checkpointing', 'cache'] as const satisfies readonly Keyless[];

export type Value = number | boolean | string;
/** New values by key of the configuration, or by name where the trainer has no key. */
export type Changes = Readonly<Partial<Record<string, Value>>>;

/** Throws RangeError where the file cannot be read, or a key that has to be a number is none. */
export function readFile(text: string, path: string, platform: Platform): ConfigFile {
  const { errors, settings: file } = readConfig(text);
  if (errors[0])
    throw new RangeError(
      `The file cannot be read, because of line ${errors[0].place.line}: ${errors[0].message}.`,
    );
  const values = new Map(
    [...file.values()].filter(({ declaration }) => declaration).map(({ path, value }) => [path, { value }]),
  );
  settingsFrom(values, path, platform);
  return { path, platform, values };
}

/** The settings of a run with a changed configuration. */
export function settingsOf({ path, platform, values }: ConfigFile, changes: Changes = {}): RunSettings {
  const changed = Object.entries(changes).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, { value }] as const],
  );
  const { cache, ...given } = Object.fromEntries(
    KEYLESS.filter((name) => changes[name] !== undefined).map((name) => [name, changes[name]]),
  ) as Partial<Pick<VramRun, Exclude<Keyless, 'cache'>>> & { readonly cache?: Cache };
  const settings = settingsFrom(new Map([...values, ...changed]), path, platform, { cache });
  const vram = { ...settings.vram, ...given };
  return { ...settings, vram: { ...vram, microBatches: divisorOf(vram.batch, vram.microBatches) } };
}

/** A batch is cut into equal parts: the largest number of them that is not above `wished`. */
export function divisorOf(batch: number, wished: number): number {
  let parts = Math.min(batch, wished);
  while (batch % parts !== 0) parts--;
  return parts;
}

interface Control {
  /** Its key in the configuration, or its name where the trainer has none. */
  readonly name: string;
  readonly label: string;
  readonly about: string;
}

export type Field =
  | (Control & {
      readonly kind: 'number';
      readonly min: number;
      /** Undefined where there is none. */
      readonly max: number | undefined;
      /** Where the slider ends; larger numbers are typed. */
      readonly slider: number;
    })
  | (Control & {
      readonly kind: 'choice';
      readonly options: readonly { readonly value: string; readonly label: string }[];
    })
  | (Control & { readonly kind: 'flag' });

/** What a run in the browser has, too: label, bounds and choices are those of its form. */
type Shared = Pick<Setting, 'label' | 'key'>;
const named = ({ label, key = '' }: Shared, about: string, name: string = key) => ({ name, label, about });

function number(setting: Setting<number>, about: string, slider: number, name?: string): Field {
  const { min = 1, max } = boundsOf(setting);
  return { kind: 'number', ...named(setting, about, name), min, max, slider };
}
const optionsOf = (labels: Readonly<Record<string, string>>) =>
  Object.entries(labels).map(([value, label]) => ({ value, label }));

const NO_KEY = 'not supported by the trainer';

/** Labels that stand here are of settings that a run in the browser does not have, or not so. */
export const FIELDS: readonly Field[] = [
  number(SETTINGS.batch, 'windows of a step', 128),
  number(SETTINGS['model.layers'], 'Mamba layers', 12),
  number(
    SETTINGS.microBatches,
    `gradient-accumulation steps, which divide the batch (${NO_KEY})`,
    16,
    'microBatches',
  ),
  {
    kind: 'flag',
    name: 'training.mixed_precision',
    label: 'Mixed precision',
    about: 'fp16, the trainer’s autocast on CUDA; off: fp32',
  },
  {
    kind: 'choice',
    ...named(
      SETTINGS['model.mixer'],
      'depends on the installation; the Modal launcher forces the convolution',
      'mixer',
    ),
    options: optionsOf(SETTINGS['model.mixer'].choices ?? {}),
  },
  { kind: 'flag', ...named(SETTINGS.checkpointing, NO_KEY, 'checkpointing') },
  number(SETTINGS.workers, 'num_workers', 16),
  number(SETTINGS.prefetch, 'batches each worker loads in advance', 8),
  { kind: 'flag', name: 'data.pin_memory', label: 'Pinned memory', about: 'pin_memory' },
  { kind: 'flag', ...named(SETTINGS.persistentWorkers, 'the validation workers stay alive too') },
  {
    kind: 'choice',
    name: 'cache',
    label: 'Cache before the run',
    about: 'without one the run preprocesses its recordings, and has no manifest',
    options: CACHES.map((value) => ({ value, label: value })),
  },
  number(SETTINGS.epochs, 'at most; early stopping may end the run sooner', 200),
];

/** The largest number that a field takes: of micro-batches one for each window of the batch; undefined where there is none. */
export const maxOf = (
  { name, max }: Extract<Field, { readonly kind: 'number' }>,
  file: ConfigFile,
  changes: Changes = {},
): number | undefined => (name === 'microBatches' ? settingsOf(file, changes).vram.batch : max);

/** Of a setting that the trainer has no key for. */
const keylessOf = ({ vram, cache }: RunSettings, name: Keyless): Value =>
  name === 'cache' ? cache : vram[name];

/** The value that a field shows. */
export function valueOf({ name }: Field, file: ConfigFile, changes: Changes = {}): Value {
  const keyless = KEYLESS.find((one) => one === name);
  if (keyless) return keylessOf(settingsOf(file, changes), keyless);
  return changes[name] ?? (file.values.get(name)?.value as Value);
}

/** The changes after a field was given a value; what equals the file is no change. */
export const change = (file: ConfigFile, changes: Changes, { name }: Field, value: Value): Changes =>
  remaining(file, { ...changes, [name]: value });

/** Of changes those that the file does not say by itself. */
export function remaining(file: ConfigFile, changes: Changes): Changes {
  const settings = settingsOf(file);
  const own = (name: string): unknown =>
    KEYLESS.includes(name as Keyless) ? keylessOf(settings, name as Keyless) : file.values.get(name)?.value;
  return Object.fromEntries(Object.entries(changes).filter(([name, value]) => own(name) !== value));
}

/** Fields whose value is not the file's. */
export const changedFields = (file: ConfigFile, changes: Changes): Field[] =>
  FIELDS.filter((field) => valueOf(field, file, changes) !== valueOf(field, file));

/** The keys to write into the file for the trainer to do what the page shows, as far as it has keys. */
export const keyChanges = (changes: Changes): Change[] =>
  Object.entries(changes)
    .filter(([name]) => KEY_AT.has(name))
    .map(([path, value]) => ({
      path,
      value: String(value),
      reason: 'chosen under “Resources”',
    }));

/** Changed fields that the trainer has no key for. */
export const keylessChanges = (file: ConfigFile, changes: Changes): Field[] =>
  changedFields(file, changes).filter(({ name }) => changes[name] !== undefined && !KEY_AT.has(name));

/** A field's value as people read it. */
export function shownValue(field: Field, value: Value): string {
  if (field.kind === 'choice')
    return field.options.find((one) => one.value === value)?.label ?? String(value);
  return typeof value === 'boolean' ? (value ? 'on' : 'off') : String(value);
}
