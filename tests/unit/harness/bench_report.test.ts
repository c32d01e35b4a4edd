import { expect, test } from 'vitest';
import type { EngineReport } from '../../bench/harness/protocol';
import { formatCase, isWrong, type Outcome } from '../../bench/harness/report';

const measured = (
  times: number[],
  error = 1e-6,
  engine?: EngineReport,
): Outcome & { outcome: 'measured' } => ({
  outcome: 'measured',
  times,
  firstMs: 1000,
  worst: { tensor: 'dA', error },
  usage: { dispatches: 33, submits: 1, bytesPeak: 2e6 },
  engine,
});

const engine: EngineReport = {
  profile: { bandwidthBytesPerSecond: 1e9, flopsPerSecond: 1e10 },
  tuningMs: 500,
  variantsTimed: 3,
  planBytes: 2e6,
  stagingBytes: 1e6,
  flops: 2e7,
  bytes: 1e6,
};

const targets = { library: 5, cpu: 3, fewerDispatchesThan: 33 };

test('targets compare medians with the better library, and are strict about dispatches', () => {
  const text = formatCase(
    new Map<'ours' | 'jax' | 'tfjs' | 'cpu', Outcome>([
      ['ours', measured([4, 90, 5, 3], 1e-6, engine)],
      ['jax', measured([50, 10, 45])],
      ['tfjs', measured([23])],
      ['cpu', measured([13.5])],
    ]),
    targets,
  );
  // The median of 3, 4, 5 and 90 is 4.5.
  expect(text).toMatch(/Smokescan +4\.50 ms +1\.00× +4 +3\.00 – 90\.0 /);
  expect(text).toMatch(/jax-js +45\.0 ms +10\.0× /);
  // 20 MFLOP take 2 ms at best, 1 MB takes 1 ms.
  expect(text).toContain("44 % of the device's limit, its FLOP rate: 4.44 GFLOP/s of 10.0");
  expect(text).toContain('plan 2.00 MB, of which 1.00 MB to read results; 3 variants tried in 0.50 s');
  expect(text).toContain('at least 5× as fast as the better library: 5.11×, reached');
  expect(text).toContain('at least 3× as fast as the loops on the CPU: 3.00×, reached');
  expect(text).toContain('under 33 dispatches: 33, NOT reached');
});

test('who failed or was wrong is named and is nobody to be compared with', () => {
  const wrong = measured([], 0.5);
  const text = formatCase(
    new Map<'ours' | 'jax' | 'tfjs' | 'cpu', Outcome>([
      ['ours', measured([10], 1e-6, engine)],
      ['jax', { outcome: 'failed', reason: 'no first result within 240 s' }],
      ['tfjs', wrong],
      ['cpu', { outcome: 'absent' }],
    ]),
    targets,
  );
  expect(isWrong(wrong)).toBe(true);
  expect(isWrong(measured([], NaN))).toBe(true);
  expect(isWrong(measured([], 1e-5))).toBe(false);
  expect(text).toContain('jax-js: no first result within 240 s');
  expect(text).toContain('TensorFlow.js is WRONG: dA by 5.0e-1, not timed');
  expect(text).not.toContain('CPU loops  ');
  expect(text).toContain('as fast as the better library: not measured');
  expect(text).toContain('as fast as the loops on the CPU: not measured');
});
