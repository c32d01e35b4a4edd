import { overlapsAny } from '../events/events';
import type { EventPair } from './event_scores';

export interface EventCounts {
  /** Labelled seizures. */
  readonly labelled: number;
  /** Those of them that a detected event overlaps. */
  readonly found: number;
  /** Detected events that overlap none. */
  readonly falseAlarms: number;
}

/** Seizures and alarms of all recordings together, as somebody counts them who looks at the events. */
export function eventCounts(pairs: readonly EventPair[]): EventCounts {
  let [labelled, found, falseAlarms] = [0, 0, 0];
  for (const { reference, predicted } of pairs) {
    labelled += reference.length;
    found += reference.filter((event) => overlapsAny(event, predicted)).length;
    falseAlarms += predicted.filter((event) => !overlapsAny(event, reference)).length;
  }
  return { labelled, found, falseAlarms };
}
