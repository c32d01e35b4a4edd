/** The windows that a run reads: of the corpus or of a smoke run's recordings, with a manifest or without one. */
import { several } from '../base/text';
import { CORPUS, SEARCHED_WINDOWS, SMOKE_FILES } from '../config/facts';
import { isSmokeRun, type Platform } from '../config/targets';

/** Windows of an epoch, and those that are read before the first one. */
export interface EpochWindows {
  readonly training: number;
  readonly validation: number;
  /** Validation windows at a validation split of 1; left out where another split would not change them so. */
  readonly whole?: number | undefined;
  /** Of the cached recordings whose windows are counted at the start; left out: those of validation. */
  readonly counted?: number;
  /** Of the recordings that are preprocessed at the start, because they are not cached. */
  readonly preprocessed?: number;
  /** Read one by one at the start, in search of seizures. */
  readonly searched?: number;
  /** What they are, where they are not the whole corpus's with its manifest; a sentence. */
  readonly about?: string;
}

/**
 * `built`: by build-cache, with the manifest that it writes. `none`: the run preprocesses its recordings itself; balanced
 * sampling finds no seizure in its manifest, and the trainer falls back to all windows.
 */
export const CACHES = ['built', 'none'] as const;
export type Cache = (typeof CACHES)[number];

export interface Recordings {
  readonly balanced: boolean;
  readonly validationSplit: number;
  /** In the run's folder; left out: the corpus's. */
  readonly files?: number | undefined;
  /** BGB_LIMIT_FILES. */
  readonly limit?: number | undefined;
  readonly cache?: Cache;
}

/** Windows of a recording that is trained on, and of one that is held out: the first of the sorted files are shorter. */
const TRAINED = CORPUS.trainingWindows / CORPUS.recordings;
const HELD =
  CORPUS.validationWindows / ((CORPUS.recordings * CORPUS.countedSplit) / (1 - CORPUS.countedSplit));

/** The recordings of the configuration at `path`, as the printed commands lead to them. */
export const recordingsAt = (
  path: string,
  platform: Platform,
): Pick<Recordings, 'files' | 'limit'> & { readonly cache: Cache } => {
  if (!isSmokeRun(path)) return { cache: 'built' };
  return platform === 'modal'
    ? { limit: SMOKE_FILES.modal, cache: 'none' }
    : { files: SMOKE_FILES[platform], cache: 'built' };
};

/** Windows of a run as its data sets make them (the trainer's source at 2025-09-21). */
export function epochWindows({
  balanced,
  validationSplit,
  files,
  limit = Infinity,
  cache = 'built',
}: Recordings): EpochWindows {
  const all = files ?? CORPUS.recordings / (1 - CORPUS.countedSplit);
  const split = validationSplit * all;
  const out = files === undefined ? split : Math.floor(split);
  const trainedFiles = Math.min(limit, all - out);
  const heldFiles = Math.min(out, limit === Infinity ? out : Math.max(1, Math.floor(limit / 5)));
  const every = Math.round(TRAINED * trainedFiles);
  const validation = Math.round(HELD * heldFiles);
  const whole = limit === Infinity && files === undefined ? Math.round(HELD * all) : undefined;
  const some = (windows: number): string => windows.toLocaleString('en');
  const taken =
    limit === Infinity
      ? ''
      : `It takes ${several(trainedFiles, 'recording')} to train on and ${some(heldFiles)} to validate, `;
  if (cache === 'none') {
    const searched = balanced ? Math.min(SEARCHED_WINDOWS, every) : 0;
    const fallback = balanced
      ? `There is no manifest, so the trainer falls back to all ${some(every)} windows, and reads ${some(searched)} of them one by one to find seizures`
      : `An epoch has all ${some(every)} windows`;
    return {
      ...{ training: every, validation, whole, searched },
      ...{ counted: 0, preprocessed: every + validation },
      about: `${taken === '' ? 'Nothing is cached' : `${taken}of which nothing is cached`}: they are preprocessed before the first epoch. ${fallback}.`,
    };
  }
  if (!balanced)
    return {
      ...{ training: every, validation, whole, counted: every + validation },
      ...(taken !== '' && { about: `${taken}all cached.` }),
    };
  if (files !== undefined)
    return {
      ...{ training: every, validation },
      about: `Its ${some(files)} recordings were chosen for their seizures, so balanced sampling may draw nearly all of their ${some(every)} windows; the estimate assumes that many.`,
    };
  const kept = (1 - validationSplit) / (1 - CORPUS.countedSplit);
  return {
    ...{ training: Math.round(kept * CORPUS.balancedWindows), validation, whole },
    ...(limit !== Infinity && {
      about: `The limit of ${limit} files reaches validation alone: windows are drawn from the manifest, which is taken to be the whole corpus’s.`,
    }),
  };
}
