/**
 * Everything that passes between the page and the training worker. Calls go through comlink (`TrainingWorker`);
 * what happens during a run comes back as `RunEvent`s over a MessagePort, a few per second however fast it trains.
 */

import type { Progress } from '../../run/progress';
import type { DeviceReport, Failure, Preparation } from '../../run/protocol';

/** What one run is made of; plain data, so that it can be sent, compared and shared. */
export interface RunSettings {
  /** Name of a task in src/lessons/tasks. */
  readonly task: string;
  /** Name of one of the task's presets. */
  readonly preset: string;
  readonly seed: number;
  /** How much of the state's motion follows from the tokens; see lessons/mamba.ts. */
  readonly dynamics: 'selective' | 'delta-frozen' | 'time-invariant';
}

/** What a run will take, known before anything is allocated. */
export interface RunPlan {
  readonly steps: number;
  readonly parameters: number;
  readonly tokensPerStep: number;
  /** Bytes of GPU memory by use; their sum is what the device is asked for. */
  readonly memory: readonly { readonly use: string; readonly bytes: number }[];
  readonly dispatchesPerStep: number;
  readonly flopsPerStep: number;
  /** What is to be known of the kernels on this GPU; null where nothing is. */
  readonly kernels: string | null;
  readonly layers: number;
  /** Tokens of the sequence that is shown. */
  readonly length: number;
  readonly vocabulary: number;
}

/** One sequence as the model sees it now, for the grid and the Δ strip. */
export interface Preview {
  readonly step: number;
  readonly tokens: Uint32Array;
  /** Wanted token per position; IGNORE (0xffffffff) where nothing is asked. */
  readonly targets: Uint32Array;
  readonly predicted: Uint32Array;
  /** Per layer: geometric mean over channels of Δ_t = softplus(delta_t + bias), one value per token. */
  readonly delta: readonly Float32Array[];
}

/** Accuracy is the share of asked tokens predicted right, 0..1, of the training batch; the norm is before clipping. */
export const METRICS = ['loss', 'accuracy', 'gradientNorm'] as const;
export type MetricName = (typeof METRICS)[number];

export type RunEvent =
  | { readonly type: 'planned'; readonly plan: RunPlan }
  | ({ readonly type: 'preparing' } & Preparation)
  | ({ readonly type: 'progress'; readonly tokensPerSecond: number } & Progress<MetricName>)
  | { readonly type: 'preview'; readonly preview: Preview }
  | { readonly type: 'paused' }
  | { readonly type: 'resumed' }
  /** The GPU was lost: on another device the run is resumed from that step. */
  | {
      readonly type: 'recovering';
      readonly step: number;
      readonly attempt: number;
      readonly attempts: number;
    }
  | {
      readonly type: 'finished';
      readonly reason: 'completed' | 'solved' | 'stopped';
      readonly steps: number;
      readonly seconds: number;
    }
  | { readonly type: 'failed'; readonly failure: Failure };

export interface TrainingWorker {
  /** Adapter, limits and features. Throws with a sentence when there is no usable GPU. */
  device(): Promise<DeviceReport>;
  /** The same with bandwidth and FLOP rate measured (about a second); rejected while a run is under way. */
  measure(): Promise<DeviceReport>;
  /** Starts a run; events go to `port` until `finished` or `failed`. One run at a time. */
  start(settings: RunSettings, port: MessagePort): Promise<void>;
  /** Ends what a run prepares and can do without. */
  skip(): void;
  pause(): void;
  resume(): void;
  stop(): void;
}
