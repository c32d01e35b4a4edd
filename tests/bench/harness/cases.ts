/** What the bench measures: shapes, and how much faster than the others the engine is meant to be at them. */

/** One computation; the shapes are explained in tests/bench/rivals/types.ts, in the same words. */
export type Work =
  | { readonly kind: 'matmul'; readonly shape: Readonly<Record<'m' | 'k' | 'n', number>> }
  | {
      readonly kind: 'scan';
      readonly shape: Readonly<Record<'batch' | 'length' | 'channels' | 'd_state', number>>;
    }
  | {
      readonly kind: 'block';
      readonly shape: Readonly<
        Record<'batch' | 'length' | 'd_model' | 'd_state' | 'd_conv' | 'expand' | 'dt_rank', number>
      >;
    }
  | {
      readonly kind: 'conv';
      readonly shape: Readonly<Record<'batch' | 'length' | 'channels' | 'outputs' | 'kernel', number>>;
    }
  | { readonly kind: 'norm'; readonly shape: Readonly<Record<'rows' | 'channels', number>> }
  | { readonly kind: 'adamw'; readonly shape: Readonly<Record<'parameters', number>> };

export interface Targets {
  /** Times as fast as the better library. */
  readonly library: number;
  /** Times as fast as the loops on the CPU. */
  readonly cpu?: number;
  readonly fewerDispatchesThan?: number;
}

export interface BenchSpec {
  readonly full: Work;
  /** Of the same kind but quick, to see that everything runs and is right. */
  readonly small: Work;
  readonly targets: Targets;
}

const matmul = (m: number, k: number, n: number): Work => ({ kind: 'matmul', shape: { m, k, n } });

const scan = (length: number, channels: number): Work => ({
  kind: 'scan',
  shape: { batch: 1, length, channels, d_state: 16 },
});

const block = (batch: number, length: number, d_model: number): Work => ({
  kind: 'block',
  shape: { batch, length, d_model, d_state: 16, d_conv: 4, expand: 2, dt_rank: Math.ceil(d_model / 16) },
});

const conv = (length: number, channels: number): Work => ({
  kind: 'conv',
  shape: { batch: 1, length, channels, outputs: channels, kernel: 5 },
});

const norm = (rows: number, channels: number): Work => ({ kind: 'norm', shape: { rows, channels } });

const adamw = (parameters: number): Work => ({ kind: 'adamw', shape: { parameters } });

/** By the names that the command takes. */
export const specs: Readonly<Record<string, BenchSpec>> = {
  'matmul-960': { full: matmul(960, 512, 2096), small: matmul(120, 64, 264), targets: { library: 1.2 } },
  'matmul-512': { full: matmul(512, 512, 512), small: matmul(64, 64, 64), targets: { library: 1.2 } },
  'scan-256': { full: scan(256, 128), small: scan(64, 32), targets: { library: 10, cpu: 3 } },
  'scan-960': { full: scan(960, 1024), small: scan(120, 64), targets: { library: 10, cpu: 3 } },
  block: {
    full: block(4, 256, 64),
    small: block(2, 32, 16),
    targets: { library: 5, fewerDispatchesThan: 40 },
  },
  'conv-64': { full: conv(15_360, 64), small: conv(240, 8), targets: { library: 1.5 } },
  'conv-512': { full: conv(1920, 512), small: conv(60, 32), targets: { library: 1.5 } },
  'layer-norm': { full: norm(960, 512), small: norm(60, 64), targets: { library: 3 } },
  adamw: { full: adamw(8_000_000), small: adamw(10_000), targets: { library: 3 } },
};
