/** What a worker that runs on a GPU tells the page, whatever it trains. */
import type { AdapterDescription } from '../engine/adapter';

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

export interface Failure {
  readonly kind: string;
  /** What happened, where: a sentence for the person. */
  readonly message: string;
  /** What to do next. */
  readonly advice: string;
}
