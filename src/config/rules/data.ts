/** Rules about data, its loaders, and the memory that a run takes. */
import { several } from '../../base/text';
import { GIB } from '../../base/units';
import type { Change } from '../change';
import { CORPUS, MODAL, SMOKE_FILES, SMOKE_SPLIT } from '../facts';
import { killsOn } from '../kills';
import { outlives } from '../launcher';
import type { Settings } from '../settings';
import { isPlatform, PLATFORMS } from '../targets';
import type { Target } from '../targets';
import { remedyOf, type Judged, type Verdict } from '../verdict';
import { at, LAUNCHER, fixAt, NONE, set, SOURCE, type Found, type Rule } from './rule';

/** Files of the corpus, those that are held out among them. */
const FILES = Math.round(CORPUS.recordings / (1 - CORPUS.countedSplit));
/** Held out where nothing was, and nothing is predicted of the run. */
const FIRST_SPLIT = 0.04;
const SPLIT = 'data.validation_split';
const WORKERS = 'data.num_workers';

export const DATA_RULES: readonly Rule[] = [
  {
    id: 'no-validation',
    severity: 'high',
    targets: PLATFORMS,
    evidence: `${SOURCE}: validation runs after the first epoch whether there is data for it or not, before the first checkpoint.`,
    check: (settings, { verdict, smoke, target }) => {
      const held = settings.number(SPLIT);
      // On Modal a smoke run's limit comes after the split.
      const few = smoke && isPlatform(target.name) && target.name !== 'modal';
      const files = few ? SMOKE_FILES[target.name] : FILES;
      // As the trainer counts: the whole part of files × split.
      if (!(held * files < 1)) return NONE;
      const split = remedyOf(verdict, 'split')?.value ?? (few ? SMOKE_SPLIT : FIRST_SPLIT);
      const of = few ? `a smoke run’s ${files} files` : 'the corpus’s files';
      return fixAt(
        SPLIT,
        split,
        `${held === 0 ? 'without' : `${held} of ${of} is none, and without`} held-out files the run fails after its first epoch, before any checkpoint; write ${split}`,
        'something to validate on',
      );
    },
  },
  {
    id: 'validation-ram',
    needs: 'verdict',
    severity: 'high',
    targets: PLATFORMS,
    evidence:
      'Simulated: the processes of the trainer, which keeps all probabilities and labels of validation and sorts them, about 77 bytes a sample.',
    check: (_, { verdict, target }) => {
      const [split, batch] = [remedyOf(verdict, 'split')?.value, remedyOf(verdict, 'ram-batch')?.value];
      const why = 'its validation stays within the system RAM';
      const fix =
        split !== undefined
          ? set(SPLIT, split, why)
          : batch !== undefined
            ? set(BATCH, batch, why)
            : undefined;
      return overRam(target, SPLIT, verdict?.ram.validation, 'the first validation', '', fix, verdict);
    },
  },
  {
    id: 'cache-mismatch',
    severity: 'medium',
    targets: PLATFORMS,
    evidence: `${SOURCE}: only data.cache_dir is used. ${LAUNCHER}: it puts experiment.cache_dir alone below ${MODAL.results}, the volume that outlives the container, where it is relative.`,
    check: (settings, { target }) => cacheMismatch(settings, target.name === 'modal'),
  },
  {
    id: 'wsl2-workers',
    severity: 'medium',
    targets: ['wsl2'],
    evidence: `Seen: ${killsOn('wsl2').join('; ')}; loaders also hung.`,
    check: (settings) =>
      Object.entries(WSL2_SAFE).flatMap(([path, value]) =>
        settings.value(path) === value
          ? NONE
          : fixAt(
              path,
              value,
              `loaders hung or were OOM-killed with this under WSL2; write ${value}`,
              'loaders hung or were OOM-killed under WSL2',
            ),
      ),
  },
  {
    id: 'persistent-needs-workers',
    severity: 'medium',
    targets: PLATFORMS,
    evidence: `${SOURCE}: both are given to the loader only where num_workers is above 0.`,
    check: (settings) => {
      if (settings.number(WORKERS) !== 0) return NONE;
      const prefetch = 'data.prefetch_factor';
      return [
        ...(settings.value('data.persistent_workers') === true
          ? fixAt(
              'data.persistent_workers',
              false,
              'is ignored without workers; write false',
              'there are no workers',
            )
          : NONE),
        ...(settings.number(prefetch) > 2
          ? fixAt(prefetch, 2, 'is ignored without workers; write 2, the default', 'there are no workers')
          : NONE),
      ];
    },
  },
  {
    id: 'starved-loader',
    severity: 'medium',
    targets: PLATFORMS,
    evidence: `${SOURCE}: one loader runs at a time, that of training or that of validation, with num_workers processes.`,
    check: (settings, { target }) => {
      const [workers, { cores }] = [settings.number(WORKERS), target];
      if (!(cores < workers)) return NONE;
      const max = Math.max(1, Math.floor(cores));
      return fixAt(
        WORKERS,
        max,
        `${workers} workers share ${cores} cores, and more than one a core only adds memory; write ${max}`,
        `one worker for each of ${cores} cores`,
      );
    },
  },
  {
    id: 'slow-loading',
    needs: 'verdict',
    severity: 'medium',
    targets: ['local', 'modal'],
    evidence: `${SOURCE}: a window decompresses its whole recording, in the main process where num_workers is 0. Hours are predicted as “estimate” does.`,
    check: (settings, { verdict, target }) => {
      const faster = remedyOf(verdict, 'loading');
      // Where no number of jobs completes the run, never-completes says so.
      if (!verdict || !faster || (target.name === 'modal' && !verdict.jobs)) return NONE;
      const { epoch, epochs } = verdict;
      const workers = settings.number(WORKERS);
      const hours = (value: number): string => `${Number(value.toPrecision(3))} h`;
      return fixAt(
        WORKERS,
        faster.value,
        `the GPU waits for recordings that ${workers === 0 ? 'the main process decompresses' : `${several(workers, 'worker')} decompress`}: an epoch takes about ${hours(epoch.likely)}${epochs > 1 ? `, all ${epochs} about ${hours(epochs * epoch.likely)}` : ''}. With ${several(faster.value, 'worker')} an epoch takes about ${hours(faster.hours)}; write ${faster.value}${target.name === 'local' ? ', but 0 where this is WSL2' : ''}`,
        'windows are decompressed beside the GPU',
      );
    },
  },
  {
    id: 'vram',
    needs: 'verdict',
    severity: 'high',
    evidence: 'Predicted from the model’s shapes and the allocator’s rules; the range is what is not known.',
    check: (_, { verdict, target }) => {
      const [batch, layers] = [remedyOf(verdict, 'batch')?.value, remedyOf(verdict, 'layers')?.value];
      const fixes = [
        ...(batch === undefined ? [] : [[set(BATCH, batch, 'the memory of activations grows with it')]]),
        ...(layers === undefined
          ? []
          : [[set('model.mamba.n_layers', layers, 'fewer layers save fewer activations')]]),
      ];
      const [fix, ...instead] = fixes;
      return over(BATCH, verdict?.gpu, 'training', `of GPU memory (${target.gpu.name})`, {
        ...(fix && { fix, instead }),
      });
    },
  },
  {
    id: 'host-ram',
    needs: 'verdict',
    severity: 'high',
    targets: PLATFORMS,
    evidence:
      'Simulated: the trainer’s processes with its DataLoader, its prefetched batches and the recordings that workers decompress; the range is what is not known.',
    check: (_, { verdict, target }) => {
      if (!verdict) return NONE;
      const [workers, batch] = [remedyOf(verdict, 'workers')?.value, remedyOf(verdict, 'ram-batch')?.value];
      const { training, oomShare, runs } = verdict.ram;
      const killed =
        oomShare > 0 ? `, OOM-killed in ${Math.round(100 * oomShare)} % of ${runs} simulated runs` : '';
      const fix =
        workers !== undefined
          ? set(WORKERS, workers, 'every worker holds recordings and batches of its own')
          : batch !== undefined
            ? set(BATCH, batch, 'the recordings of a batch’s windows may all be in memory')
            : undefined;
      return overRam(
        target,
        WORKERS,
        training,
        'training',
        target.name === 'modal' ? '' : killed,
        fix,
        verdict,
      );
    },
  },
];

