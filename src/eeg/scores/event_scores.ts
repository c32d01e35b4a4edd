/**
 * The trainer's scores of events. Every list of recordings is scored recording by recording: an event of one never
 * overlaps an event of another.
 */
import { overlap, overlapsAny, type SeizureEvent } from '../events/events';

/** The reference's and the detector's events of one recording, in seconds from its start. */
export interface EventPair {
  readonly reference: readonly SeizureEvent[];
  readonly predicted: readonly SeizureEvent[];
}

const FALSE_ALARM_WEIGHT = 0.15;

const duration = ({ start, end }: SeizureEvent): number => end - start;
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/**
 * Time-aligned event score as the trainer defines it, 0 to 1: the mean over reference events of
 * min(1, overlapped time / duration), minus 0.15 × the share of predicted time whose event overlaps no reference.
 * 0 where there is no reference event. It differs from the TAES of Ziyabari et al. 2017 (https://arxiv.org/abs/1712.10107),
 * which is a family of fractional counts of hits, misses and false alarms, not one number.
 */
export function taes(recordings: readonly EventPair[]): number {
  const found: number[] = [];
  let predictedTime = 0;
  let falseTime = 0;
  for (const { reference, predicted } of recordings) {
    for (const event of reference) {
      if (duration(event) <= 0) continue;
      const overlapped = sum(predicted.map((other) => overlap(event, other)));
      found.push(Math.min(1, overlapped / duration(event)));
    }
    for (const event of predicted) {
      predictedTime += duration(event);
      if (!overlapsAny(event, reference)) falseTime += duration(event);
    }
  }
  if (found.length === 0) return 0;
  const penalty = predictedTime > 0 ? (FALSE_ALARM_WEIGHT * falseTime) / predictedTime : 0;
  return Math.min(1, Math.max(0, sum(found) / found.length - penalty));
}

/** Predicted events that overlap no reference event, per 24 hours; NaN for no time at all. */
export function falseAlarmsPer24Hours(recordings: readonly EventPair[], hours: number): number {
  const alarms = sum(
    recordings.map(
      ({ reference, predicted }) => predicted.filter((event) => !overlapsAny(event, reference)).length,
    ),
  );
  return (alarms / hours) * 24;
}

/** The share of reference events that any predicted event overlaps; 0 where there is none, as in the trainer. */
export function sensitivity(recordings: readonly EventPair[]): number {
  const events = sum(recordings.map(({ reference }) => reference.length));
  const hits = sum(
    recordings.map(
      ({ reference, predicted }) => reference.filter((event) => overlapsAny(event, predicted)).length,
    ),
  );
  return hits / Math.max(events, 1);
}
