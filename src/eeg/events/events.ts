/** Seizures as stretches of time: runs of samples while they are worked on, events in seconds once they are reported. */

/** Samples [start, end) of a recording. */
export interface Run {
  readonly start: number;
  readonly end: number;
}

/** Seconds from the start of a recording; `end` is the first instant after the event. */
export interface SeizureEvent {
  readonly start: number;
  readonly end: number;
}

/** A predicted event and how sure the detector is of it, 0 to 1. */
export interface PredictedEvent extends SeizureEvent {
  readonly confidence: number;
}

/** The runs of samples that are not 0, in rising order. */
export function labelRuns(labels: Uint8Array): Run[] {
  const runs: Run[] = [];
  for (let i = 0; i < labels.length; i++) {
    if (labels[i] === 0) continue;
    const background = labels.indexOf(0, i);
    const end = background < 0 ? labels.length : background;
    runs.push({ start: i, end });
    i = end;
  }
  return runs;
}

/** Runs of samples taken at `rate` Hz as events in seconds. */
export const toEvents = (runs: Iterable<Run>, rate: number): SeizureEvent[] =>
  Array.from(runs, ({ start, end }) => ({ start: start / rate, end: end / rate }));

/** Length that two stretches of time share; 0 where they only touch. */
export const overlap = (a: SeizureEvent, b: SeizureEvent): number =>
  Math.max(0, Math.min(a.end, b.end) - Math.max(a.start, b.start));

/** Whether an event shares time with another; to touch is not enough. */
export const overlapsAny = (event: SeizureEvent, others: readonly SeizureEvent[]): boolean =>
  others.some((other) => overlap(event, other) > 0);

/** A sentence for events that are no stretch of time: NaN, infinite, or ending before they start. */
export function checkEvents(events: readonly SeizureEvent[], whose: string): void {
  events.forEach(({ start, end }, i) => {
    if (!Number.isFinite(start) || !Number.isFinite(end) || end < start)
      throw new RangeError(`${whose} event ${i + 1} is ${start} s to ${end} s, which is no stretch of time`);
  });
}

/** The same time as stretches in rising order that neither overlap nor touch. */
export function union(stretches: readonly SeizureEvent[]): SeizureEvent[] {
  const joined: SeizureEvent[] = [];
  for (const { start, end } of [...stretches].sort((a, b) => a.start - b.start)) {
    const last = joined.at(-1);
    if (last && start <= last.end)
      joined[joined.length - 1] = { start: last.start, end: Math.max(last.end, end) };
    else joined.push({ start, end });
  }
  return joined;
}