const BATCH = 'training.batch_size';

const WSL2_SAFE = {
  'data.num_workers': 0,
  'data.pin_memory': false,
  'data.persistent_workers': false,
} as const;

function cacheMismatch(settings: Settings, modal: boolean): readonly Found[] {
  const [own, other] = ['data.cache_dir', 'experiment.cache_dir'] as const;
  const cache = settings.text(own);
  if (modal && !outlives(cache)) {
    const kept = `${MODAL.results}/${cache.replace(/^\/+/, '')}`;
    return fixAt(
      own,
      kept,
      `outside ${MODAL.results} it is lost with the container; write ${kept}`,
      'a volume that outlives the container',
    );
  }
  const given = settings.text(other);
  const written = modal && !given.startsWith('/') ? `${MODAL.results}/${given}` : given;
  if (settings.read(other) === undefined || cache === '' || sameFolder(written, cache)) return NONE;
  return fixAt(
    other,
    cache,
    `is not data.cache_dir (${cache}), which alone is used: a cache that lies here is built anew; write ${cache}`,
    'the folder that is used',
  );
}

/** As paths are compared once they are resolved. */
function sameFolder(one: string, other: string): boolean {
  const resolved = (path: string): string =>
    `${path.startsWith('/') ? '/' : ''}${path
      .split('/')
      .filter((part) => part !== '' && part !== '.')
      .join('/')}`;
  return resolved(one) === resolved(other);
}

