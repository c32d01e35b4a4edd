/**
 * Makes the variant of a configuration for another machine or for a smoke run: the changes that it needs, each with its
 * reason, and none that it already has.
 */
import type { Change } from '../config/change';
import { applyChanges } from '../config/edit';
import { isSevere } from '../config/issues';
import { GIB, MODAL, SAVED_MIB, WINDOW_BYTES } from '../config/facts';
import { KEYS } from '../config/keys';
import { scalarText } from '../config/scalar';
import { readConfig, type Settings } from '../config/settings';
import { inspectRun } from '../estimate/forecast';
import { isSmokeRun, TARGETS, type Target, type TargetName } from '../config/targets';

export type Variant = 'wsl2' | 'a100' | 'smoke' | 'smoke_modal';

export interface VariantInfo {
  readonly title: string;
  /** Path of the file, as the launcher reads it. */
  readonly name: string;
  readonly target: TargetName;
  readonly smoke: boolean;
  /** Part of the output folder’s name. */
  readonly tag: string;
}

export const VARIANTS: Readonly<Record<Variant, VariantInfo>> = {
  wsl2: {
    title: 'WSL2-safe',
    name: 'configs/local/train.yaml',
    target: 'wsl2',
    smoke: false,
    tag: 'wsl2',
  },
  a100: {
    title: 'A100 on Modal',
    name: 'configs/modal/train_a100.yaml',
    target: 'modal',
    smoke: false,
    tag: 'a100',
  },
  smoke: {
    title: 'local smoke run',
    name: 'configs/local/smoke.yaml',
    target: 'wsl2',
    smoke: true,
    tag: 'smoke',
  },
  smoke_modal: {
    title: 'smoke run on Modal',
    name: 'configs/modal/smoke_a100.yaml',
    target: 'modal',
    smoke: true,
    tag: 'smoke',
  },
};

export interface Derived {
  /** Path that the file should have. */
  readonly name: string;
  readonly target: Target;
  /** In the schema's order. */
  readonly changes: readonly Change[];
}

/** Of the presets: what fits where. */
const LOCAL_BATCH = 8;
const A100_BATCH = 64;
const MODAL_WORKERS = 8;
const MODAL_PREFETCH = 4;
const FULL_EPOCHS = 100;
const LOCAL_DATA = 'data_ext4/tusz/edf/train';

class Source {
  readonly info: VariantInfo;
  readonly #settings: Settings;

  constructor(
    text: string,
    variant: Variant,
    readonly target: Target,
  ) {
    const { errors, settings } = readConfig(text);
    if (errors.length > 0)
      throw new RangeError(
        `No variant can be made of a file that cannot be read: ${errors.map(({ message }) => message).join('; ')}. Fix the file first.`,
      );
    this.#settings = settings;
    this.info = VARIANTS[variant];
  }

  get modal(): boolean {
    return this.target.name === 'modal';
  }

  get(path: string): unknown {
    return this.#settings.value(path);
  }

  given(path: string): boolean {
    return this.#settings.read(path) !== undefined;
  }

  number(path: string): number {
    return this.#settings.number(path);
  }

  text(path: string): string {
    return this.#settings.text(path);
  }

  /** Workers, batch and epochs as the variant has them. */
  get workers(): number {
    const now = this.number('data.num_workers');
    if (!this.modal) return 0;
    const max = Math.floor(this.target.cores / 2);
    return now > 0 && now <= max ? now : Math.min(max, MODAL_WORKERS);
  }

  get batch(): number {
    const now = this.number('training.batch_size');
    if (this.modal) return now >= A100_BATCH ? now : A100_BATCH;
    return now <= LOCAL_BATCH ? now : LOCAL_BATCH;
  }

  get epochs(): number {
    const now = this.number('training.epochs');
    if (this.info.smoke) return 1;
    return now > 1 ? now : FULL_EPOCHS;
  }
}

interface Want {
  /** As a value, not as text; undefined wants nothing. */
  readonly value: string | number | boolean;
  readonly reason: string;
}

const want = (value: Want['value'], reason: string): Want => ({ value, reason });

const WORKERS_KILLED =
  'under WSL2 a worker was OOM-killed (31 GB, batch size 16, 4 workers, after 127 batches; review of 2025-01-19), and workers hung';

const folders = (path: string): string[] => path.split('/').filter((part) => part !== '' && part !== '.');

