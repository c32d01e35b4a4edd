/** Facts that a configuration is compared against. Each number stands here once, with its source. */
import { ELECTRODES, WINDOW_SAMPLES } from '../base/production';
import { quantity, type Quantity } from '../base/quantity';
import { MIB } from '../base/units';
import type { GpuId } from './gpus';

/** Day of the trainer's source, its launcher's with it, in which facts were read. */
export const READ_AT = '2025-09-21';

/** EEG [19, 15360] and labels [15360] of a window in float32, bytes: 1.2288 MB. */
export const EEG_BYTES = ELECTRODES * WINDOW_SAMPLES * 4;
export const LABEL_BYTES = WINDOW_SAMPLES * 4;
export const WINDOW_BYTES = EEG_BYTES + LABEL_BYTES;

/** Of /dev/shm in a Docker container that is started without --shm-size; in Linux it is half of the memory. */
export const DOCKER_SHM_BYTES = 64 * MIB;

/** The training corpus, TUSZ: recordings and windows as the trainer's manifests count them at a validation split of 0.2. */
export const CORPUS = {
  recordings: 3734,
  trainingWindows: 252_089,
  validationWindows: 51_901,
  /** Windows that balanced sampling draws for an epoch. */
  balancedWindows: 49_760,
  countedSplit: 0.2,
} as const;

/** Windows that the main process reads before each epoch's first batch, for statistics (the trainer's source at 2025-09-21). */
export const FIRST_WINDOWS = 1000;
/** Windows that it reads at most in search of a seizure where balanced sampling finds no manifest (the same source). */
export const SEARCHED_WINDOWS = 20_000;

/**
 * Passes of post-processing over a validation: one for its events, and for each rate of false alarms ten of a bisection and one
 * for the sensitivity (the trainer's source at 2025-09-21).
 */
const passes = (rates: number): number => 1 + 11 * rates;

/** In which a window of a validation is scored, in Python, seconds: 38.7 s for 800 windows at four rates, the trainer's code run. */
export const scoringSeconds = (rates: number): number => (38.7 / 800) * (passes(rates) / passes(4));

/**
 * In which a window of a recording is preprocessed and compressed, seconds. Preprocessing in scipy and numpy's
 * savez_compressed took 0.14 s on a machine that decompresses about half as fast as the measurements assume.
 */
export const PREPROCESS_SECONDS = quantity(
  [0.05, 0.1, 0.2],
  'assumed',
  'about 0.1 s a window to preprocess and compress recordings; reading an EDF file was not measured',
);

/** Learning rates: from the first on later models of the trainer gave NaN; the second is below it. */
export const NAN_RATE = 1.5e-4;
export const SAFE_RATE = 1e-4;

/** MiB that each window saves for the backward pass; measured on a CPU with the convolution mixer. */
export const SAVED_MIB = {
  fp32: 235.3,
  /** Under autocast to 16 bits: activations, and weights cast once. */
  autocast: 117.9,
  casts: 25.5,
} as const;

/** What the launcher asks of Modal, and what it does to a run (its source at 2025-09-21). */
export const MODAL = {
  /** Modal ends a job after so many hours, its maximum: the launcher asks for it in seconds. */
  jobHours: 24,
  cores: 8,
  ramGiB: 32,
  /** A container may use so many cores more than it asks for, where its machine has them (Modal's documentation). */
  moreCores: 16,
  /** The launcher replaces data.data_dir by this folder where it exists, else by `mount`, which always does. */
  dataDir: '/data/edf/train',
  mount: '/data',
  /** The volume that outlives the container; only what lies below it is kept. */
  results: '/results',
  /** Secrets that must exist, the second also with W&B off. */
  secrets: { aws: 'aws-s3-secret', wandb: 'wandb-secret' },
} as const;

/**
 * Recordings that a smoke run takes: on Modal the launcher limits those to train on (BGB_LIMIT_FILES), and a fifth as many are
 * held out at most; elsewhere they are linked into a folder of their own by the commands that Smokescan writes.
 */
export const SMOKE_FILES = { modal: 50, local: 10, wsl2: 10 } as const;
/** So much of a smoke run's few recordings is held out, where nothing else is said. */
export const SMOKE_SPLIT = 0.2;

export interface ReportedPace {
  readonly id: SourceId;
  readonly gpu: GpuId;
  /** Of its arithmetic, and windows of a step, by the configurations for that machine. */
  readonly precision: 'fp16' | 'fp32';
  readonly batch: number;
  /** Hours of an epoch of the balanced set. */
  readonly hours: Quantity;
  /** The same in words. */
  readonly said: string;
}

/** Documents whose figures are shown in several places, and what those figures rest on. */
export const SOURCES = {
  review: { basis: 'assumed', text: 'review of 2025-01-19, which estimates it' },
  later: { basis: 'assumed', text: 'reported of later runs of the trainer, in round numbers' },
} as const satisfies Readonly<Record<string, Pick<Quantity, 'basis'> & { readonly text: string }>>;
export type SourceId = keyof typeof SOURCES;

const from = (id: SourceId, hours: readonly [number, number, number], said: string) => ({
  id,
  hours: quantity(hours, SOURCES[id].basis, `${said}; ${SOURCES[id].text}`),
  said,
});

/** Reported hours of an epoch of the balanced set; the later runs' first, because they were made. */
export const REPORTED_PACES: readonly [ReportedPace, ...ReportedPace[]] = [
  {
    gpu: 'rtx4090',
    precision: 'fp32',
    batch: 8,
    ...from('later', [2, 2.5, 3], '2–3 h on an RTX 4090'),
  },
  {
    gpu: 'a100-80',
    precision: 'fp16',
    batch: 64,
    ...from('later', [0.8, 1, 1.2], 'about 1 h on an A100'),
  },
  {
    gpu: 'rtx4090',
    precision: 'fp16',
    batch: 8,
    ...from('review', [0.75, 0.75, 0.75], '45 min on an RTX 4090'),
  },
  {
    gpu: 'a100-80',
    precision: 'fp16',
    batch: 64,
    ...from('review', [0.25, 0.25, 0.25], '15 min on an A100'),
  },
];