/** Of what Modal is asked for, a container may use more, as long as its machine has it. */
function overRam(
  target: Target,
  path: string,
  judged: Judged | undefined,
  who: string,
  killed: string,
  fix: Change | undefined,
  verdict: Verdict | undefined,
): readonly Found[] {
  const more = fix ? { fix: [fix] } : {};
  const needed = remedyOf(verdict, 'ram')?.value;
  const enough = fix || needed === undefined ? '' : `; ${needed} GiB would do`;
  if (target.name !== 'modal')
    return over(fix?.path ?? path, judged, who, `of system RAM${killed}${enough}`, more);
  return over(fix?.path ?? path, judged, who, 'that the app requests of Modal', more).map((found) => ({
    ...found,
    message: `${found.message}. A request is no limit: Modal bills what is used, and may end the container where its machine has no more`,
  }));
}

function over(
  path: string,
  judged: Judged | undefined,
  who: string,
  what: string,
  more: Partial<Found>,
): readonly Found[] {
  if (!judged || judged.fit === 'fits') return NONE;
  const gib = (bytes: number): string => Number((bytes / GIB).toPrecision(3)).toString();
  const { need, limit } = judged;
  const write = more.fix?.[0]?.value;
  const range = `about ${gib(need.likely)} GiB (${gib(need.low)} to ${gib(need.high)}) of ${gib(limit)} GiB ${what}${write === undefined ? '' : `; write ${write}`}`;
  return judged.fit === 'borderline'
    ? at(
        path,
        `${who} is borderline${need.likely <= limit ? ': the likely value fits, the high one does not; it' : ': it'} takes ${range}`,
        {
          ...more,
          severity: 'medium',
        },
      )
    : at(path, `${who} won’t fit: it takes ${range}`, more);
}
