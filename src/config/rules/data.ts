/** Rules about data, its loaders, and the memory that a run takes. */
import type { Quantity } from '../../base/quantity';
import { CORPUS, GIB, WINDOW_SAMPLES } from '../facts';
import type { Settings } from '../settings';
import { vramGiB } from '../targets';
import {
  at,
  LAUNCHER,
  mend,
  NONE,
  PRODUCTION,
  set,
  SOURCE,
  type Found,
  type Rule,
  type Context,
} from './rule';

const SPLIT = 'data.validation_split';
const WORKERS = 'data.num_workers';

/** Bytes that scoring a sample takes. */
const BYTES_PER_SAMPLE = 77;
/** Python with CUDA, workers and what else runs beside the lists; assumed, at the upper end. */
const PROCESSES_GIB = 7;
const VALIDATION_GIB_PER_SHARE =
  ((CORPUS.validationWindows / CORPUS.countedSplit) * WINDOW_SAMPLES * BYTES_PER_SAMPLE) / GIB;

export const DATA_RULES: readonly Rule[] = [
  {
    id: 'patient-leak',
    severity: 'C',
    note: true,
    evidence: `${SOURCE}: the sorted list of files is cut in two; a patient has several files.`,
    check: (settings) =>
      settings.number(SPLIT) > 0
        ? at(
            SPLIT,
            'the split is by file: recordings of one patient land on both sides, and the scores come out too good; trust only scores on the corpus’s own dev and eval sets',
          )
        : NONE,
  },
  {
    id: 'empty-manifest',
    severity: 'C',
    note: true,
    targets: PRODUCTION,
    evidence: `${SOURCE}: balanced sampling draws from a manifest, and takes one without seizures as it is.`,
    check: (settings) =>
      settings.value('data.use_balanced_sampling') === true
        ? at(
            'data.use_balanced_sampling',
            'run scan-cache first: a manifest without seizures trains a useless model',
          )
        : NONE,
  },
  {
    id: 'no-validation',
    severity: 'H',
    targets: PRODUCTION,
    evidence: `${SOURCE}: validation runs after the first epoch whether there is data for it or not, before the first checkpoint.`,
    check: (settings, context) =>
      settings.number(SPLIT) === 0
        ? mend(
            SPLIT,
            share(context),
            `without held-out files the run fails after its first epoch, before any checkpoint; write ${share(context)}`,
            'something to validate on',
          )
        : NONE,
  },
  {
    id: 'validation-ram',
    severity: 'H',
    targets: PRODUCTION,
    evidence: `Estimate: all probabilities and labels are kept and sorted, about 77 bytes a sample; ${CORPUS.validationWindows.toLocaleString('en')} windows are held out at ${CORPUS.countedSplit} of the corpus.`,
    check: (settings, context) => {
      // So named, the launcher takes 50 files alone; elsewhere a smoke run limits them too.
      if (context.smoke) return NONE;
      const gib = settings.number(SPLIT) * VALIDATION_GIB_PER_SHARE;
      if (!(gib > context.target.ramGiB)) return NONE;
      const most = share(context);
      return mend(
        SPLIT,
        most,
        `on the whole corpus the first validation takes about ${gib.toFixed(0)} GiB of the ${context.target.ramGiB} GiB there are, and the host’s out-of-memory killer ends the run; write ${most}`,
        `about ${(most * VALIDATION_GIB_PER_SHARE).toFixed(0)} GiB at the first validation`,
      );
    },
  },
  {
    id: 'cache-mismatch',
    severity: 'M',
    targets: PRODUCTION,
    evidence: `${SOURCE}: only data.cache_dir is used. ${LAUNCHER}: it prefixes experiment.cache_dir alone with /results, the volume that outlives the container.`,
    check: (settings, { target }) => cacheMismatch(settings, target.name === 'modal'),
  },
  {
    id: 'wsl2-workers',
    severity: 'M',
    targets: ['wsl2'],
    evidence:
      'Seen: a worker was killed by the host after 127 batches with 4 workers and 31 GB, and loaders hung.',
    check: (settings) =>
      Object.entries(WSL2_SAFE).flatMap(([path, value]) =>
        settings.value(path) === value
          ? NONE
          : mend(
              path,
              value,
              `under WSL2 this hung, and killed a run; write ${value}`,
              'hung under WSL2, and killed a run',
            ),
      ),
  },
  {
    id: 'persistent-needs-workers',
    severity: 'M',
    targets: PRODUCTION,
    evidence: `${SOURCE}: both are given to the loader only where num_workers is above 0.`,
    check: (settings) => {
      if (settings.number(WORKERS) !== 0) return NONE;
      const prefetch = 'data.prefetch_factor';
      return [
        ...(settings.value('data.persistent_workers') === true
          ? mend(
              'data.persistent_workers',
              false,
              'is ignored without workers; write false',
              'there are no workers',
            )
          : NONE),
        ...(settings.number(prefetch) > 2
          ? mend(prefetch, 2, 'is ignored without workers; write 2, the default', 'there are no workers')
          : NONE),
      ];
    },
  },
  {
    id: 'starved-loader',
    severity: 'M',
    targets: PRODUCTION,
    evidence: `${SOURCE}: the training and the validation loader each keep num_workers processes.`,
    check: (settings, { target }) => {
      const [workers, { cores }] = [settings.number(WORKERS), target];
      if (!(cores < 2 * workers)) return NONE;
      const most = Math.floor(cores / 2);
      return mend(
        WORKERS,
        most,
        `${workers} workers for training and as many for validation on ${cores} cores: they starve each other; write ${most}`,
        `two loaders share ${cores} cores`,
      );
    },
  },
  {
    id: 'vram',
    severity: 'H',
    evidence: 'Predicted from the model’s shapes and the allocator’s rules; the range is what is not known.',
    check: (settings, { figures, target }) => {
      const batch = settings.number('training.batch_size');
      const likely = figures?.vramGiB?.likely ?? 0;
      const fits = Math.floor((batch * vramGiB(target)) / likely);
      const fix = [set('training.batch_size', fits, 'memory grows with the batch')];
      return over(figures?.vramGiB, vramGiB(target), `of the GPU’s memory (${target.gpu.name})`, {
        ...(fits >= 1 && fits < batch && { fix }),
      });
    },
  },
  {
    id: 'host-ram',
    severity: 'H',
    evidence:
      'Predicted from workers, batches in flight and the size of a recording; the range is what is not known.',
    check: (settings, { figures, target }) => {
      const workers = settings.number(WORKERS);
      const fix = [
        set(WORKERS, Math.floor(workers / 2), 'every worker holds whole recordings and its own batches'),
      ];
      return over(figures?.hostGiB, target.ramGiB, 'of the machine’s memory', {
        ...(workers > 0 && { fix }),
      });
    },
  },
];