function cacheDir(source: Source): string {
  const now = source.text('data.cache_dir');
  const { smoke } = source.info;
  const onModal = /^\/results(\/|$)/.test(now);
  const parts = folders(onModal ? now.slice('/results'.length) : now);
  const last = parts.pop() ?? 'cache';
  const name = smoke ? 'smoke' : last === 'smoke' ? 'tusz' : last;
  const parents = last === 'cache' && name !== last ? [...parts, last] : parts;
  if (source.modal) {
    // A path from the root of another machine has only its last name in common with this one.
    const below = !onModal && now.startsWith('/') ? (name === 'cache' ? [] : ['cache']) : parents;
    return ['/results', ...below, name].join('/');
  }
  return `${now.startsWith('/') && !onModal ? '/' : ''}${[...parents, name].join('/')}`;
}

function outputDir(source: Source): string {
  const now = source.text('experiment.output_dir');
  const { smoke, tag } = source.info;
  const onModal = /^\/results(\/|$)/.test(now);
  const parts = folders(now);
  const last = parts.length > 1 ? (parts.pop() ?? '') : '';
  const other = /(^|_)(full|local|wsl2|a100|smoke)(?=_|$)/;
  const own = new RegExp(`(^|_)${tag}(_|$)`);
  const name = smoke
    ? 'smoke'
    : own.test(last)
      ? last
      : last === '' || last === 'smoke'
        ? `tusz_${tag}_${source.epochs}ep`
        : other.test(last)
          ? last.replace(other, `$1${tag}`)
          : `${last}_${tag}`;
  if (source.modal) return `/results/${name}`;
  return `${now.startsWith('/') && !onModal ? '/' : ''}${[...parts, name].join('/')}`;
}

const sameFolder = (a: string, b: string): boolean => folders(a).join('/') === folders(b).join('/');

function folderWant(now: string, then: string, reason: string): Want | undefined {
  return sameFolder(now, then) && now.startsWith('/') === then.startsWith('/')
    ? undefined
    : want(then, reason);
}

const cacheReason = ({ modal, info }: Source): string =>
  modal
    ? 'only files below /results persist after the container ends'
    : info.smoke
      ? 'the cache of a few files must not be taken for the full one'
      : 'below the trainer’s folder; /results is Modal’s volume';

/** What a variant wants of each key; undefined where the file has it already. */
const WANTS: Readonly<Record<string, (source: Source) => Want | undefined>> = {
  'data.data_dir': (source) => {
    const now = source.text('data.data_dir');
    if (source.modal)
      return now === MODAL.dataDir
        ? undefined
        : want(
            MODAL.dataDir,
            'the S3 mount; the launcher replaces any other path by it, so the file should name it',
          );
    return now.startsWith('/data/') ? want(LOCAL_DATA, '/data is Modal’s mount') : undefined;
  },
  'data.cache_dir': (source) =>
    folderWant(source.text('data.cache_dir'), cacheDir(source), cacheReason(source)),
  'data.num_workers': (source) => {
    const now = source.number('data.num_workers');
    const { workers, target } = source;
    if (now === workers) return undefined;
    if (!source.modal) return want(0, WORKERS_KILLED);
    return want(
      workers,
      now > workers
        ? `training and validation keep ${2 * now} workers alive on ${target.cores} cores; use ${workers} each`
        : `without workers the GPU waits for windows; training and validation share ${target.cores} cores`,
    );
  },
  'data.pin_memory': (source) =>
    source.get('data.pin_memory') === source.modal
      ? undefined
      : source.modal
        ? want(true, 'batches are copied while the GPU computes')
        : want(false, 'page-locked memory is scarce under WSL2'),
  'data.persistent_workers': (source) => {
    const persistent = source.workers > 0;
    if (source.get('data.persistent_workers') === persistent) return undefined;
    return persistent
      ? want(true, 'workers start once instead of every epoch')
      : want(false, 'there are no workers to keep');
  },
  'data.prefetch_factor': (source) => {
    const now = source.number('data.prefetch_factor');
    const { workers, batch } = source;
    if (workers === 0) return now === 2 ? undefined : want(2, 'ignored without workers; 2 is the default');
    if (now >= MODAL_PREFETCH) return undefined;
    const gib = (workers * MODAL_PREFETCH * batch * WINDOW_BYTES) / GIB;
    return want(
      MODAL_PREFETCH,
      `${workers} workers × ${MODAL_PREFETCH} prefetched batches take ${gib.toFixed(2)} GiB (derived)`,
    );
  },
  'training.epochs': (source) => {
    if (source.number('training.epochs') === source.epochs) return undefined;
    return source.info.smoke
      ? want(1, 'one epoch shows whether it runs')
      : want(source.epochs, 'a full run; early stopping ends it');
  },
  'training.batch_size': (source) => {
    const now = source.number('training.batch_size');
    if (now === source.batch) return undefined;
    return source.modal
      ? want(
          A100_BATCH,
          'uses more of an A100-80GB; the learning rate stays the same, scaling it is a separate decision',
        )
      : want(
          LOCAL_BATCH,
          'as in the WSL2-safe preset: a run of 16 was killed, and a smaller batch takes less RAM and GPU memory',
        );
  },
  'training.mixed_precision': (source) =>
    source.modal && source.get('training.mixed_precision') === false
      ? want(
          true,
          `bf16 autocast saves ${SAVED_MIB.autocast} MiB a window for the backward pass instead of ${SAVED_MIB.fp32} (measured on a CPU)`,
        )
      : undefined,
  'experiment.device': (source) => {
    const now = source.text('experiment.device');
    return source.modal && !['auto', 'cuda'].includes(now)
      ? want('auto', `${now} leaves the paid A100 unused`)
      : undefined;
  },
  'experiment.output_dir': (source) =>
    folderWant(
      source.text('experiment.output_dir'),
      outputDir(source),
      source.modal
        ? 'Modal’s volume; the launcher keeps only the last part, so it must be unique to this run'
        : 'a separate folder, so that no other run’s checkpoints are overwritten',
    ),
  'experiment.cache_dir': (source) => {
    if (!source.given('experiment.cache_dir')) return undefined;
    return folderWant(
      source.text('experiment.cache_dir'),
      cacheDir(source),
      'must equal data.cache_dir, otherwise the trainer warns',
    );
  },
};

