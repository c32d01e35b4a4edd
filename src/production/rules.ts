/**
 * What validates in production and still wastes, crashes or misleads. Facts: the trainer's source at 2025-09-21, its review,
 * measurements. A finding that no edit of the file mends is a note for the launch.
 */
import { KEY_AT, KEYS } from './keys';
import type { ConfigFile, Entry } from './pyyaml';
import { settingAt, valueAt } from './schema';

/** C: the run is wasted, H: crash or large cost, M: misleading, L: hygiene. */
export type Severity = 'C' | 'H' | 'M' | 'L';

export type TargetName = 'local' | 'wsl2' | 'modal';

export interface Target {
  readonly name: TargetName;
  readonly gpu: string;
  /** Of the machine that trains; on Modal what the app asks for. */
  readonly ramGiB: number;
  readonly cores: number;
  readonly hoursPerEpoch: number;
}

export const TARGETS: Readonly<Record<TargetName, Target>> = {
  local: { name: 'local', gpu: 'RTX 4090', ramGiB: 64, cores: 16, hoursPerEpoch: 2.5 },
  // WSL2 gives half of the host's memory: 31 GB in the run that was killed.
  wsl2: { name: 'wsl2', gpu: 'RTX 4090', ramGiB: 31, cores: 16, hoursPerEpoch: 2.5 },
  modal: { name: 'modal', gpu: 'A100-80GB', ramGiB: 32, cores: 8, hoursPerEpoch: 1 },
};

export interface Finding {
  readonly id: string;
  readonly severity: Severity;
  readonly message: string;
  /** Of the key that it is about; the section or nothing where there is none. */
  readonly path: string;
  /** Whether an edit of the file can mend it. */
  readonly mendable: boolean;
}

export interface Checked {
  /** The file's path: the launcher reads meaning into it. */
  readonly name: string;
  readonly file: ConfigFile;
  readonly target: Target;
}

type Found = Omit<Finding, 'id' | 'severity' | 'mendable'>;

interface Rule {
  readonly id: string;
  readonly severity: Severity;
  /** A note for the launch. */
  readonly note?: boolean;
  readonly check: (config: Config) => readonly Found[];
}

/** A file's values as the rules ask for them. */
class Config {
  constructor(readonly checked: Checked) {}

  get target(): Target {
    return this.checked.target;
  }

  get entries(): readonly Entry[] {
    return this.checked.file.entries;
  }

  get(path: string): unknown {
    return settingAt(this.checked.file.value, path);
  }

  given(path: string): boolean {
    return valueAt(this.checked.file.value, path) !== undefined;
  }

  number(path: string): number {
    return Number(this.get(path));
  }

  text(path: string): string {
    const value = this.get(path);
    return typeof value === 'string' ? value : '';
  }
}

const at = (path: string, message: string): Found[] => [{ path, message }];
const NONE: readonly Found[] = [];

const MODAL_DATA = '/data/edf/train';
/** A launch on Modal ends after so many hours. */
const MODAL_HOURS = 24;
/** Windows of the corpus that the file-level split of 0.2 holds out, and bytes a sample that scoring them takes. */
const HELD_OUT_AT_02 = 51_901;
const BYTES_PER_SAMPLE = 77;
const isSmoke = (name: string): boolean => name.includes('smoke');

