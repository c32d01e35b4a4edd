/** Section postprocessing: probabilities to events. */
import {
  POSTPROCESSING as DEFAULTS,
  SAMPLE_RATE,
  STRIDE_SAMPLES,
  WINDOW_SAMPLES,
} from '../../base/production';
import { above, bool, choice, float, int, keysOf, odd, type Key } from './declare';

const { live, unused } = keysOf('postprocessing');
const SAMPLES = { unit: 'samples' };
const SECONDS = { unit: 's' };

export const POSTPROCESSING: readonly Key[] = [
  live(
    'hysteresis.tau_on',
    float(0.5, 1),
    DEFAULTS.tau_on,
    'Probability from which an event starts. Must be above tau_off.',
  ),
  live('hysteresis.tau_off', float(0.5, 1), DEFAULTS.tau_off, 'Probability below which an event ends.'),
  live(
    'hysteresis.min_onset_samples',
    int(1),
    DEFAULTS.min_onset_samples,
    `How long the probability stays at tau_on before an event starts; ${SAMPLE_RATE} are a second.`,
    SAMPLES,
  ),
  live(
    'hysteresis.min_offset_samples',
    int(1),
    DEFAULTS.min_offset_samples,
    'How long the probability stays below tau_off before the event ends.',
    SAMPLES,
  ),
  live(
    'morphology.opening_kernel',
    odd(1),
    DEFAULTS.opening_kernel,
    'Events shorter than this disappear (opening).',
    SAMPLES,
  ),
  live(
    'morphology.closing_kernel',
    odd(1),
    DEFAULTS.closing_kernel,
    'Gaps shorter than this are closed (closing).',
    SAMPLES,
  ),
  unused('morphology.use_gpu', bool, false, 'Where opening and closing are computed.'),
  live('duration.min_duration_s', float(0), DEFAULTS.min_duration_s, 'Shorter events are dropped.', SECONDS),
  live(
    'duration.max_duration_s',
    above(0),
    DEFAULTS.max_duration_s,
    'Longer events are cut in pieces of this length. At least min_duration_s.',
    SECONDS,
  ),
  live('events.tau_merge', float(0), DEFAULTS.tau_merge, 'Events with gaps up to this are one.', SECONDS),
  live(
    'events.confidence_method',
    choice('mean', 'peak', 'percentile'),
    DEFAULTS.confidence_method,
    'How an event’s confidence is made of its probabilities.',
  ),
  unused(
    'events.confidence_percentile',
    { type: 'float', above: 0, below: 1 },
    0.75,
    'Share of an event’s probabilities below its confidence, for the method percentile.',
  ),
  unused(
    'stitching.method',
    choice('overlap_add', 'overlap_add_weighted', 'max'),
    'overlap_add',
    'How overlapping windows become one track.',
  ),
  unused('stitching.window_size', int(1), WINDOW_SAMPLES, 'Length of a window for stitching.', SAMPLES),
  unused('stitching.stride', int(1), STRIDE_SAMPLES, 'Distance of windows for stitching.', SAMPLES),
  unused('min_duration', float(1), 3, 'Deprecated: duration.min_duration_s is the one that counts.', SECONDS),
];
