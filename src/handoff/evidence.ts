/**
 * What a review says besides the files: numbers with where they come from, what happened before, what a smoke run showed.
 * All of it is passed in; where it is missing, the review says so.
 */
import type { Quantity } from '../base/quantity';
import type { Cost } from '../config/incidents';
import type { Verdict } from '../config/verdict';

/** Memory that a document says a run takes. */
export interface MemoryFigure extends Quantity {
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

/** One way to run it, and what that takes: hours and dollars as the estimator says, never computed a second time. */
export interface CostFigures extends Pick<Verdict, 'epochs' | 'epoch' | 'rate' | 'jobs'> {
  readonly title: string;
  /** Of the whole run, all jobs together. */
  readonly hours: Quantity;
  /** Undefined where the price of an hour is not known. */
  readonly dollars: Quantity | undefined;
  /** Hours after which a job ends; Infinity where it does not. */
  readonly limit: number;
  /** What an earlier document says of it. */
  readonly quoted?: {
    /** Hours and dollars as it counts: each epoch once, whatever the jobs. */
    readonly hours: number;
    readonly dollars: number;
    readonly stoppedEarly?: Cost['stoppedEarly'];
  };
}
