/** What the page asks of the worker that computes the lessons. */
import type { Measured, Settings } from './step';

export interface CourseWorker {
  /** Why there are no kernels and all is computed in float64; null where there are. */
  withoutKernels(): Promise<string | null>;
  /** Rejects with the engine's error. */
  measure(
    lesson: string,
    step: string,
    settings: Settings,
    progress: (share: number) => void,
  ): Promise<Measured>;
}
