/**
 * The scores of NEDC's eeg_eval, which the TUSZ corpus is published with: EPOCH, OVLP and TAES of the label `seiz`
 * (Ziyabari et al. 2017, https://arxiv.org/abs/1712.10107), with the arithmetic and the quirks of its version 6.0.0
 * (https://isip.piconepress.com/projects/tuh_eeg/downloads/nedc_eeg_eval).
 */
import { checkEvents, type SeizureEvent } from '../events/events';
import type { ScoredEvents } from './szcore';

/** Counts of seizures; fractions in TAES, samples in EPOCH. Counts of recordings may be added. */
export interface NedcCounts {
  readonly targets: number;
  readonly hits: number;
  readonly misses: number;
  readonly falseAlarms: number;
  /** Length of the recordings. */
  readonly seconds: number;
}

export interface NedcScores extends NedcCounts {
  /** 0 without a target, as there. */
  readonly sensitivity: number;
  /** 0 without a detection, as there. */
  readonly precision: number;
  /** 0 where both of them are. */
  readonly f1: number;
  /** Events, in EPOCH seconds. */
  readonly falseAlarmsPer24Hours: number;
}

export interface NedcSummary {
  readonly epoch: NedcScores;
  readonly ovlp: NedcScores;
  readonly taes: NedcScores;
}

/** Seconds between two samples of EPOCH. */
const EPOCH = 0.25;

/** A stretch of one label; the stretches of a recording follow each other without a gap. */
interface Stretch extends SeizureEvent {
  readonly seizure: boolean;
}

/** Scores recordings by all three methods. Throws RangeError for events that are no stretch of time. */
export function nedcScores(recordings: readonly ScoredEvents[]): NedcSummary {
  const pairs = recordings.map(({ reference, predicted, seconds }) => {
    checkEvents(reference, 'reference');
    checkEvents(predicted, 'predicted');
    return { reference: stretches(reference, seconds), predicted: stretches(predicted, seconds), seconds };
  });
  const scored = (
    count: (reference: readonly Stretch[], predicted: readonly Stretch[]) => Counted,
  ): NedcCounts =>
    sum(pairs.map(({ reference, predicted, seconds }) => ({ ...count(reference, predicted), seconds })));
  return {
    epoch: scores(scored(countEpochs), EPOCH),
    ovlp: scores(scored(countOverlaps), 1),
    taes: scores(scored(countTimeAligned), 1),
  };
}

type Counted = Omit<NedcCounts, 'seconds'>;

function sum(recordings: readonly NedcCounts[]): NedcCounts {
  const total = (name: keyof NedcCounts): number => recordings.reduce((all, counts) => all + counts[name], 0);
  return {
    targets: total('targets'),
    hits: total('hits'),
    misses: total('misses'),
    falseAlarms: total('falseAlarms'),
    seconds: total('seconds'),
  };
}

function scores(counts: NedcCounts, secondsEach: number): NedcScores {
  const { hits, misses, falseAlarms, seconds } = counts;
  const ratio = (a: number, b: number): number => (b === 0 ? 0 : a / b);
  const sensitivity = ratio(hits, hits + misses);
  const precision = ratio(hits, hits + falseAlarms);
  return {
    ...counts,
    sensitivity,
    precision,
    f1: ratio(2 * precision * sensitivity, precision + sensitivity),
    falseAlarmsPer24Hours: ratio(falseAlarms * secondsEach, seconds) * 86_400,
  };
}

/** Seizures with the background between them; what touches or overlaps is one. Times are compared to 0.1 ms, as there. */
function stretches(events: readonly SeizureEvent[], seconds: number): Stretch[] {
  const round = (time: number): number => Math.round(time * 1e4) / 1e4;
  const seizures: SeizureEvent[] = [];
  for (const { start, end } of [...events].sort((a, b) => a.start - b.start)) {
    const last = seizures.at(-1);
    if (last && round(start) <= round(last.end))
      seizures[seizures.length - 1] = { start: last.start, end: Math.max(last.end, end) };
    else seizures.push({ start, end });
  }
  const all: Stretch[] = [];
  let at = 0;
  for (const { start, end } of seizures) {
    if (at !== round(start)) all.push({ start: at, end: round(start), seizure: false });
    all.push({ start, end, seizure: true });
    at = round(end);
  }
  if (at !== round(seconds)) all.push({ start: at, end: round(seconds), seizure: false });
  return all;
}

