/**
 * Makes the variant of a configuration for another machine or for a smoke run: the changes that it needs, each with its
 * reason, and none that it already has.
 */
import { GIB } from '../base/units';
import type { Change } from '../config/change';
import { applyChanges, applyFixes } from '../config/edit';
import { isForeign, isSevere } from '../config/issues';
import { withSchema } from '../config/json_schema';
import { MODAL, SAVED_MIB, SMOKE_FILES, SMOKE_SPLIT, WINDOW_BYTES } from '../config/facts';
import { KEYS } from '../config/keys';
import { killsOn } from '../config/kills';
import { outlives } from '../config/launcher';
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
/** Of a smoke run, the last name of each of its folders. */
const SMOKE = 'smoke';

/** The file's settings, the variant that is made of it, and what that has of workers, windows in a batch and epochs. */
interface Draft {
  readonly settings: Settings;
  readonly info: VariantInfo;
  readonly target: Target;
  readonly modal: boolean;
  readonly workers: number;
  readonly batch: number;
  readonly epochs: number;
}

function draftOf(settings: Settings, info: VariantInfo, target: Target): Draft {
  const modal = target.name === 'modal';
  const workers = settings.number('data.num_workers');
  const batch = settings.number('training.batch_size');
  const epochs = settings.number('training.epochs');
  const maxWorkers = Math.max(1, Math.floor(target.cores));
  const modalWorkers = workers > 0 && workers <= maxWorkers ? workers : Math.min(maxWorkers, MODAL_WORKERS);
  // A value that is no number is NaN, which no comparison holds for.
  const modalBatch = batch >= A100_BATCH ? batch : A100_BATCH;
  const localBatch = batch <= LOCAL_BATCH ? batch : LOCAL_BATCH;
  return {
    settings,
    info,
    target,
    modal,
    workers: modal ? modalWorkers : 0,
    batch: modal ? modalBatch : localBatch,
    epochs: info.smoke ? 1 : epochs > 1 ? epochs : FULL_EPOCHS,
  };
}

interface Want {
  /** As a value, not as text; undefined wants nothing. */
  readonly value: string | number | boolean;
  readonly reason: string;
}

const want = (value: Want['value'], reason: string): Want => ({ value, reason });

const folders = (path: string): string[] => path.split('/').filter((part) => part !== '' && part !== '.');

function cacheDir(draft: Draft): string {
  const now = draft.settings.text('data.cache_dir');
  const { smoke } = draft.info;
  const onModal = outlives(now);
  const parts = folders(onModal ? now.slice(MODAL.results.length) : now);
  const last = parts.pop() ?? 'cache';
  const name = smoke ? 'smoke' : last === 'smoke' ? 'tusz' : last;
  const parents = last === 'cache' && name !== last ? [...parts, last] : parts;
  if (draft.modal) {
    // A path from the root of another machine has only its last name in common with this one.
    const below = !onModal && now.startsWith('/') ? (name === 'cache' ? [] : ['cache']) : parents;
    return [MODAL.results, ...below, name].join('/');
  }
  return `${now.startsWith('/') && !onModal ? '/' : ''}${[...parents, name].join('/')}`;
}

function outputDir(draft: Draft): string {
  const now = draft.settings.text('experiment.output_dir');
  const { smoke, tag } = draft.info;
  const onModal = outlives(now);
  const parts = folders(now);
  const last = parts.length > 1 ? (parts.pop() ?? '') : '';
  const other = /(^|_)(full|local|wsl2|a100|smoke)(?=_|$)/;
  const own = new RegExp(`(^|_)${tag}(_|$)`);
  const name = smoke
    ? 'smoke'
    : own.test(last)
      ? last
      : last === '' || last === 'smoke'
        ? `tusz_${tag}_${draft.epochs}ep`
        : other.test(last)
          ? last.replace(other, `$1${tag}`)
          : `${last}_${tag}`;
  if (draft.modal) return `${MODAL.results}/${name}`;
  return `${now.startsWith('/') && !onModal ? '/' : ''}${[...parts, name].join('/')}`;
}

const sameFolder = (a: string, b: string): boolean => folders(a).join('/') === folders(b).join('/');

