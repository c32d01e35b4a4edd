/** The arguments of `smokescan train`, and the settings that follow from them. */
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
import { ArgumentError, flag, number, text, type Arguments, type Option } from './command_line';
import { complain } from './print';
import { SEIZURE_TEXT } from './recording_folder';
import { validationErrorsOf } from './validate';

/** Options that set a setting, as the table of settings has them. */
const SETTING_OPTIONS = FIELDS.flatMap(([name, field]) =>
  field.option === undefined ? [] : [{ option: field.option, name, field }],
);

function placeholder({ kind, or }: Field): string {
  const values = kind.type === 'choice' ? kind.of.join('|') : kind.type === 'float' ? 'R' : 'N';
  return typeof or?.value === 'string' ? `${values}|${or.value}` : values;
}

function optionOf(field: Field): Option {
  const label = field.label.charAt(0).toLowerCase() + field.label.slice(1);
  const unit = field.unit === undefined ? '' : `, ${field.unit}`;
  return {
    placeholder: placeholder(field),
    help: `${label}${unit}: ${allowedOf(field).replace(/, or null$/, '')}`,
    read: (texts, flag) => {
      const text = texts.at(-1) ?? '';
      const value = parseValue(field, text);
      if (!isAllowed(field, value))
        throw new ArgumentError(`${flag} is ${text}; it must be ${allowedOf(field)}`);
      return value;
    },
  };
}

export const COMMAND = {
  name: 'train',
  takes: ['[CONFIG]'],
  about: `Trains the seizure detector on the GPU of this machine, as the page does, by CONFIG, a configuration of the trainer (YAML); without
it a smoke run.`,
  options: {
    data: text(
      'DIR',
      'recordings (.edf, .bdf) and annotations, at any depth; default data.data_dir, or synthetic EEG without CONFIG',
    ),
    'seizure-text': SEIZURE_TEXT,
    limit: number(
      'N',
      'only the first N recordings; default BGB_LIMIT_FILES of the environment, as the trainer',
      { whole: true, min: 1 },
    ),
    out: text(
      'DIR',
      'writes weights (safetensors), checkpoints for the trainer’s --resume (last.pt, best.pt), scores (JSON), detected events (csv_bi), losses and scores by step (metrics.csv, metrics.jsonl, an event file of TensorBoard), settings for the trainer (config.yaml) with the schema that editors check them by (schema.json), and the full training state (last, previous and best.state.safetensors)',
    ),
    resume: flag(
      'resumes the run whose state is in --out DIR, bit for bit, and writes what is missing of one that has ended: the recordings must be the same, and settings can be left out or must be those of the run',
    ),
    json: flag('writes events as one JSON object a line instead of a progress bar'),
  },
  more: {
    heading: 'Settings, instead of those of CONFIG or of the smoke run:',
    placeholder: 'SETTING',
    options: Object.fromEntries(SETTING_OPTIONS.map(({ option, field }) => [option, optionOf(field)])),
  },
  notes: `Defaults: --width auto, the largest width that this GPU handles; --precision float32 where the GPU does not have shader-f16;
without --every a checkpoint every five minutes. States are also saved after each epoch and at the end.

Ctrl-C stops after the step that is under way; with --out its state is kept.

Exit code 0 when the run reached its end and all its files are written; 1 where it was stopped, on NaN, collapse or bad data, or
where a file could not be written; 2 for wrong arguments, and where --out cannot be used.`,
};

/** Options as they were read; `more` has the settings. */
export type TrainArguments = Arguments<typeof COMMAND.options>;

/** What the arguments say. */
export interface Given {
  readonly settings: EegSettings;
  readonly dataDir: string | undefined;
  /** Whether they say anything about what is trained. */
  readonly any: boolean;
}

/** Throws SettingsError where the trainer rejects the configuration. */
export async function givenBy({ given: [config], values, more }: TrainArguments): Promise<Given> {
  const base = config === undefined ? { settings: SMOKE_RUN, dataDir: undefined } : await configured(config);
  const set = SETTING_OPTIONS.filter(({ option }) => option in more);
  const changes: Partial<Record<SettingName, unknown>> = {
    'model.baseChannels': 'auto' satisfies EegSettings['model']['baseChannels'],
    // Node has no workers that read windows.
    workers: 0,
    persistentWorkers: false,
    ...('every' in more && { 'checkpoints.everyMinutes': null }),
  };
  for (const { option, name } of set) changes[name] = more[option];
  return {
    any: config !== undefined || set.some(({ field }) => !field.free),
    dataDir: values.data ?? base.dataDir,
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
    complain(
      `training.early_stopping.metric is ${metric}, which is none of ${metrics.join(', ')}: as in the trainer it reads 0 after each epoch, and the first epoch counts as the best`,
    );
  return read;
}

/** The settings of a run that is resumed. Throws ArgumentError where the arguments say something else. */
export function resumedSettings(
  { progress }: TrainingState,
  given: Given,
  { more }: TrainArguments,
): EegSettings {
  const stored = storedSettings(progress.config);
  const chosenHere = (name: SettingName): boolean =>
    (name === 'precision' && !('precision' in more)) ||
    (name === 'model.baseChannels' && given.settings.model.baseChannels === 'auto');
  const other = given.any
    ? differences(stored, given.settings).find(
        ({ name }) => !(SETTINGS[name] as Field).free && !chosenHere(name),
      )
    : undefined;
  if (other)
    throw new ArgumentError(
      `--resume uses the settings of the run: its ${other.name} is ${String(other.from)}, the arguments say ${String(other.to)}. Give all of its arguments again or none, or start another run with another --out`,
    );
  return {
    ...stored,
    workers: 0,
    persistentWorkers: false,
    ...('every' in more && { checkpoints: given.settings.checkpoints }),
  };
}
