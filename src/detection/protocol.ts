/** What a detection tells of itself. */
import type { PredictedEvent, SeizureEvent } from '../eeg/events/events';
import type { EventScores } from '../eeg/scores/score_events';
import type { DetectorConfig } from '../models/detector';
import type { Failure } from '../run/protocol';

/** What the detector says of a recording, a few values per second. */
export interface RecordingResult {
  /** Index of the recording in its folder. */
  readonly recording: number;
  /** Hz of `probabilities`, each the highest of its stretch of the recording; NaN in gaps. */
  readonly rate: number;
  readonly probabilities: Float32Array;
  /** In seconds of the recording. */
  readonly predicted: readonly PredictedEvent[];
  readonly reference: readonly SeizureEvent[];
}

/** A recording that was left out, and why: a sentence. */
export interface LeftOut {
  readonly path: string;
  readonly reason: string;
}

export type DetectionEvent =
  | {
      readonly type: 'planned';
      readonly config: DetectorConfig;
      readonly parameters: number;
      readonly windows: number;
      /** Indices of the recordings that are looked at. */
      readonly recordings: readonly number[];
      readonly leftOut: readonly LeftOut[];
      /** On the GPU. */
      readonly bytes: number;
    }
  | {
      readonly type: 'detecting';
      /** What is done right now. */
      readonly label: string;
      /** Windows of all recordings. */
      readonly done: number;
      readonly total: number;
      /** undefined before the first windows are done. */
      readonly secondsLeft: number | undefined;
      /** What is offered to whoever does not want to wait for it. */
      readonly skip?: string;
    }
  | { readonly type: 'detected'; readonly result: RecordingResult }
  /** A recording that could not be read to its end. */
  | { readonly type: 'unreadable'; readonly leftOut: LeftOut }
  | {
      readonly type: 'finished';
      readonly reason: 'completed' | 'stopped';
      readonly seconds: number;
      /** Of the recordings with labels; null where there is none. */
      readonly scores: EventScores | null;
    }
  | { readonly type: 'failed'; readonly failure: Failure };
