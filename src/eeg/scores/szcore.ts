/**
 * Scores as the field compares detectors: SzCORE (Dan et al., "SzCORE: Seizure Community Open-Source Research Evaluation
 * framework for the validation of electroencephalography-based automated seizure detection algorithms", Epilepsia 2025,
 * https://doi.org/10.1111/epi.18113), with the rules of its library timescoring (https://github.com/esl-epfl/timescoring).
 */
import { checkEvents, union, type Run, type SeizureEvent } from '../events/events';
import { roundHalfEven } from '../signal/resample';

/** How the trainer's scores differ, for whoever reads both. */
export const HOW_THE_TRAINER_DIFFERS =
  'The trainer counts a detected event as a false alarm only when it overlaps no seizure at all, scores a seizure by the ' +
  'share of its time that was found (its TAES), and works at 256 Hz with the events as they come. SzCORE, which papers ' +
  'report, first joins events less than 90 s apart and cuts those above 5 minutes, then forgives 30 s before and 60 s ' +
  'after a seizure: a detection that overlaps this longer stretch finds the seizure, and one that overlaps none is a false ' +
  'alarm. Its scores are averaged over subjects. The numbers of the two must not be compared.';

/** Seconds before and after a seizure in which a detection still belongs to it. */
const TOLERANCE_BEFORE = 30;
const TOLERANCE_AFTER = 60;
/** Events less than this apart, in seconds, are one. */
const MERGE_BELOW = 90;
/** Longer events, in seconds, are cut. */
const LONGEST = 5 * 60;
/** The library's resolutions, in Hz. */
const EVENT_RATE = 10;
const SAMPLE_RATE = 1;

/** What a recording counts; events or seconds. Counts of recordings may be added. */
export interface SzcoreCounts {
  /** Reference events after joining and cutting, or seconds of seizure. */
  readonly reference: number;
  readonly truePositives: number;
  readonly falsePositives: number;
  /** Length of the recordings. */
  readonly hours: number;
}

/** Scores of counts; those of the library's `computeScores`. */
export interface SzcoreMetrics {
  /** NaN without a reference. */
  readonly sensitivity: number;
  /** NaN without a detection. */
  readonly precision: number;
  /** 2 tp / (2 tp + fp + fn); NaN where there is neither a reference nor a false alarm. */
  readonly f1: number;
  /** Of events, or of seconds. */
  readonly falsePositivesPer24Hours: number;
}

export interface SzcoreScores extends SzcoreCounts, SzcoreMetrics {
  /** The mean over subjects, each with its recordings added up; a subject whose score is NaN is left out of that mean. */
  readonly bySubject: SzcoreMetrics;
  readonly subjects: number;
}

/** The reference's and the detector's events of one recording of so many seconds. */
export interface ScoredEvents {
  readonly reference: readonly SeizureEvent[];
  readonly predicted: readonly SeizureEvent[];
  readonly seconds: number;
}

/**
 * Event-based counts of one recording: a seizure is found where any detection overlaps it or its tolerances, and a
 * detection is false where it overlaps no found one (timescoring from 0.0.6 on; before, one that left the tolerances was
 * false too).
 */
export function szcoreEvents({ reference, predicted, seconds }: ScoredEvents): SzcoreCounts {
  const samples = roundHalfEven(seconds * EVENT_RATE);
  const length = samples / EVENT_RATE;
  const toRun = (event: SeizureEvent): Run => grid(event, EVENT_RATE, samples);
  const detections = joinAndCut(predicted, 'predicted').map(toRun);
  const seizures = joinAndCut(reference, 'reference');
  const found = seizures
    .map(({ start, end }) =>
      toRun({ start: Math.max(0, start - TOLERANCE_BEFORE), end: Math.min(length, end + TOLERANCE_AFTER) }),
    )
    .filter((window) => detections.some((run) => shared(window, run) > 0));
  return {
    reference: seizures.length,
    truePositives: found.length,
    falsePositives: detections.filter((run) => covered(run, found) === 0).length,
    hours: samples / EVENT_RATE / 3600,
  };
}

