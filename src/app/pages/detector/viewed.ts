import type { RecordingResult } from '../../../detection/protocol';
import type { FolderReport } from '../../../training/protocol';
import type { Film } from './film.svelte';
import type { EegLink } from './link';

/** Recordings that are looked at, and what a detector says of them. */
export interface Viewed {
  readonly folder: FolderReport | null;
  /** The recording that is shown. */
  selected: number;
  /** The detector's predictions for it. */
  readonly result: RecordingResult | undefined;
  /** The newest probabilities of it. */
  readonly probabilities: Pick<RecordingResult, 'rate' | 'probabilities'> | undefined;
  /** Gets which part is looked at. */
  readonly film?: Film;
  /** Probability from which an event may start. */
  readonly threshold: number;
  /** What is said where no recordings are open. */
  readonly unopened: string;
  /** Why there are no predictions. */
  readonly unpredicted: string;
  readonly link: EegLink;
}
