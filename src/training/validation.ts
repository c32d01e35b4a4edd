/** Whole recordings through the detector, stitched and scored as the trainer scores them. */
import { evaluate, type ScoredRecording } from '../eeg/scores/evaluate';
import { SHOWN_RATE } from '../detection/detect';
import { stitchWindows, type Evaluator } from '../detection/evaluation';
import type { RecordingResult } from '../detection/protocol';
import { stitched } from '../eeg/events/stitch';
import type { Dataset } from '../eeg/windows/dataset';
import { highestInRecordedTime, inRecordedTime } from '../eeg/files/recorded_time';
import type { RecordingInfo } from '../eeg/files/recording';
import { SAMPLE_RATE } from '../eeg/signal/preprocess';
import { WINDOW, windowStarts } from '../eeg/windows/windows';
import type { Scores } from './protocol';
import type { EegSettings } from './settings';

export interface Validation {
  readonly scores: Scores;
  readonly results: readonly RecordingResult[];
}

/**
 * `turn` is called before each batch and may wait or throw, which ends it. Recordings shorter than a window are left
 * out. Undefined when nothing is left.
 */
export async function validate(
  evaluator: Evaluator,
  dataset: Dataset,
  recordings: readonly number[],
  { validationStride, postprocessing, falseAlarmRates }: EegSettings,
  turn: (done: number, total: number) => Promise<void>,
): Promise<Validation | undefined> {
  const stride = validationStride * SAMPLE_RATE;
  const infos = recordings.flatMap((recording) => {
    const info = dataset.folder.recordings[recording];
    const starts = info ? windowStarts(info, stride) : [];
    return info && starts.length > 0 ? [{ recording, info, starts }] : [];
  });
  if (infos.length === 0) return undefined;
  const total = infos.reduce((sum, { starts }) => sum + starts.length, 0);
  const labels = new Float32Array(WINDOW);
  let done = 0;
  const scored: ScoredRecording[] = [];
  for (const { recording, info, starts } of infos) {
    const probabilities = await stitched(info.samples, (stitcher) =>
      stitchWindows(
        evaluator,
        starts,
        (start, x) => dataset.fill({ recording, start }, x, labels),
        stitcher,
        (of) => turn(done + of, total),
      ),
    );
    done += starts.length;
    scored.push({ subject: info.patient, probabilities, labels: labelsOf(info) });
  }
  const { reference, predicted, ...scores } = evaluate(scored, postprocessing, SAMPLE_RATE, falseAlarmRates);
  const results = infos.map(({ recording, info: { segments, duration } }, i) => ({
    recording,
    rate: SHOWN_RATE,
    probabilities: highestInRecordedTime(
      scored[i]?.probabilities ?? new Float32Array(),
      segments,
      duration,
      SHOWN_RATE,
    ),
    reference: inRecordedTime(reference[i] ?? [], segments),
    predicted: inRecordedTime(predicted[i] ?? [], segments),
  }));
  return { scores, results };
}

function labelsOf({ samples, seizures }: RecordingInfo): Uint8Array {
  const labels = new Uint8Array(samples);
  for (const { from, to } of seizures) labels.fill(1, from, to);
  return labels;
}

/**
 * The value of an early-stopping metric; undefined where the validation recordings have no seizure to find. What is none of
 * the scores is 0, as the trainer reads it.
 */
export function metricOf(scores: Scores, metric: string): number | undefined {
  if (metric === 'auroc') return scores.auroc;
  if (scores.seizureSamples === 0) return undefined;
  if (metric === 'taes') return scores.taes;
  const rate = Number(/^sensitivity_at_([\d.]+)fa$/.exec(metric)?.[1]);
  return scores.operatingPoints.find(({ falseAlarmRate }) => falseAlarmRate === rate)?.sensitivity ?? 0;
}
