/** A step of this engine as trace events, dispatch by dispatch in the order in which they are submitted. */
import { traceEvents } from '../base/trace_events';

export interface DispatchTime {
  readonly kernel: string;
  readonly op: string;
  /** Label of the node it computes, such as `mamba.layers.0/ssd_scan`. */
  readonly node: string;
  readonly workgroups: number;
  /** Milliseconds of the dispatch by itself. */
  readonly ms: number;
}

/** The file's text. WebGPU has no times of the dispatches of one submit: each was timed alone, and they are laid end to end. */
export function stepEvents(gpu: string, times: readonly DispatchTime[]): string {
  let at = 0;
  return traceEvents({
    process: `A training step on ${gpu}`,
    track: 'Dispatches',
    clock:
      'Each dispatch was timed alone, over many runs, and they are laid end to end: gaps between them, and what they gain from running one after another, are not in this file.',
    spans: times.map(({ kernel, op, node, workgroups, ms }) => {
      const start = at;
      at += 1000 * ms;
      return { name: kernel, category: op, start, duration: 1000 * ms, args: { node, workgroups } };
    }),
  });
}
