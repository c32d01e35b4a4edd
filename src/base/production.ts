/**
 * What the trainer fixes, or takes where a file says nothing (its source at 2025-09-21), as far as the keys of its configuration
 * and the rooms that compute it, which do not import each other, both say it.
 */

/** Hz, of everything that the model sees. */
export const SAMPLE_RATE = 256;
/** EEG channels of a window: the electrodes of the 10–20 system. */
export const ELECTRODES = 19;
/** Of a window, and from the start of one to that of the next. */
export const WINDOW_SECONDS = 60;
export const STRIDE_SECONDS = 10;
export const WINDOW_SAMPLES = WINDOW_SECONDS * SAMPLE_RATE;
export const STRIDE_SAMPLES = STRIDE_SECONDS * SAMPLE_RATE;

/** Sizes of the model: model.* of the configuration. */
export const MODEL = {
  electrodes: ELECTRODES,
  baseChannels: 64,
  depth: 4,
  rescnnBlocks: 3,
  kernelSizes: [3, 5, 7],
  layers: 6,
  mixer: 'mamba2',
  dState: 16,
  expand: 2,
  headdim: 64,
  convKernel: 5,
  dropout: 0.1,
} as const;

/** Defaults of postprocessing.*, by the last parts of its keys. */
export const POSTPROCESSING = {
  tau_on: 0.86,
  tau_off: 0.78,
  min_onset_samples: 128,
  min_offset_samples: 256,
  opening_kernel: 11,
  closing_kernel: 31,
  min_duration_s: 3,
  max_duration_s: 600,
  tau_merge: 2,
  confidence_method: 'mean',
} as const;

/** Its search for thresholds keeps tau_off so far below tau_on. */
export const HYSTERESIS_GAP = 0.08;

/** False alarms per 24 hours at which it reports the sensitivity. */
export const FALSE_ALARM_RATES: readonly number[] = [10, 5, 2.5, 1];

/** After so many epochs it stops a run whose AUROC is below this, as no better than chance. */
export const COLLAPSE = { epochs: 3, auroc: 0.55 } as const;
