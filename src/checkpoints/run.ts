/** What the store holds: runs, and for each of them the checkpoints that were saved. */
import type { Json } from './state';

/** Where a checkpoint of a run is kept: the newest, or the one with the best score. */
export type Slot = 'last' | 'best';

/** One saved checkpoint. */
export interface Generation {
  /** Counts up within the run, over both slots. */
  readonly number: number;
  readonly step: number;
  /** Milliseconds since 1970. */
  readonly saved: number;
  /** Of all shards. */
  readonly bytes: number;
  /** Whether it was read back whole after it was written. */
  readonly verified: boolean;
  readonly manifestSha256: string;
}

export interface Run {
  readonly id: string;
  readonly name: string;
  /** Pinned runs are not deleted. */
  readonly pinned: boolean;
  /** What the person wrote of it; runs of before have neither. */
  readonly note?: string;
  readonly tags?: readonly string[];
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly updated: number;
  /** The configuration as text, and the device that trains. */
  readonly config: string;
  readonly device: string;
  /** Whatever the page shows: scores, curves. */
  readonly summary: Json;
  /** Newest first. */
  readonly last: readonly Generation[];
  readonly best: readonly Generation[];
}

/** Bytes that a run's checkpoints take. */
export const runBytes = ({ last, best }: Run): number =>
  [...last, ...best].reduce((sum, { bytes }) => sum + bytes, 0);
