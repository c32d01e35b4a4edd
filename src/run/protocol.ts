/** What a worker that runs on a GPU tells the page, whatever it trains. */
import { capital } from '../base/text';
import type { AdapterDescription } from '../engine/adapter';
import type { TuneProgress } from '../engine/tune';

/** What the GPU is and can do, measured where it says so. */
export interface DeviceReport extends AdapterDescription {
  readonly features: readonly string[];
  /** Why kernels do without the subgroups that are there; null where there are none or they are used. */
  readonly quadsRejected: string | null;
  /** Name and value of the limits that matter here. */
  readonly limits: readonly (readonly [name: string, value: number])[];
  /** vec4 copy, counting both ways; null while not measured. */
  readonly bandwidthBytesPerSecond: number | null;
  /** Fused multiply-adds counted as two. */
  readonly flopsPerSecond: number | null;
}

/** Something takes a while before a run's first step. */
export interface Preparation {
  /** What it is. */
  readonly label: string;
  readonly done: number;
  /** 0 where nothing is counted. */
  readonly total: number;
  /** Where it is known. */
  readonly secondsLeft?: number | undefined;
  /** What is offered to whoever does not want to wait for it, where the run can do without. */
  readonly skip?: string;
  /** Whether it is a wait for a GPU that the browser holds back. */
  readonly held?: boolean;
}

/** What is prepared and how far it is: "Choosing kernels for this GPU, 34 of 87, about 6 s left". */
export function preparationText({ label, done, total, secondsLeft }: Preparation): string {
  const parts = [capital(label)];
  if (total > 0 && done > 0) parts.push(`${done} of ${total}`);
  if (secondsLeft !== undefined) parts.push(`about ${Math.max(1, Math.round(secondsLeft))} s left`);
  return parts.join(', ');
}

/** The preparation that times kernels. Exported for its tests. */
export const CHOOSING = { label: 'choosing kernels for this GPU', skip: 'Use the default kernels' } as const;

/** How far the timing of kernels is. */
export const choosing = ({ done, total, secondsLeft, rejected }: TuneProgress): Preparation => ({
  ...CHOOSING,
  label: rejected > 0 ? `${CHOOSING.label} (${rejected} left out as wrong)` : CHOOSING.label,
  done,
  total,
  secondsLeft,
});

export interface Failure {
  readonly kind: string;
  /** What happened, where: a sentence for the person. */
  readonly message: string;
  /** What to do next. */
  readonly advice: string;
}