export const RULES: readonly Rule[] = [
  {
    id: 'fa-rate-key',
    severity: 'C',
    check: (config) => {
      const metric = 'training.early_stopping.metric';
      const found = /^sensitivity_at_(\d+)fa$/.exec(config.text(metric));
      if (!found || !config.given('evaluation.fa_rates')) return NONE;
      return at(
        metric,
        `evaluation.fa_rates is listed, so its numbers become floats and the score is called sensitivity_at_${found[1]}.0fa: this one reads 0 each epoch, the run stops after patience + 2 epochs, and best.pt is rewritten each time; write sensitivity_at_${found[1]}.0fa`,
      );
    },
  },
  {
    id: 'modal-data-dir',
    severity: 'C',
    check: (config) =>
      config.target.name !== 'modal' || config.text('data.data_dir') === MODAL_DATA
        ? NONE
        : at(
            'data.data_dir',
            `the launcher replaces it by ${MODAL_DATA} where that exists; write ${MODAL_DATA}, so that the file says what is read`,
          ),
  },
  {
    id: 'modal-fallback',
    severity: 'C',
    note: true,
    check: (config) =>
      config.target.name === 'modal'
        ? at(
            '',
            'the launcher trains the convolution fallback instead of Mamba-2, and evaluates Mamba-2 with weights that were never trained',
          )
        : NONE,
  },
  {
    id: 'modal-no-resume',
    severity: 'C',
    note: true,
    check: (config) =>
      config.target.name === 'modal' && config.number('training.epochs') > 1
        ? at(
            '',
            'without --resume a restarted container begins at epoch 0 and overwrites last.pt; launch with --resume',
          )
        : NONE,
  },
  {
    id: 'patient-leak',
    severity: 'C',
    note: true,
    check: (config) =>
      config.number('data.validation_split') > 0
        ? at(
            'data.validation_split',
            'the split is by file: recordings of one patient land on both sides, and the scores come out too good',
          )
        : NONE,
  },
  {
    id: 'focal-alpha',
    severity: 'C',
    check: (config) => {
      const alpha = config.number('training.focal_alpha');
      if (config.get('training.loss') !== 'focal' || alpha === 0.5) return NONE;
      return at(
        'training.focal_alpha',
        `with an alpha other than 0.5 pos_weight is dropped${alpha < 0.5 ? ', and seizures count less than the rest' : ''}; write 0.5`,
      );
    },
  },
  {
    id: 'empty-manifest',
    severity: 'C',
    note: true,
    check: (config) =>
      config.get('data.use_balanced_sampling') === false
        ? NONE
        : at(
            'data.use_balanced_sampling',
            'run scan-cache first: a manifest without seizures trains a useless model',
          ),
  },
  {
    id: 'resume-semantics',
    severity: 'H',
    note: true,
    check: (config) =>
      config.number('training.epochs') > 1
        ? at(
            '',
            'a resumed run repeats the saved epoch, and its first epoch overwrites best.pt; an interrupted epoch is lost',
          )
        : NONE,
  },
  {
    id: 'epochs-zero',
    severity: 'H',
    check: (config) =>
      config.number('training.epochs') === 0
        ? at('training.epochs', 'is refused: training has no evaluation mode; use the evaluate command')
        : NONE,
  },
  {
    id: 'optimizer-crash',
    severity: 'H',
    check: (config) =>
      ['adam', 'sgd'].includes(config.text('training.optimizer'))
        ? at(
            'training.optimizer',
            `${config.text('training.optimizer')} validates, then crashes after the data is loaded; write adamw`,
          )
        : NONE,
  },
  {
    id: 'scheduler-crash',
    severity: 'H',
    check: (config) =>
      ['linear', 'constant'].includes(config.text('training.scheduler.type'))
        ? at(
            'training.scheduler.type',
            `${config.text('training.scheduler.type')} validates, then crashes; write cosine`,
          )
        : NONE,
  },
  {
    id: 'conv-kernel',
    severity: 'H',
    check: (config) =>
      config.number('model.mamba.conv_kernel') === 3
        ? NONE
        : at(
            'model.mamba.conv_kernel',
            'other than 3 it is not what runs: 5 becomes 4 on CUDA, and an even kernel breaks the fallback that Modal forces; write 3',
          ),
  },
  {
    id: 'no-validation',
    severity: 'H',
    check: (config) =>
      config.number('data.validation_split') === 0
        ? at(
            'data.validation_split',
            'without held-out files the run fails after its first epoch, before any checkpoint; write 0.1',
          )
        : NONE,
  },
  {
    id: 'secrets',
    severity: 'H',
    note: true,
    check: (config) =>
      config.target.name === 'modal'
        ? at('', 'the app needs both secrets, aws-s3-secret and wandb-secret, the latter also with W&B off')
        : NONE,
  },
  {
    id: 'time-limit',
    severity: 'H',
    note: true,
    check: (config) => {
      const hours = config.number('training.epochs') * config.target.hoursPerEpoch;
      if (config.target.name !== 'modal' || isSmoke(config.checked.name) || hours <= MODAL_HOURS) return NONE;
      return at(
        'training.epochs',
        `about ${hours} h at ${config.target.hoursPerEpoch} h an epoch, and a launch ends after ${MODAL_HOURS} h: it takes ${Math.ceil(hours / MODAL_HOURS)} launches with --resume`,
      );
    },
  },
  {
    id: 'cpu-amp',
    severity: 'H',
    check: (config) =>
      config.get('experiment.device') === 'cpu' && config.get('training.mixed_precision') !== false
        ? at('training.mixed_precision', 'is refused with experiment.device cpu; write false')
        : NONE,
  },
  {
    id: 'validation-ram',
    severity: 'H',
    check: (config) => {
      // Names with “smoke” make the launcher take 50 files alone.
      if (isSmoke(config.checked.name)) return NONE;
      const windows = (config.number('data.validation_split') / 0.2) * HELD_OUT_AT_02;
      const gib = (windows * 15_360 * BYTES_PER_SAMPLE) / 2 ** 30;
      if (gib <= config.target.ramGiB) return NONE;
      return at(
        'data.validation_split',
        `on the whole corpus the first validation takes about ${gib.toFixed(0)} GiB of the ${config.target.ramGiB} GiB there are: hold out ${(Math.floor((100 * 0.2 * config.target.ramGiB) / ((HELD_OUT_AT_02 * 15_360 * BYTES_PER_SAMPLE) / 2 ** 30)) / 100).toFixed(2)} at most`,
      );
    },
  },
  {
    id: 'amp-4090',
    severity: 'H',
    check: (config) =>
      config.target.gpu.includes('4090') &&
      config.get('training.mixed_precision') !== false &&
      config.get('experiment.device') !== 'cpu'
        ? at('training.mixed_precision', 'on an RTX 4090 it gave NaN; write false')
        : NONE,
  },
  {
    id: 'learning-rate',
    severity: 'M',
    check: (config) =>
      config.number('training.learning_rate') >= 1.5e-4
        ? at('training.learning_rate', 'from 1.5e-4 on NaN was seen with later models')
        : NONE,
  },
  {
    id: 'unknown-key',
    severity: 'M',
    check: (config) =>
      config.entries.flatMap(({ path }) => {
        const known = KEYS.some((one) => one.path === path || one.path.startsWith(`${path}.`));
        const parent = path.split('.').slice(0, -1).join('.');
        const below = path.includes('[]') || KEY_AT.has(parent);
        const parentKnown = parent === '' || KEYS.some((one) => one.path.startsWith(`${parent}.`));
        if (known || below || !parentKnown) return [];
        const near = nearest(path);
        return at(
          path,
          `the trainer does not know it and drops it without a word${near ? `; the nearest it knows is ${near}` : ''}`,
        );
      }),
  },
  {
    id: 'dead-key',
    severity: 'M',
    check: (config) =>
      config.entries.flatMap(({ path }) => {
        const key = KEY_AT.get(path);
        if (key?.effect !== 'dead' || JSON.stringify(config.get(path)) === JSON.stringify(key.fallback))
          return [];
        // Names and descriptions say something to people.
        if (['experiment.name', 'experiment.description'].includes(path)) return [];
        return at(path, `has no effect: ${key.why ?? 'it is never read'}`);
      }),
  },
  {
    id: 'duplicate-key',
    severity: 'M',
    check: (config) =>
      config.entries.flatMap(({ path, repeated }) =>
        repeated ? at(path, 'stands here a second time, and only this value counts') : [],
      ),
  },
  {
    id: 'shell-in-name',
    severity: 'M',
    check: (config) =>
      config.entries.flatMap(({ path, read }) =>
        typeof read === 'string' && /\$\(|\$\{|`/.test(read)
          ? at(path, 'no shell reads this: it stays literal text')
          : [],
      ),
  },
  {
    id: 'cache-mismatch',
    severity: 'M',
    check: (config) => {
      const cache = config.text('data.cache_dir');
      if (config.target.name === 'modal' && !cache.startsWith('/results'))
        return at('data.cache_dir', 'outside /results it is lost with the container');
      if (!config.given('experiment.cache_dir') || config.text('experiment.cache_dir') === cache) return NONE;
      return at('experiment.cache_dir', `is not data.cache_dir (${cache}): the cache is built anew`);
    },
  },
  {
    id: 'smoke-name',
    severity: 'M',
    check: (config) => {
      if (config.target.name !== 'modal') return NONE;
      const smoke = isSmoke(config.checked.name);
      const short = config.number('training.epochs') <= 1;
      if (smoke === short) return NONE;
      return at(
        'training.epochs',
        smoke
          ? 'the path of the file has “smoke” in it, so the launcher takes 50 files alone'
          : 'the path of the file has no “smoke” in it, so the launcher takes all files',
      );
    },
  },
  {
    id: 'wsl2-workers',
    severity: 'M',
    check: (config) => {
      if (config.target.name !== 'wsl2') return NONE;
      const safe = {
        'data.num_workers': 0,
        'data.pin_memory': false,
        'data.persistent_workers': false,
      } as const;
      return Object.entries(safe).flatMap(([path, value]) =>
        config.get(path) === value ? [] : at(path, `under WSL2 this hung, and killed a run; write ${value}`),
      );
    },
  },
  {
    id: 'persistent-needs-workers',
    severity: 'M',
    check: (config) =>
      config.number('data.num_workers') === 0 && config.get('data.persistent_workers') === true
        ? at('data.persistent_workers', 'is ignored without workers; write false')
        : NONE,
  },
  {
    id: 'starved-loader',
    severity: 'M',
    check: (config) => {
      const workers = config.number('data.num_workers');
      return config.target.cores < 2 * workers
        ? at(
            'data.num_workers',
            `${workers} workers for training and as many for validation on ${config.target.cores} cores: they starve each other; write ${Math.floor(config.target.cores / 2)}`,
          )
        : NONE;
    },
  },
  {
    id: 'yaml-1.1',
    severity: 'L',
    check: (config) =>
      config.entries.flatMap(({ path, plain, read }) => {
        if (plain === undefined) return [];
        if (
          typeof read === 'string' &&
          /^[-+]?(\d[\d_]*\.?\d*|\.\d+)[eE]\d+$|^[-+]?\d+[eE][-+]\d+$|^0o[0-7]+$|^0[89]/.test(plain)
        )
          return at(
            path,
            `PyYAML reads ${plain} as a text, other readers as a number; write it with a point and a sign, such as 3.0e-4`,
          );
        if (typeof read === 'boolean' && !/^(true|false)$/i.test(plain))
          return at(
            path,
            `PyYAML reads ${plain} as ${read}, other readers as a text; write ${read}, or quote the word`,
          );
        if (typeof read === 'number' && /[:_]|^[-+]?0[0-7]/.test(plain))
          return at(
            path,
            `PyYAML reads ${plain} as ${read}, other readers otherwise; write ${read}, or quote it`,
          );
        return [];
      }),
  },
];

/** All findings, the worst first; those of equal weight in the file's order. */
export function check(checked: Checked): Finding[] {
  const config = new Config(checked);
  const order = new Map(checked.file.entries.map(({ path }, i) => [path, i]));
  return RULES.flatMap(({ id, severity, note, check }) =>
    check(config).map((found) => ({ id, severity, mendable: note !== true, ...found })),
  ).sort(
    (a, b) =>
      'CHML'.indexOf(a.severity) - 'CHML'.indexOf(b.severity) ||
      (order.get(a.path) ?? -1) - (order.get(b.path) ?? -1),
  );
}

/** A known key that is likely meant: one with the same last name, or few letters away. */
function nearest(path: string): string | undefined {
  const last = path.split('.').at(-1) ?? path;
  const named = KEYS.find((one) => one.path.endsWith(`.${last}`));
  if (named) return named.path;
  const close = KEYS.map((one) => ({
    path: one.path,
    distance: edits(one.path.split('.').at(-1) ?? '', last),
  }));
  const best = close.reduce((a, b) => (b.distance < a.distance ? b : a));
  return best.distance <= Math.max(1, Math.floor(last.length / 3)) ? best.path : undefined;
}

/** Letters to insert, delete or replace (Levenshtein). */
function edits(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(
        (row[j] as number) + 1,
        (next[j - 1] as number) + 1,
        (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1),
      );
    row = next;
  }
  return row[b.length] as number;
}
