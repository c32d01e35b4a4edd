/** The recorded run of the opening page, as `npm run demo` writes it, and the way back to numbers. */
import type { SeizureEvent } from '../../../eeg/events/events';
import type { EventCounts } from '../../../eeg/scores/event_counts';

/** Bytes in base64. */
type Packed = string;

export interface Recorded {
  /** What computed it. */
  readonly device: string;
  /** The query of a link that opens Train with its settings. */
  readonly link: string;
  readonly steps: number;
  readonly parameters: number;
  /** Of the part that is shown. */
  readonly seconds: number;
  /** The 19 electrodes in the order of CHANNELS, as int8; `scale` is µV of one, by electrode. */
  readonly eeg: {
    readonly rate: number;
    readonly scale: readonly number[];
    readonly values: readonly Packed[];
  };
  /** Labelled seizures in the part, seconds from its start. */
  readonly reference: readonly SeizureEvent[];
  /** Probability from which an event may start. */
  readonly threshold: number;
  readonly losses: readonly number[];
  /** Probabilities of the part after so many steps, as uint8 of 255. */
  readonly film: {
    readonly rate: number;
    readonly rows: readonly { readonly step: number; readonly values: Packed }[];
  };
  readonly validations: readonly RecordedScores[];
  readonly fix: RecordedFix;
  readonly ram: RecordedRam;
  readonly gate: RecordedGate;
}

/** On the recording that is held out, whole. */
export interface RecordedScores extends EventCounts {
  readonly step: number;
  readonly auroc: number;
  readonly minutes: number;
}

/** The first issue of a configuration that failed, and its fix. */
export interface RecordedFix {
  readonly file: string;
  readonly issues: number;
  readonly severity: string;
  readonly message: string;
  readonly changes: readonly { readonly path: string; readonly before: string; readonly after: string }[];
}

/** System RAM of a run that was killed: GiB at moments that lie equally far apart. */
export interface RecordedRam {
  readonly incident: string;
  readonly seconds: number;
  readonly limit: number;
  readonly batch: number;
  readonly total: readonly number[];
}

/** Δ of a small Mamba by token, once it solves its task. */
export interface RecordedGate {
  readonly step: number;
  readonly tokens: readonly { readonly kind: string; readonly text: string }[];
  readonly delta: readonly number[];
}

const bytesOf = (packed: Packed): Uint8Array => Uint8Array.from(atob(packed), (one) => one.charCodeAt(0));

/** µV [19][samples]. */
export const channelsOf = ({ eeg }: Pick<Recorded, 'eeg'>): Float32Array[] =>
  eeg.values.map((packed, i) =>
    Float32Array.from(new Int8Array(bytesOf(packed).buffer), (value) => value * (eeg.scale[i] ?? 0)),
  );

export interface FilmRow {
  readonly step: number;
  /** 0 to 1. */
  readonly probabilities: Float32Array;
}

export const rowsOf = ({ film }: Pick<Recorded, 'film'>): FilmRow[] =>
  film.rows.map(({ step, values }) => ({
    step,
    probabilities: Float32Array.from(bytesOf(values), (value) => value / 255),
  }));