/** Both annotations sampled in the middle of every quarter of a second, the stretch that ends there first. */
function countEpochs(reference: readonly Stretch[], predicted: readonly Stretch[]): Counted {
  const counts = { targets: 0, hits: 0, misses: 0, falseAlarms: 0 };
  const end = reference.at(-1)?.end ?? 0;
  const reader = (all: readonly Stretch[]): ((time: number) => boolean) => {
    let i = 0;
    return (time) => {
      while (i < all.length - 1 && (all[i]?.end ?? 0) < time) i++;
      return all[i]?.seizure ?? false;
    };
  };
  const [seizure, detected] = [reader(reference), reader(predicted)];
  for (let i = 0; EPOCH / 2 + i * EPOCH <= end; i++) {
    const time = EPOCH / 2 + i * EPOCH;
    const [is, said] = [seizure(time), detected(time)];
    if (is) counts.targets++;
    if (is && said) counts.hits++;
    else if (is) counts.misses++;
    else if (said) counts.falseAlarms++;
  }
  return counts;
}

/** Any overlap finds a seizure, and clears a detection. */
function countOverlaps(reference: readonly Stretch[], predicted: readonly Stretch[]): Counted {
  const [seizures, detections] = [seizuresOf(reference), seizuresOf(predicted)];
  const meets = (a: SeizureEvent, others: readonly SeizureEvent[]): boolean =>
    others.some((b) => b.end > a.start && b.start < a.end);
  const hits = seizures.filter((event) => meets(event, detections)).length;
  return {
    targets: seizures.length,
    hits,
    misses: seizures.length - hits,
    falseAlarms: detections.filter((event) => !meets(event, seizures)).length,
  };
}

const seizuresOf = (all: readonly Stretch[]): Stretch[] => all.filter(({ seizure }) => seizure);

/**
 * Fractions of hits and false alarms. Each seizure in turn takes the detections that overlap it and are not taken yet; one
 * that outlasts the seizure takes the seizures that follow within it as misses, and a seizure that outlasts its detection
 * takes the detections that follow. What is not taken is a whole miss or a whole false alarm. Whether two touch is
 * decided in whole seconds once the first overlap was found.
 */
function countTimeAligned(reference: readonly Stretch[], predicted: readonly Stretch[]): Counted {
  const [seizures, detections] = [seizuresOf(reference), seizuresOf(predicted)];
  const [freeSeizure, freeDetection] = [seizures.map(() => true), detections.map(() => true)];
  const counts = { targets: seizures.length, hits: 0, misses: 0, falseAlarms: 0 };
  const touch = (a: SeizureEvent, b: SeizureEvent): boolean =>
    Math.trunc(a.start) <= Math.trunc(b.end) && Math.trunc(b.start) <= Math.trunc(a.end);
  seizures.forEach((seizure, i) => {
    const met = detections.some(({ start, end }) => end > seizure.start && start < seizure.end);
    if (!met || !freeSeizure[i]) return;
    detections.forEach((detection, j) => {
      if (!freeDetection[j] || !touch(seizure, detection)) return;
      const first = shares(seizure, detection);
      let [hit, miss, falseAlarm] = [first.hit, 1 - first.hit, first.falseAlarm];
      freeSeizure[i] = freeDetection[j] = false;
      if (detection.end >= seizure.end)
        for (let next = i + 1; next < seizures.length; next++) {
          if (!touch(seizures[next] as Stretch, detection)) continue;
          freeSeizure[next] = false;
          miss++;
        }
      else
        for (let next = j + 1; next < detections.length; next++) {
          if (!touch(seizure, detections[next] as Stretch)) continue;
          freeDetection[next] = false;
          const more = shares(seizure, detections[next] as Stretch);
          hit += more.hit;
          miss -= more.hit;
          falseAlarm += more.falseAlarm;
        }
      counts.hits += hit;
      counts.misses += miss;
      counts.falseAlarms += falseAlarm;
    });
  });
  counts.misses += freeSeizure.filter(Boolean).length;
  counts.falseAlarms += freeDetection.filter(Boolean).length;
  return counts;
}

/** Shares of the seizure's duration that a detection finds, and that it says outside of it, the latter at most 1. */
function shares(
  seizure: SeizureEvent,
  detection: SeizureEvent,
): { readonly hit: number; readonly falseAlarm: number } {
  const duration = seizure.end - seizure.start;
  const before = seizure.start - detection.start;
  const after = detection.end - seizure.end;
  if (before >= 0 && after <= 0)
    return { hit: (detection.end - seizure.start) / duration, falseAlarm: Math.min(1, before / duration) };
  if (before <= 0 && after >= 0)
    return { hit: (seizure.end - detection.start) / duration, falseAlarm: Math.min(1, after / duration) };
  if (before > 0 && after > 0) return { hit: 1, falseAlarm: Math.min(1, (after + before) / duration) };
  return { hit: (detection.end - detection.start) / duration, falseAlarm: 0 };
}
