/** All scores of a detector on whole recordings: the trainer's and SzCORE's. */
import { FALSE_ALARM_RATES, HYSTERESIS_GAP } from '../../base/production';
import { falseAlarmsPer24Hours, sensitivity, taes, type EventPair } from './event_scores';
import { labelRuns, toEvents, type PredictedEvent, type SeizureEvent } from '../events/events';
import { postprocess, predictEvents, type Postprocessing } from '../events/postprocess';
import { SampleScorer, type SampleScores } from './sample_scores';
import { szcoreEvents, szcoreSamples, szcoreScores, type SzcoreScores } from './szcore';

/** One recording: stitched probabilities and labels (0: background), both [samples]. */
export interface ScoredRecording {
  /** Whose it is: SzCORE averages over subjects. */
  readonly subject: string;
  readonly probabilities: Float32Array;
  readonly labels: Uint8Array;
}

/** The smallest rate of false alarms per 24 hours, other than none, that so many hours of recordings can show: one alarm. */
export const smallestRate = (hours: number): number => 24 / hours;

/** What the detector finds when its threshold allows so many false alarms. */
export interface OperatingPoint {
  /** The allowed false alarms per 24 hours. */
  readonly falseAlarmRate: number;
  readonly tau_on: number;
  readonly tau_off: number;
  readonly sensitivity: number;
  /** What it comes to at this threshold. */
  readonly falseAlarmsPer24Hours: number;
  /** False where no threshold that was tried stays within the rate; the threshold is then the trainer's default. */
  readonly reached: boolean;
}

/** Sensitivity and false alarms at a threshold. */
export type CurvePoint = Pick<OperatingPoint, 'tau_on' | 'sensitivity' | 'falseAlarmsPer24Hours'>;

export interface DetectorScores extends SampleScores {
  readonly taes: number;
  readonly falseAlarmsPer24Hours: number;
  readonly sensitivity: number;
  readonly operatingPoints: readonly OperatingPoint[];
  /** By falling threshold; each differs from its neighbours. */
  readonly curve: readonly CurvePoint[];
  readonly szcore: { readonly events: SzcoreScores; readonly samples: SzcoreScores };
  readonly hours: number;
  /** By recording, in the order given. */
  readonly reference: readonly (readonly SeizureEvent[])[];
  readonly predicted: readonly (readonly PredictedEvent[])[];
}

/** The trainer's search: tau_on is halved in so many times, from HYSTERESIS_GAP to 1. */
const SEARCH_STEPS = 10;
const UNREACHED_TAU_ON = 0.86;
/** Thresholds of the curve beside those of the search. */
const CURVE = [0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1];

const sameScores = (one: CurvePoint, other: CurvePoint | undefined): boolean =>
  one.sensitivity === other?.sensitivity && one.falseAlarmsPer24Hours === other.falseAlarmsPer24Hours;

/** Scores `recordings` sampled at `rate` Hz. */
export function evaluate(
  recordings: readonly ScoredRecording[],
  parameters: Postprocessing,
  rate: number,
  falseAlarmRates: readonly number[] = FALSE_ALARM_RATES,
): DetectorScores {
  const samples = recordings.reduce((sum, { labels }) => sum + labels.length, 0);
  const scorer = new SampleScorer(samples);
  for (const { probabilities, labels } of recordings) scorer.add(probabilities, labels);
  const reference = recordings.map(({ labels }) => toEvents(labelRuns(labels), rate));
  const predicted = recordings.map(({ probabilities }) => predictEvents(probabilities, parameters, rate));
  const pairs = recordings.map(({ subject }, i) => ({
    subject,
    reference: reference[i] ?? [],
    predicted: predicted[i] ?? [],
    seconds: (recordings[i]?.labels.length ?? 0) / rate,
  }));
  const hours = samples / rate / 3600;
  return {
    ...scorer.scores(),
    taes: taes(pairs),
    falseAlarmsPer24Hours: falseAlarmsPer24Hours(pairs, hours),
    sensitivity: sensitivity(pairs),
    ...thresholds(recordings, parameters, rate, falseAlarmRates),
    szcore: {
      events: szcoreScores(pairs.map((pair) => ({ subject: pair.subject, counts: szcoreEvents(pair) }))),
      samples: szcoreScores(pairs.map((pair) => ({ subject: pair.subject, counts: szcoreSamples(pair) }))),
    },
    hours,
    reference,
    predicted,
  };
}

/**
 * Sensitivity at false-alarm rates as the trainer finds it: ten bisections of tau_on in [0.08, 1], towards lower
 * thresholds while the rate holds, the last that held counts. tau_off = tau_on − 0.08; everything else as configured.
 * The curve has these thresholds and those of CURVE. Exported for its tests.
 */
export function thresholds(
  recordings: readonly ScoredRecording[],
  parameters: Postprocessing,
  rate: number,
  falseAlarmRates: readonly number[],
): Pick<DetectorScores, 'operatingPoints' | 'curve'> {
  const reference = recordings.map(({ labels }) => toEvents(labelRuns(labels), rate));
  const hours = recordings.reduce((sum, { labels }) => sum + labels.length, 0) / rate / 3600;
  // The searches for different rates start with the same thresholds.
  const tried = new Map<number, Omit<OperatingPoint, 'falseAlarmRate' | 'reached'>>();
  const at = (tau_on: number) => {
    const known = tried.get(tau_on);
    if (known) return known;
    const tau_off = Math.max(0, tau_on - HYSTERESIS_GAP);
    const pairs = recordings.map(({ probabilities }, i): EventPair => ({
      reference: reference[i] ?? [],
      predicted: toEvents(postprocess(probabilities, { ...parameters, tau_on, tau_off }, rate), rate),
    }));
    const point = {
      tau_on,
      tau_off,
      sensitivity: sensitivity(pairs),
      falseAlarmsPer24Hours: falseAlarmsPer24Hours(pairs, hours),
    };
    tried.set(tau_on, point);
    return point;
  };
  const found = falseAlarmRates.map((falseAlarmRate): OperatingPoint => {
    let low = HYSTERESIS_GAP;
    let high = 1;
    let best: number | undefined;
    for (let step = 0; step < SEARCH_STEPS; step++) {
      const middle = (low + high) / 2;
      if (at(middle).falseAlarmsPer24Hours > falseAlarmRate) low = middle;
      else best = high = middle;
    }
    return { ...at(best ?? UNREACHED_TAU_ON), falseAlarmRate, reached: best !== undefined };
  });
  for (const tau_on of CURVE) at(tau_on);
  const points = [...tried.values()].sort((a, b) => b.tau_on - a.tau_on);
  const curve = points
    .filter((point, i) => !sameScores(point, points[i - 1]))
    .map(({ tau_on, sensitivity, falseAlarmsPer24Hours }) => ({
      tau_on,
      sensitivity,
      falseAlarmsPer24Hours,
    }));
  return { operatingPoints: found, curve };
}
