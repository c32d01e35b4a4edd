/** The predicted step as trace events: an operation each, and what is allocated in it by use as counters. */
import { traceEvents } from '../../base/trace_events';
import type { Timeline } from './replay';

/** The file's text. Operations follow each other a millisecond apart: when they run is not predicted. */
export const timelineEvents = ({ points }: Timeline): string =>
  traceEvents({
    process: 'Predicted GPU memory of one training step',
    track: 'Operations',
    clock:
      'No times are predicted: every operation is drawn as one millisecond, in order. Counters are bytes at the highest moment of the operation.',
    spans: points.map(({ phase, layer, op, allocated, peak, reserved }, at) => ({
      name: op,
      category: phase,
      start: 1000 * at,
      duration: 1000,
      args: { layer, peak, allocated, reserved },
    })),
    counters: [
      ...points.map(({ uses }, at) => ({ name: 'Allocated, by use', at: 1000 * at, values: uses })),
      ...points.map(({ reserved }, at) => ({
        name: 'Reserved',
        at: 1000 * at,
        values: { reserved },
      })),
    ],
  });
