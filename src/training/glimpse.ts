/** What the detector says now of a part of a recording, between two steps. */
import { SHOWN_RATE } from '../detection/detect';
import { stitchWindows, type Evaluator } from '../detection/evaluation';
import { stitched } from '../eeg/events/stitch';
import { highestInRecordedTime } from '../eeg/files/recorded_time';
import { SAMPLE_RATE } from '../eeg/signal/preprocess';
import type { Dataset } from '../eeg/windows/dataset';
import { WINDOW } from '../eeg/windows/windows';
import type { Glimpse, Watched } from './protocol';

/**
 * Probabilities of the windows that cover the part, each window alone, without overlap. Undefined where the detector cannot
 * take the recording, or it has gaps: then samples do not lie at their seconds.
 */
export async function glimpse(
  evaluator: Evaluator,
  dataset: Dataset,
  { recording, start, seconds }: Watched,
): Promise<Glimpse | undefined> {
  const info = dataset.folder.recordings[recording];
  if (!info || info.unusable !== null || info.samples < WINDOW || info.segments.length > 1) return undefined;
  const count = Math.ceil((seconds * SAMPLE_RATE) / WINDOW);
  // In the middle of its windows, as far as the recording's ends let it.
  const wanted = Math.round((start + seconds / 2) * SAMPLE_RATE - (count * WINDOW) / 2);
  const first = Math.max(0, Math.min(wanted, info.samples - count * WINDOW));
  const starts = Array.from({ length: count }, (_, i) => i * WINDOW).filter(
    (at) => first + at + WINDOW <= info.samples,
  );
  const labels = new Float32Array(WINDOW);
  const probabilities = await stitched(starts.length * WINDOW, (stitcher) =>
    stitchWindows(
      evaluator,
      starts,
      (at, x) => dataset.fill({ recording, start: first + at }, x, labels),
      stitcher,
      () => undefined,
    ),
  );
  const length = probabilities.length / SAMPLE_RATE;
  return {
    recording,
    start: first / SAMPLE_RATE,
    rate: SHOWN_RATE,
    probabilities: highestInRecordedTime(
      probabilities,
      [{ start: 0, firstSample: 0, samples: probabilities.length }],
      length,
      SHOWN_RATE,
    ),
  };
}