/** Rules whose issues concern the machine alone: a variant for it has none of them. */
const OF_THE_MACHINE: readonly string[] = [
  'wsl2-workers',
  'persistent-needs-workers',
  'starved-loader',
  'cache-mismatch',
];

/** Fixes for invalid, critical and high issues, and for what does not suit the machine; one a key. */
function fixesFor(text: string, name: string, target: Target): readonly Change[] {
  const fixes = inspectRun(text, { name, target })
    .issues.filter((issue) => isSevere(issue) || OF_THE_MACHINE.includes(issue.id))
    .flatMap(({ fix = [], message }) =>
      // The issue says why, and last what to write, which the change says itself.
      fix.map((change) => ({ ...change, reason: message.replace(/; write [^;]*$/, '') })),
    );
  return fixes.filter(({ path }, i) => fixes.findIndex((one) => one.path === path) === i);
}

/** The last change of each key, in the schema's order; unknown keys at the end. */
function ordered(changes: readonly Change[]): Change[] {
  const last = new Map(changes.map((change) => [change.path, change]));
  const rank = (path: string): number => {
    const found = KEYS.findIndex((key) => key.path === path || key.path.startsWith(`${path}.`));
    return found < 0 ? KEYS.length : found;
  };
  return [...last.values()].sort((a, b) => rank(a.path) - rank(b.path));
}

/** Two rules whose fixes trigger each other would never end. */
const MAX_ROUNDS = 10;

/**
 * The changes that make of `text` the variant for `target` (by default the variant's own), with what its rules ask for.
 * Applying them is `applyChanges`. Throws a RangeError with a sentence where the text cannot be read, an EditError where a
 * value cannot be changed on its own.
 */
export function derive(
  text: string,
  variant: Variant,
  target: Target = TARGETS[VARIANTS[variant].target],
): Derived {
  const source = new Source(text, variant, target);
  const { name } = source.info;
  const wanted = KEYS.flatMap(({ path, kind }): Change[] => {
    const found = WANTS[path]?.(source);
    return found ? [{ path, value: scalarText(found.value, kind), reason: found.reason }] : [];
  });
  let made = applyChanges(text, wanted);
  const fixes: Change[] = [];
  for (let i = 0; i < MAX_ROUNDS; i++) {
    const more = fixesFor(made, name, target);
    const next = applyChanges(made, more);
    if (next === made) break;
    fixes.push(...more);
    made = next;
  }
  return { name, target, changes: ordered([...wanted, ...fixes]) };
}

/** The variant that a file of this path and target is. */
export function variantFor(name: string, target: TargetName): Variant {
  const smoke = isSmokeRun(name);
  if (target === 'modal') return smoke ? 'smoke_modal' : 'a100';
  return smoke ? 'smoke' : 'wsl2';
}
