/** What follows from the table of settings: their type, the presets, and checking and reading them. */
import { several } from '../base/text';
import { checkPostprocessing } from '../eeg/events/postprocess';
import type { Device } from '../engine/device';
import { PRODUCTION, type DetectorConfig } from '../models/detector';
import { SettingsError } from '../run/failure';
import { allowedOf, isAllowed, shownValue, type Field } from './fields';
import { SETTINGS } from './settings_table';

type Table = typeof SETTINGS;
export type SettingName = keyof Table;
type ValueOf<N extends SettingName> = Table[N] extends Field<infer T> ? T : never;
type GroupOf<N> = N extends `${infer G}.${string}` ? G : never;

/** A group of settings whose names start with `G.`. */
type Inner<G extends string> = {
  readonly [N in SettingName as N extends `${G}.${infer Leaf}` ? Leaf : never]: ValueOf<N>;
};

/** Plain data, so that it can be sent, stored and compared; `a.b` of the table is `b` of the object `a`. */
export type EegSettings = {
  readonly [N in SettingName as N extends `${string}.${string}` ? never : N]: ValueOf<N>;
} & { readonly [G in GroupOf<SettingName>]: Inner<G> };
export type EegModelSettings = EegSettings['model'];

/** All settings, in the order of the table. */
export const FIELDS = Object.entries(SETTINGS) as readonly (readonly [SettingName, Field])[];

/** Names of settings and what they were named before, with their fields. */
export const FIELD_AT: ReadonlyMap<string, readonly [SettingName, Field]> = new Map(
  FIELDS.flatMap(([name, field]) => [
    [name, [name, field]],
    ...(field.formerly === undefined ? [] : [[field.formerly, [name, field]] as const]),
  ]),
);

type Tree = Record<string, unknown>;

/** The value of a setting, or of what is stored under a dotted name; undefined where there is none. */
export const valueOf = (settings: object, name: string): unknown =>
  name
    .split('.')
    .reduce<unknown>(
      (at, part) =>
        typeof at === 'object' && at !== null && Object.hasOwn(at, part) ? (at as Tree)[part] : undefined,
      settings,
    );

/** Settings with the value that `value` gives for each name; they are not checked. */
export function settingsFrom(value: (name: SettingName, field: Field) => unknown): EegSettings {
  const settings: Tree = {};
  for (const [name, field] of FIELDS) {
    const [leaf = '', group] = name.split('.').reverse();
    const at = group === undefined ? settings : ((settings[group] ??= {}) as Tree);
    at[leaf] = value(name, field);
  }
  return settings as EegSettings;
}

/** The same settings with other values for some names. */
export const withValues = (
  settings: EegSettings,
  values: Partial<Record<SettingName, unknown>>,
): EegSettings =>
  settingsFrom((name) => (Object.hasOwn(values, name) ? values[name] : valueOf(settings, name)));

/** A production run of the trainer, as far as it is the same on all machines. */
export const PRODUCTION_RUN: EegSettings = settingsFrom((_, { production }) => production);

/** A smoke run: the same arithmetic on a narrow model, a few minutes on a laptop. */
export const SMOKE_RUN: EegSettings = settingsFrom((_, { smoke }) => smoke);

/** The scores by which a run may be stopped early and its best epoch be chosen. */
export const metricsOf = ({ falseAlarmRates }: Pick<EegSettings, 'falseAlarmRates'>): string[] => [
  'auroc',
  'taes',
  ...falseAlarmRates.map((rate) => `sensitivity_at_${rate}fa`),
];

/** What is wrong with settings that are each allowed, but not together; undefined where nothing is. */
function conflictIn({
  model,
  batch,
  microBatches,
  persistentWorkers,
  workers,
  postprocessing,
}: EegSettings): string | undefined {
  if (model.kernelSizes.length === 0) return 'there must be at least one kernel size';
  if (batch % microBatches !== 0)
    return `a batch of ${batch} windows cannot be divided into ${microBatches} equal parts`;
  if (persistentWorkers && workers === 0) return 'persistent workers need at least one worker';
  return postprocessingProblem(postprocessing);
}

function postprocessingProblem(postprocessing: EegSettings['postprocessing']): string | undefined {
  try {
    checkPostprocessing(postprocessing);
    return undefined;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return error.message;
  }
}

/** Throws SettingsError with what is wrong and what is allowed. */
export function checkSettings(settings: EegSettings): void {
  for (const [name, field] of FIELDS) {
    const value = valueOf(settings, name);
    if (!isAllowed(field, value))
      throw new SettingsError(`${field.label} must be ${allowedOf(field)}; it is ${shownValue(value)}`);
  }
  const conflict = conflictIn(settings);
  if (conflict !== undefined) throw new SettingsError(conflict);
}

/**
 * Settings as JSON that was stored, perhaps by an earlier version: what that did not know is as in PRODUCTION_RUN. Throws
 * SettingsError where they are not the settings of a run, or not allowed.
 */
export function storedSettings(text: string): EegSettings {
  let stored: unknown;
  try {
    stored = JSON.parse(text);
  } catch {
    stored = undefined;
  }
  if (typeof stored !== 'object' || stored === null || !('model' in stored && 'batch' in stored))
    throw new SettingsError('the checkpoint does not hold the settings of a run on EEG');
  const settings = settingsFrom((name, { formerly, production }) => {
    const known = [name, formerly ?? name].find((one) => valueOf(stored, one) !== undefined);
    return known === undefined ? production : valueOf(stored, known);
  });
  checkSettings(settings);
  return settings;
}

/** What a run is called until somebody names it. */
export const runName = ({ model: { baseChannels, mixer, layers } }: EegSettings): string =>
  `Width ${baseChannels}, ${mixer === 'mamba2' ? 'Mamba-2' : 'convolution'}, ${several(layers, 'layer')}`;

/** The model's sizes once its width is known. Heads are narrower than the trainer's 64 where the model is. */
export function detectorConfigOf(model: EegModelSettings, baseChannels: number): DetectorConfig {
  const inner = PRODUCTION.expand * baseChannels * 2 ** (PRODUCTION.depth - 1);
  return { ...PRODUCTION, ...model, baseChannels, headdim: Math.min(PRODUCTION.headdim, inner) };
}

/** Throws SettingsError where the run needs what the device does not have. */
export function checkDevice(
  { precision }: Pick<EegSettings, 'precision'>,
  { adapter, capabilities }: Pick<Device, 'adapter' | 'capabilities'>,
): void {
  if (precision === 'float16' && !capabilities.half)
    throw new SettingsError(
      `float16 needs the feature shader-f16, which ${adapter.description || 'this GPU'} does not have; choose float32`,
    );
}