function folderWant(now: string, then: string, reason: string): Want | undefined {
  return sameFolder(now, then) && now.startsWith('/') === then.startsWith('/')
    ? undefined
    : want(then, reason);
}

const cacheReason = ({ modal, info }: Draft): string =>
  modal
    ? `only files below ${MODAL.results} persist after the container ends`
    : info.smoke
      ? 'the cache of a few files must not be taken for the full one'
      : `below the trainer’s folder; ${MODAL.results} is Modal’s volume`;

/** What a variant wants of each key; undefined where the file has it already. */
const WANTS: Readonly<Record<string, (draft: Draft) => Want | undefined>> = {
  'data.data_dir': (draft) => {
    const now = draft.settings.text('data.data_dir');
    if (draft.modal)
      return now === MODAL.dataDir
        ? undefined
        : want(
            MODAL.dataDir,
            'in the S3 mount; where it exists the launcher replaces any other path by it, so the file should name it',
          );
    const parts = folders(now.startsWith('/data/') ? LOCAL_DATA : now);
    const isSmoke = parts.at(-1) === SMOKE;
    if (!draft.info.smoke) {
      if (isSmoke) return want(LOCAL_DATA, 'the whole corpus, not the few recordings of a smoke run');
      return now.startsWith('/data/') ? want(LOCAL_DATA, '/data is Modal’s mount') : undefined;
    }
    if (isSmoke) return undefined;
    const above = parts.slice(0, parts.at(-2) === 'edf' ? -2 : -1);
    const root = now.startsWith('/') && !now.startsWith('/data/') ? '/' : '';
    return want(
      `${root}${[...above, SMOKE].join('/')}`,
      'a few recordings in a folder of their own: a limit of files does not reach the cache',
    );
  },
  'data.cache_dir': (draft) =>
    folderWant(draft.settings.text('data.cache_dir'), cacheDir(draft), cacheReason(draft)),
  'data.use_balanced_sampling': (draft) => {
    const balanced = draft.settings.value('data.use_balanced_sampling') !== false;
    if (draft.modal && draft.info.smoke)
      return balanced
        ? want(false, 'there is no manifest of so few files, and a run would write an empty one, which stays')
        : undefined;
    const wasSmoke = folders(draft.settings.text('data.cache_dir')).at(-1) === SMOKE;
    return wasSmoke && !balanced ? want(true, 'draws from the manifest of its own cache') : undefined;
  },
  'data.validation_split': (draft) => {
    const held = Math.floor(draft.settings.number('data.validation_split') * SMOKE_FILES.local);
    return draft.info.smoke && !draft.modal && !(held >= 1)
      ? want(SMOKE_SPLIT, 'of so few recordings, some must be held out')
      : undefined;
  },
  'data.num_workers': (draft) => {
    const now = draft.settings.number('data.num_workers');
    const { workers } = draft;
    if (now === workers) return undefined;
    if (!draft.modal) return want(0, `${killsOn('wsl2').join('; ')}; workers also hung`);
    return want(
      workers,
      now > workers
        ? `${now} workers share ${draft.target.cores} cores; more than one a core only adds memory`
        : `without workers the GPU waits for windows; there are ${draft.target.cores} cores`,
    );
  },
  'data.pin_memory': (draft) =>
    draft.settings.value('data.pin_memory') === draft.modal
      ? undefined
      : draft.modal
        ? want(true, 'batches are copied while the GPU computes')
        : want(false, 'page-locked memory is scarce under WSL2'),
  'data.persistent_workers': (draft) => {
    const persistent = draft.workers > 0;
    if (draft.settings.value('data.persistent_workers') === persistent) return undefined;
    return persistent
      ? want(true, 'workers start once instead of every epoch')
      : want(false, 'there are no workers to keep');
  },
  'data.prefetch_factor': (draft) => {
    const now = draft.settings.number('data.prefetch_factor');
    const { workers, batch } = draft;
    if (workers === 0) return now === 2 ? undefined : want(2, 'ignored without workers; 2 is the default');
    if (now >= MODAL_PREFETCH) return undefined;
    const gib = (workers * MODAL_PREFETCH * batch * WINDOW_BYTES) / GIB;
    return want(
      MODAL_PREFETCH,
      `${workers} workers × ${MODAL_PREFETCH} prefetched batches take ${gib.toFixed(2)} GiB (derived)`,
    );
  },
  'training.epochs': (draft) => {
    if (draft.settings.number('training.epochs') === draft.epochs) return undefined;
    return draft.info.smoke
      ? want(1, 'one epoch shows whether it runs')
      : want(draft.epochs, 'a full run; early stopping ends it');
  },
  'training.batch_size': (draft) => {
    const now = draft.settings.number('training.batch_size');
    if (now === draft.batch) return undefined;
    return draft.modal
      ? want(
          A100_BATCH,
          'uses more of an A100-80GB; the learning rate stays the same, scaling it is a separate decision',
        )
      : want(
          LOCAL_BATCH,
          'as in the WSL2-safe preset: a run of 16 was killed, and a smaller batch takes less RAM and GPU memory',
        );
  },
  'training.mixed_precision': (draft) =>
    draft.modal && draft.settings.value('training.mixed_precision') === false
      ? want(
          true,
          `autocast saves ${SAVED_MIB.autocast} MiB a window for the backward pass instead of ${SAVED_MIB.fp32} (measured on a CPU)`,
        )
      : undefined,
  'experiment.device': (draft) => {
    const now = draft.settings.text('experiment.device');
    return draft.modal && !['auto', 'cuda'].includes(now)
      ? want('auto', `${now} leaves the paid A100 unused`)
      : undefined;
  },
  'experiment.output_dir': (draft) =>
    folderWant(
      draft.settings.text('experiment.output_dir'),
      outputDir(draft),
      draft.modal
        ? 'Modal’s volume; the launcher keeps only the last part, so it must be unique to this run'
        : 'a separate folder, so that no other run’s checkpoints are overwritten',
    ),
  'experiment.cache_dir': (draft) => {
    if (draft.settings.read('experiment.cache_dir') === undefined) return undefined;
    return folderWant(
      draft.settings.text('experiment.cache_dir'),
      cacheDir(draft),
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
  'amp-4090',
  'conv-kernel',
  'validation-ram',
  'host-ram',
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

/**
 * The changes that make of `text` the variant for `target` (by default the variant's own), with what its rules ask for.
 * Applying them is `applyChanges`. Throws a RangeError with a sentence where the text cannot be read or is of something else, an EditError where a
 * value cannot be changed on its own.
 */
export function derive(
  text: string,
  variant: Variant,
  target: Target = TARGETS[VARIANTS[variant].target],
): Derived {
  const file = readConfig(text);
  const { errors, settings } = file;
  if (isForeign(file))
    throw new RangeError('No variant can be made of a file that is no configuration of the trainer.');
  if (errors.length > 0)
    throw new RangeError(
      `No variant can be made of a file that cannot be read: ${errors.map(({ message }) => message).join('; ')}. Fix the file first.`,
    );
  const info = VARIANTS[variant];
  const { name } = info;
  const draft = draftOf(settings, info, target);
  const wanted = KEYS.flatMap(({ path, kind }): Change[] => {
    const found = WANTS[path]?.(draft);
    return found ? [{ path, value: scalarText(found.value, kind), reason: found.reason }] : [];
  });
  const { rounds } = applyFixes(applyChanges(text, wanted), (made) => fixesFor(made, name, target));
  return { name, target, changes: ordered([...wanted, ...rounds.flat()]) };
}

/** What files that are kept as they were say of themselves, behind their schema where they name one. */
const AS_IT_WAS = /^#[^\n]*to learn from, not to launch\.[^\n]*/m;

/** The text of a variant: with its changes and its schema, and without what its source alone says of itself. */
export const variantText = (text: string, { name, target, changes }: Derived): string =>
  withSchema(
    applyChanges(text, changes).replace(AS_IT_WAS, `# Made by Smokescan for ${target.title}, as ${name}.`),
    name,
  );

/** The variant that a file of this path and target is. */
export function variantFor(name: string, target: TargetName): Variant {
  const smoke = isSmokeRun(name);
  if (target === 'modal') return smoke ? 'smoke_modal' : 'a100';
  return smoke ? 'smoke' : 'wsl2';
}
