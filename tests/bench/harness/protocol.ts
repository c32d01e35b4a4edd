/** What the command asks of the page (or of Node) that measures, and the answers: plain data, as it crosses a process. */
import type { AdapterDescription } from '../../../src/engine/device';
import type { DeviceProfile } from '../../../src/engine/profile';
import type { Work } from './cases';

/** In the order of a round. */
export const CONTENDERS = ['ours', 'jax', 'tfjs', 'cpu'] as const;
export type ContenderName = (typeof CONTENDERS)[number];

/** What one run asks of WebGPU, counted at the browser's own functions. */
export interface Usage {
  readonly dispatches: number;
  readonly submits: number;
  /** The most bytes of buffers alive at once, what the contender pools for reuse included. */
  readonly bytesPeak: number;
}

/** What only the engine can say of itself. */
export interface EngineReport {
  /** The device's limits, measured just after the result was checked. */
  readonly profile: DeviceProfile;
  readonly tuningMs: number;
  readonly variantsTimed: number;
  /** Bytes of the plan and the packed parameters. */
  readonly planBytes: number;
  /** The part of them that only waits for the host to read results. */
  readonly stagingBytes: number;
  readonly flops: number;
  /** Bytes that must move when every tensor is touched once per operation. */
  readonly bytes: number;
}

export interface Prepared {
  /** Upload, compilation and the first run; tuning is not counted. */
  readonly firstMs: number;
  /** The tensor that is furthest from the float64 reference, relatively. */
  readonly worst: { readonly tensor: string; readonly error: number };
  /** Undefined on the CPU. */
  readonly usage: Usage | undefined;
  readonly engine: EngineReport | undefined;
}

/** All contenders at one piece of work. */
export interface Bench {
  /** The adapter of the engine's device. */
  adapter(): Promise<AdapterDescription>;
  /** Two runs, the second checked; once for each contender. Undefined when it leaves this work out. */
  prepare(contender: ContenderName, work: Work): Promise<Prepared | undefined>;
  /** Milliseconds of one more run of what was prepared, until the device has finished it. */
  run(contender: ContenderName): Promise<number>;
  /** Ends it and gives back what it holds. */
  close(): Promise<void>;
}

declare global {
  /** Set by tests/bench/page.ts, which is loaded by its address: no room of src imports what only tests may. */
  var createBench: (gpu: GPU | undefined) => Bench;
  var bench: Bench;
}