/** Sample-based counts of one recording, second by second. */
export function szcoreSamples({ reference, predicted, seconds }: ScoredEvents): SzcoreCounts {
  checkEvents(reference, 'reference');
  checkEvents(predicted, 'predicted');
  const samples = roundHalfEven(seconds * SAMPLE_RATE);
  const toRuns = (events: readonly SeizureEvent[]): Run[] =>
    union(events.map((event) => grid(event, SAMPLE_RATE, samples)));
  const seizures = toRuns(reference);
  const detections = toRuns(predicted);
  const truePositives = total(detections.map((run) => covered(run, seizures)));
  return {
    reference: total(seizures.map(({ start, end }) => end - start)),
    truePositives,
    falsePositives: total(detections.map(({ start, end }) => end - start)) - truePositives,
    hours: samples / SAMPLE_RATE / 3600,
  };
}

/** The scores of recordings: their counts added up, and beside that the mean over subjects, which SzCORE reports. */
export function szcoreScores(
  recordings: readonly { readonly subject: string; readonly counts: SzcoreCounts }[],
): SzcoreScores {
  const subjects = new Map<string, SzcoreCounts[]>();
  for (const { subject, counts } of recordings)
    subjects.set(subject, [...(subjects.get(subject) ?? []), counts]);
  const metrics = [...subjects.values()].map((counts) => metricsOf(sumOf(counts)));
  const mean = (name: keyof SzcoreMetrics): number => {
    const known = metrics.map((metric) => metric[name]).filter((value) => !Number.isNaN(value));
    return total(known) / known.length;
  };
  const pooled = sumOf(recordings.map(({ counts }) => counts));
  return {
    ...pooled,
    ...metricsOf(pooled),
    bySubject: {
      sensitivity: mean('sensitivity'),
      precision: mean('precision'),
      f1: mean('f1'),
      falsePositivesPer24Hours: mean('falsePositivesPer24Hours'),
    },
    subjects: subjects.size,
  };
}

function sumOf(recordings: readonly SzcoreCounts[]): SzcoreCounts {
  const sum = (name: keyof SzcoreCounts): number => total(recordings.map((counts) => counts[name]));
  return {
    reference: sum('reference'),
    truePositives: sum('truePositives'),
    falsePositives: sum('falsePositives'),
    hours: sum('hours'),
  };
}

function metricsOf({ reference, truePositives, falsePositives, hours }: SzcoreCounts): SzcoreMetrics {
  return {
    sensitivity: truePositives / reference,
    precision: truePositives / (truePositives + falsePositives),
    f1: (2 * truePositives) / (truePositives + falsePositives + reference),
    falsePositivesPer24Hours: (falsePositives / hours) * 24,
  };
}

function joinAndCut(events: readonly SeizureEvent[], whose: string): SeizureEvent[] {
  checkEvents(events, whose);
  const joined: SeizureEvent[] = [];
  for (const { start, end } of [...events].sort((a, b) => a.start - b.start)) {
    const last = joined.at(-1);
    if (last && start - last.end < MERGE_BELOW)
      joined[joined.length - 1] = { start: last.start, end: Math.max(last.end, end) };
    else joined.push({ start, end });
  }
  const cut: SeizureEvent[] = [];
  for (const event of joined) {
    let { start } = event;
    for (; event.end - start > LONGEST; start += LONGEST) cut.push({ start, end: start + LONGEST });
    cut.push({ start, end: event.end });
  }
  return cut;
}

function grid({ start, end }: SeizureEvent, rate: number, samples: number): Run {
  const clip = (at: number): number => Math.min(samples, Math.max(0, roundHalfEven(at * rate)));
  return { start: clip(start), end: clip(end) };
}

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

const shared = (a: Run, b: Run): number => Math.max(0, Math.min(a.end, b.end) - Math.max(a.start, b.start));

/** How many samples of `run` lie in `others`, which do not overlap each other. */
const covered = (run: Run, others: readonly Run[]): number =>
  total(others.map((other) => shared(run, other)));
