/** The arguments of `smokescan train`, and the settings that follow from them. */
import { parseArgs } from 'node:util';
import { readConfig } from '../config/settings';
import { readConfigText } from './config_text';
import type { TrainingState } from '../checkpoints/state';
import { fromTrainer } from '../training/config';
import { allowedOf, isAllowed, parseValue, type Field } from '../training/fields';
import {
  FIELDS,
  metricsOf,
  SMOKE_RUN,
  storedSettings,
  withValues,
  type EegSettings,
  type SettingName,
} from '../training/settings';
import { SETTINGS } from '../training/settings_table';
import { differences } from '../training/share';
import { SettingsError } from '../run/failure';
import { validationErrorsOf } from './validate';

/** Options that set a setting, as the table of settings has them. */
const SETTING_OPTIONS = FIELDS.flatMap(([name, field]) =>
  field.option === undefined ? [] : [{ option: field.option, name, field }],
);

function placeholder({ kind, or }: Field): string {
  const values = kind.type === 'choice' ? kind.of.join('|') : kind.type === 'float' ? 'R' : 'N';
  return typeof or?.value === 'string' ? `${values}|${or.value}` : values;
}

const optionLine = ({ option, field }: (typeof SETTING_OPTIONS)[number]): string => {
  const label = field.label.charAt(0).toLowerCase() + field.label.slice(1);
  const unit = field.unit === undefined ? '' : `, ${field.unit}`;
  return `  ${`--${option} ${placeholder(field)}`.padEnd(29)} ${label}${unit}: ${allowedOf(field).replace(/, or null$/, '')}`;
};

export const USAGE = `Usage: smokescan train [CONFIG] [--data DIR] [--limit N] [--out DIR [--resume]] [--json] [SETTING…]

Trains the seizure detector on the GPU of this machine, as the page does.
  CONFIG        a configuration of the trainer (YAML); without it a smoke run
  --data DIR    recordings (.edf, .bdf) and annotations, at any depth; default data.data_dir, or synthetic EEG without CONFIG
  --seizure-text T  which annotations of EDF+ are seizures; see smokescan detect
  --limit N     only the first N recordings; default BGB_LIMIT_FILES of the environment, as the trainer
  --out DIR     writes weights (safetensors), checkpoints for the trainer's --resume (last.pt, best.pt), scores (JSON),
                detected events (csv_bi), and the full training state (last, previous and best.state.safetensors)
  --resume      resumes the run whose state is in DIR, bit for bit: the recordings must be the same, and settings can be
                left out or must be those of the run
  --json        writes events as one JSON object a line instead of a progress bar

Settings, instead of those of CONFIG or of the smoke run:
${SETTING_OPTIONS.map(optionLine).join('\n')}

Defaults: --width auto, the largest width that this GPU handles; --precision float32 where the GPU does not have shader-f16;
without --every a checkpoint every five minutes. States are also saved after each epoch and at the end.

Exit code 0 when the run reached its end, 1 on NaN, collapse or bad data, 2 for wrong arguments.`;

export type Values = Partial<Record<string, string | boolean | string[]>>;

/** Throws an Error with a sentence for arguments that do not exist. */
export function parseTrainArgs(args: string[]): {
  readonly config: string | undefined;
  readonly values: Values;
} {
  const string = { type: 'string' } as const;
  const { positionals, values } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      ...Object.fromEntries(
        ['data', 'limit', 'out', ...SETTING_OPTIONS.map(({ option }) => option)].map((name) => [
          name,
          string,
        ]),
      ),
      'seizure-text': { type: 'string', multiple: true },
      json: { type: 'boolean', default: false },
      resume: { type: 'boolean', default: false },
    },
  });
  if (positionals.length > 1) throw new Error('there is more than one configuration');
  return { config: positionals[0], values };
}

/** What the arguments say. */
export interface Given {
  readonly settings: EegSettings;
  readonly dataDir: string | undefined;
  /** Whether they say anything about what is trained. */
  readonly any: boolean;
}

/** Throws SettingsError where the configuration or an option has a value that is not allowed. */
export async function givenBy(config: string | undefined, values: Values): Promise<Given> {
  const base = config === undefined ? { settings: SMOKE_RUN, dataDir: undefined } : await configured(config);
  const set = SETTING_OPTIONS.filter(({ option }) => values[option] !== undefined);
  const changes: Partial<Record<SettingName, unknown>> = {
    'model.baseChannels': 'auto' satisfies EegSettings['model']['baseChannels'],
    // Node has no workers that read windows.
    workers: 0,
    persistentWorkers: false,
    ...(values['every'] !== undefined && { 'checkpoints.everyMinutes': null }),
  };
  for (const { option, name, field } of set) {
    const value = parseValue(field, String(values[option]));
    if (!isAllowed(field, value))
      throw new SettingsError(`--${option} is ${String(values[option])}; it must be ${allowedOf(field)}`);
    changes[name] = value;
  }
  const { data } = values;
  return {
    any: config !== undefined || set.some(({ field }) => !field.free),
    dataDir: typeof data === 'string' ? data : base.dataDir,
    settings: withValues(base.settings, changes),
  };
}

async function configured(path: string): Promise<Pick<Given, 'settings' | 'dataDir'>> {
  const text = await readConfigText(path);
  const rejected = validationErrorsOf(path, text);
  if (rejected.length > 0) throw new SettingsError(rejected.join('\n'));
  const config = readConfig(text).settings;
  const read = fromTrainer(config);
  const { metric } = read.settings.earlyStopping;
  const metrics = metricsOf(read.settings);
  if (!metrics.includes(metric))
    console.error(
      `training.early_stopping.metric is ${metric}, which is none of ${metrics.join(', ')}: as in the trainer it reads 0 after each epoch, and the first epoch counts as the best`,
    );
  return read;
}

/** The settings of a run that is resumed. Throws SettingsError where the arguments say something else. */
export function resumedSettings({ progress }: TrainingState, given: Given, values: Values): EegSettings {
  const stored = storedSettings(progress.config);
  const chosenHere = (name: SettingName): boolean =>
    (name === 'precision' && values['precision'] === undefined) ||
    (name === 'model.baseChannels' && given.settings.model.baseChannels === 'auto');
  const other = given.any
    ? differences(stored, given.settings).find(
        ({ name }) => !(SETTINGS[name] as Field).free && !chosenHere(name),
      )
    : undefined;
  if (other)
    throw new SettingsError(
      `--resume uses the settings of the run: its ${other.name} is ${String(other.from)}, the arguments say ${String(other.to)}. Give all of its arguments again or none, or start another run with another --out`,
    );
  return {
    ...stored,
    workers: 0,
    persistentWorkers: false,
    ...(values['every'] !== undefined && { checkpoints: given.settings.checkpoints }),
  };
}
