/**
 * Scores as the field compares detectors: SzCORE (Dan et al., "SzCORE: Seizure Community Open-Source Research Evaluation
 * framework for the validation of electroencephalography-based automated seizure detection algorithms", Epilepsia 2025,
 * https://doi.org/10.1111/epi.18113), with the rules of its library timescoring (https://github.com/esl-epfl/timescoring).
 */
import { checkEvents, type Run, type SeizureEvent } from '../events/events';

/** How production's scores differ, for whoever reads both. */
export const HOW_PRODUCTION_DIFFERS =
  'Production counts a predicted event as a false alarm only when it overlaps no seizure at all, scores a seizure by the ' +
  'share of its time that was found (its TAES), and works at 256 Hz with the events as they come. SzCORE, which papers ' +
  'report, first joins events less than 90 s apart and cuts those above 5 minutes, then forgives 30 s before and 60 s ' +
  'after a seizure, counts any overlap as found, and counts an event as false when any part of it lies outside a found ' +
  'seizure and its margins. The numbers of the two must not be compared.';

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

export interface SzcoreScores extends SzcoreCounts {
  /** NaN without a reference. */
  readonly sensitivity: number;
  /** NaN without a detection. */
  readonly precision: number;
  /** Harmonic mean of the two; NaN where one is. */
  readonly f1: number;
  /** Of events, or of seconds. */
  readonly falsePositivesPer24Hours: number;
}

/** Event-based counts of one recording of `seconds`; a hit is any overlap with a seizure and its tolerances. */
export function szcoreEvents(
  reference: readonly SeizureEvent[],
  predicted: readonly SeizureEvent[],
  seconds: number,
): SzcoreCounts {
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
  const margins = union(found);
  return {
    reference: seizures.length,
    truePositives: found.length,
    falsePositives: detections.filter((run) => covered(run, margins) < run.end - run.start).length,
    hours: samples / EVENT_RATE / 3600,
  };
}

/** Sample-based counts of one recording of `seconds`, second by second. */
export function szcoreSamples(
  reference: readonly SeizureEvent[],
  predicted: readonly SeizureEvent[],
  seconds: number,
): SzcoreCounts {
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

/** The scores of counts, added up over recordings. */
export function szcoreScores(recordings: readonly SzcoreCounts[]): SzcoreScores {
  const sum = (name: keyof SzcoreCounts): number => total(recordings.map((counts) => counts[name]));
  const counts = {
    reference: sum('reference'),
    truePositives: sum('truePositives'),
    falsePositives: sum('falsePositives'),
    hours: sum('hours'),
  };
  const sensitivity = counts.truePositives / counts.reference;
  const precision = counts.truePositives / (counts.truePositives + counts.falsePositives);
  const both = sensitivity + precision;
  return {
    ...counts,
    sensitivity,
    precision,
    f1: both === 0 ? 0 : (2 * sensitivity * precision) / both,
    falsePositivesPer24Hours: (counts.falsePositives / counts.hours) * 24,
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

/** Python's `round`, which the library uses: halves go to the even neighbour. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
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

/** The same samples as runs that neither overlap nor touch. */
function union(runs: readonly Run[]): Run[] {
  const joined: Run[] = [];
  for (const run of [...runs].sort((a, b) => a.start - b.start)) {
    const last = joined.at(-1);
    if (last && run.start <= last.end)
      joined[joined.length - 1] = { start: last.start, end: Math.max(last.end, run.end) };
    else joined.push(run);
  }
  return joined;
}