const WSL2_SAFE = {
  'data.num_workers': 0,
  'data.pin_memory': false,
  'data.persistent_workers': false,
} as const;

/** The largest share of the corpus, in steps of 0.01 up to 0.1, whose validation takes at most 0.9 of the memory. */
function share({ target, smoke }: Context): number {
  const fits = Math.floor((100 * (target.ramGiB - PROCESSES_GIB)) / VALIDATION_GIB_PER_SHARE) / 100;
  return smoke ? 0.1 : Math.min(0.1, Math.max(0.01, fits));
}

function cacheMismatch(settings: Settings, modal: boolean): readonly Found[] {
  const [own, other] = ['data.cache_dir', 'experiment.cache_dir'] as const;
  const cache = settings.text(own);
  if (modal && !/^\/results(?:\/|$)/.test(cache)) {
    const kept = `/results/${cache.replace(/^\/+/, '')}`;
    return mend(
      own,
      kept,
      `outside /results it is lost with the container; write ${kept}`,
      'a volume that outlives the container',
    );
  }
  if (settings.read(other) === undefined || settings.text(other) === cache || cache === '') return NONE;
  return mend(
    other,
    cache,
    `is not data.cache_dir (${cache}), which alone is used: a cache that lies here is built anew; write ${cache}`,
    'the folder that is used',
  );
}

function over(
  figure: Quantity | undefined,
  has: number,
  what: string,
  more: Partial<Found>,
): readonly Found[] {
  if (!figure || figure.high <= has) return NONE;
  const gib = (value: number): string => value.toFixed(1);
  const range = `${gib(figure.likely)} GiB ${what} (${gib(figure.low)} to ${gib(figure.high)}), and there are ${has}`;
  return figure.likely > has
    ? at('training.batch_size', `it takes about ${range}`, more)
    : at('training.batch_size', `it may not fit: about ${range}`, { ...more, severity: 'M' });
}
