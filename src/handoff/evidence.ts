/**
 * What a review says besides the files: numbers with where they come from, what happened before, what a smoke run showed.
 * All of it is passed in; where it is missing, the review says so.
 */
import type { Cost, Figure } from '../config/incidents';

/** Memory that a run is predicted to take. */
export interface MemoryFigure extends Figure {
  /** GiB without. */
  readonly unit?: 'GiB' | 'GB';
  /** Whose memory, as “GPU”. */
  readonly of?: string;
}

/** A training of the same detector on few data, with which the configuration was tried. */
export interface SmokeEvidence {
  readonly date: string;
  readonly device: string;
  /** Path of the configuration. */
  readonly config: string;
  readonly steps: number;
  readonly secondsPerStep: number;
  /** Of the steps, in their order. */
  readonly losses: readonly number[];
  /** Area under the ROC curve over validation’s samples; undefined where nothing was validated. */
  readonly auroc?: number;
  /** What it does not show, as “synthetic recordings”. */
  readonly limits?: string;
}

/** One way to run it, and what that takes. */
export interface CostFigures extends Readonly<Omit<Cost, 'place'>> {
  /** A job ends after so many hours; undefined where it does not. */
  readonly limitHours?: number;
  /** Hours of a job before its first epoch; left out where an epoch's hours have them in it. */
  readonly startHours?: number;
}
