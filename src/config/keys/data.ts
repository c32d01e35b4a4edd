/** Sections data and preprocessing. */
import { ELECTRODES, SAMPLE_RATE, STRIDE_SECONDS, WINDOW_SECONDS } from '../../base/production';
import { above, bool, choice, fixed, float, int, keysOf, text, type Key } from './declare';

const { live, unused } = keysOf('data');
const preprocessing = keysOf('preprocessing');

const FIXED = { why: 'preprocessing is fixed in code: 0.5–120 Hz, notch at 60 Hz, z-score by channel' };

export const DATA: readonly Key[] = [
  unused('dataset', choice('tuh_eeg', 'chb_mit'), 'tuh_eeg', 'Name of the corpus.'),
  live(
    'data_dir',
    text,
    'data',
    'Folder of the recordings: every EDF file below it is taken. On Modal the launcher replaces it by /data/edf/train, or by /data where that is missing.',
  ),
  live(
    'cache_dir',
    text,
    'cache/data',
    'Folder of the prepared windows: train/ and val/ below it hold one compressed array a recording. On Modal only /results outlives the container.',
  ),
  live(
    'use_balanced_sampling',
    bool,
    true,
    'Trains on all windows that seize in part, 0.3 times as many that seize throughout, and 2.5 times as many without a seizure, as the manifest of the training cache lists them.',
  ),
  live('sampling_rate', fixed(SAMPLE_RATE), SAMPLE_RATE, 'Rate to which recordings are resampled.', {
    unit: 'Hz',
  }),
  live('n_channels', fixed(ELECTRODES), ELECTRODES, 'Electrodes of the 10–20 system that the model sees.'),
  live('window_size', fixed(WINDOW_SECONDS), WINDOW_SECONDS, 'Length of a window.', { unit: 's' }),
  live('stride', fixed(STRIDE_SECONDS), STRIDE_SECONDS, 'From the start of one window to that of the next.', {
    unit: 's',
  }),
  live(
    'num_workers',
    int(0, 32),
    0,
    'Processes that read windows, in training and in validation; where they persist, both sets stay in memory. Each holds whole recordings in memory, and under WSL2 they hung or were OOM-killed: 0 is safe there.',
  ),
  live(
    'pin_memory',
    bool,
    false,
    'Page-locked batches, which are copied to the GPU faster. WSL2 has little memory that can be locked.',
  ),
  live(
    'persistent_workers',
    bool,
    false,
    'Workers outlive an epoch, those of training and of validation side by side. Needs num_workers above 0.',
  ),
  live(
    'prefetch_factor',
    int(2),
    2,
    'Batches that each worker reads ahead: workers × this × batch_size × 1.23 MB wait in memory. Counts only with num_workers above 0.',
    { unit: 'batches' },
  ),
  live(
    'validation_split',
    float(0, 0.5),
    0.2,
    'Share of the files, sorted by path, that is the validation split. In TUSZ 2.x’s layout at most one patient is on both sides. build-cache does not read it here, and splits at 0.2 unless told. Scoring takes about 77 bytes a sample: 57 GiB for 0.2 of the corpus.',
  ),
  unused('max_samples', int(1), null, 'Limit of windows.', { nullable: true, unit: 'windows' }),
  unused('max_hours', above(0), null, 'Limit of recorded time.', { nullable: true, unit: 'h' }),
];

export const PREPROCESSING: readonly Key[] = [
  preprocessing.unused(
    'montage',
    choice('10-20', 'standard_1020'),
    '10-20',
    'Montage of the electrodes.',
    FIXED,
  ),
  preprocessing.unused(
    'bandpass',
    { type: 'band', min: 0.1, max: 200 },
    [0.5, 120],
    'Edges of the band-pass filter.',
    { unit: 'Hz', ...FIXED },
  ),
  preprocessing.unused('notch_freq', choice(50, 60), 60, 'Frequency of the mains, which is filtered out.', {
    unit: 'Hz',
    ...FIXED,
  }),
  preprocessing.unused('normalize', bool, true, 'Z-score of each channel over the recording.', FIXED),
  preprocessing.unused('use_mne', bool, true, 'Whether MNE reads the EDF files.', FIXED),
];
