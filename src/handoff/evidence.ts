/**
 * What a review says besides the files: numbers with where they come from, what happened before, what a smoke run showed.
 * All of it is passed in; where it is missing, the review says so.
 */

/** `measured` on a machine, `derived` by arithmetic from sources, `assumed` by judgement, `estimate` as somebody wrote it. */
export type Basis = 'measured' | 'derived' | 'assumed' | 'estimate';

/** A number with its range, if it has one. */
export interface Figure {
  readonly likely: number;
  readonly low?: number;
  readonly high?: number;
  readonly basis: Basis;
  /** A clause: which document, formula or measurement, and its date. */
  readonly source: string;
}

/** Memory that a run is predicted to take. */
export interface MemoryFigure extends Figure {
  /** GiB without. */
  readonly unit?: 'GiB' | 'GB';
  /** Whose memory, as “GPU”. */
  readonly of?: string;
}

/** A run that failed before. */
export interface Incident {
  /** As “2025-01-19 16:43 UTC”. */
  readonly date: string;
  readonly machine: string;
  /** The configuration that ran. */
  readonly config: string;
  readonly batchSize: number;
  readonly workers: number;
  readonly batchesDone: number;
  /** What was killed, as the log names it. */
  readonly process: string;
  /** Its memory then, as “11.3 GB virtual”. */
  readonly memory?: string;
  /** What happened, in a sentence without its point. */
  readonly cause: string;
  /** What was lost with it. */
  readonly lost: string;
  /** Sentences on what led to it and what did not, each with what was measured, derived or assumed. */
  readonly factors: readonly string[];
  /** Which document or log, and its date. */
  readonly source: string;
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
export interface CostFigures {
  readonly title: string;
  readonly epochs: number;
  readonly hoursPerEpoch: Figure;
  /** For everything that is paid by the hour. */
  readonly dollarsPerHour: Figure;
  /** A launch ends after so many hours; undefined where it does not. */
  readonly limitHours?: number;
  /** If early stopping ends it, in dollars. */
  readonly stoppedEarly?: Required<Omit<Figure, 'likely'>>;
}

/** The section of a review that something belongs to. */
export type Section =
  'cause' | 'changes' | 'deployment' | 'cost' | 'risks' | 'recommendations' | 'commands' | 'checklist';

/** Something that an earlier document said, and what is known of it now. */
export interface Statement {
  readonly section: Section;
  readonly said: string;
  readonly state: 'holds' | 'corrected' | 'open';
  readonly found: string;
}

/** A risk that no rule finds in a file. */
export interface Risk {
  readonly level: 'high' | 'medium' | 'low';
  readonly risk: string;
  readonly state: 'mended' | 'open' | 'accepted';
  readonly note: string;
}

/** A line of the checklist. */
export interface Check {
  readonly text: string;
  readonly verified: boolean;
  /** How it was verified, or how it can be. */
  readonly by: string;
}
