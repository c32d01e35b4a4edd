/**
 * Chrome's trace-event JSON, which Perfetto and chrome://tracing open (“Trace Event Format”, catapult; JSON Object Format:
 * complete events `X`, counters `C`, metadata `M`). Times are microseconds.
 */

export interface Span {
  readonly name: string;
  readonly category: string;
  readonly start: number;
  readonly duration: number;
  readonly args?: Readonly<Record<string, string | number>>;
}

export interface Counter {
  readonly name: string;
  readonly at: number;
  readonly values: Readonly<Record<string, number>>;
}

export interface TraceFile {
  /** Of the process and of its one track of spans. */
  readonly process: string;
  readonly track: string;
  readonly spans: readonly Span[];
  readonly counters?: readonly Counter[];
  /** What the times are; kept in the file. */
  readonly clock: string;
}

const ID = { pid: 1, tid: 1 } as const;

export const traceEvents = ({ process, track, spans, counters = [], clock }: TraceFile): string =>
  JSON.stringify({
    displayTimeUnit: 'ms',
    otherData: { clock },
    traceEvents: [
      { ph: 'M', name: 'process_name', ...ID, args: { name: process } },
      { ph: 'M', name: 'thread_name', ...ID, args: { name: track } },
      ...spans.map(({ name, category, start, duration, args = {} }) => ({
        ph: 'X',
        name,
        cat: category,
        ts: start,
        dur: duration,
        ...ID,
        args,
      })),
      ...counters.map(({ name, at, values }) => ({ ph: 'C', name, ts: at, pid: ID.pid, args: values })),
    ],
  });
