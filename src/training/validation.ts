/** Whole recordings through the detector, stitched and scored as the trainer scores them. */
import { evaluate, type ScoredRecording } from '../eeg/scores/evaluate';
import { Stitcher } from '../eeg/events/stitch';
import type { Dataset } from '../eeg/windows/dataset';
import { highestInRecordedTime, inRecordedTime } from '../eeg/files/recorded_time';
import type { RecordingInfo } from '../eeg/files/recording';
import { SAMPLE_RATE } from '../eeg/signal/preprocess';
import { WINDOW, windowStarts } from '../eeg/windows/windows';
import type { Device } from '../engine/device';
import type { Program } from '../engine/program';
import type { EvaluationGraph } from './graphs';
import type { RecordingResult, Scores } from './protocol';
import type { EegSettings } from './settings';
import { answered } from './watchdog';

/** Hz of the probabilities that are shown. */
const SHOWN_RATE = 4;

/** A detector whose weights are on the device. */
export interface Evaluator {
  readonly device: Device;
  readonly evaluating: Program;
  readonly evaluation: EvaluationGraph;
}

export interface Validation {
  readonly scores: Scores;
  readonly results: readonly RecordingResult[];
}

/**
 * `turn` is called before each batch and may wait or throw, which ends it. Recordings shorter than a window are left
 * out. Undefined when nothing is left.
 */
export async function validate(
  { device, evaluating: program, evaluation: { x, probabilities } }: Evaluator,
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
  const batch = x.shape[0] as number;
  const perWindow = x.shape[2] as number;
  const eeg = new Float32Array(batch * WINDOW * perWindow);
  const labels = new Float32Array(WINDOW);
  let done = 0;
  const scored: ScoredRecording[] = [];
  for (const { recording, info, starts } of infos) {
    const stitcher = new Stitcher(info.samples);
    for (let first = 0; first < starts.length; first += batch) {
      await turn(done, total);
      const chosen = starts.slice(first, first + batch);
      for (const [i, start] of chosen.entries())
        await dataset.fill(
          { recording, start },
          eeg.subarray(i * WINDOW * perWindow, (i + 1) * WINDOW * perWindow),
          labels,
        );
      program.write(x, eeg);
      program.run();
      const values = (await answered(device, program.read())).get(probabilities) as Float32Array;
      for (const [i, start] of chosen.entries())
        stitcher.add(start, values.subarray(i * WINDOW, (i + 1) * WINDOW));
      done += chosen.length;
    }
    scored.push({ subject: info.patient, probabilities: stitcher.finish(), labels: labelsOf(info) });
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
