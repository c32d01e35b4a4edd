/** What annotation files of any format say: events with a label, and which labels are seizures. */

export interface LabelledEvent {
  /** `TERM` stands for all channels, and so does null, in formats without channels. */
  readonly channel: string | null;
  /** Seconds from the start of the recording. */
  readonly start: number;
  readonly stop: number;
  readonly label: string;
  readonly confidence: number;
}

export interface Annotations {
  /** Seconds as the file says; null where it does not. */
  readonly duration: number | null;
  readonly events: readonly LabelledEvent[];
  readonly warnings: readonly string[];
}

/** What the trainer counts as a seizure. */
const SEIZURE_LABELS: ReadonlySet<string> = new Set([
  'seiz',
  'gnsz',
  'fnsz',
  'cpsz',
  'absz',
  'spsz',
  'tcsz',
  'tnsz',
  'mysz',
]);

/** Whether a label stands for a seizure: one of the trainer's, or `sz` and its kinds as HED-SCORE names them. */
export const isSeizure = (label: string): boolean =>
  SEIZURE_LABELS.has(label) || /^(sz(_|$)|seizure$)/.test(label);
