import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { main } from '../../../src/cli/bench';
import { requestNodeGpu } from '../../../src/cli/node_gpu';
import { Device } from '../../../src/engine/device';
import { Program } from '../../../src/engine/program';
import { reportGpu, type GpuReport } from '../../../src/training/gpu_report';
import { reportText as text } from '../../../src/training/gpu_report_text';
import { fullTest } from '../../full';
import { testDevice } from '../engine/check-op';

const device = testDevice();
const folder = mkdtempSync(join(tmpdir(), 'smokescan-bench-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const REPORT: GpuReport = {
  kernels: '0123456789ab',
  gpu: 'A card',
  features: ['subgroups'],
  limits: { bytesPerSecond: 1e11, flopsPerSecond: 1e12 },
  check: { cases: 13, wrong: [], broken: [] },
  step: { width: 8, milliseconds: 23, flops: 4.6e9, dispatches: 911, share: 0.2 },
  ops: [
    {
      op: 'linear',
      nodes: 10,
      variants: [
        { name: 'shared 32x32', nodes: 7 },
        { name: 'quad 8x8', nodes: 3 },
      ],
      ms: 9,
      flopsPerSecond: 5e11,
      bytesPerSecond: 2e10,
      bound: 'arithmetic',
      share: 0.5,
    },
  ],
  remark: null,
};

test('a report reads as text that can be pasted', () => {
  expect(text(REPORT)).toEqual([
    'A card; kernels 0123456789ab',
    'features: subgroups',
    'limits as measured: 1,000 GFLOP/s in float32, 100 GB/s',
    '13 ops agree with float64, forward and backward',
    'a training step of width 8, batch 1: 23.0 ms, 4.6 GFLOP, 911 dispatches, 20 % of the limit',
    '',
    'op      nodes  ms    of the step  GFLOP/s  GB/s  of its limit     kernels',
    'linear  10     9.00  100 %        500      20    50 % arithmetic  shared 32x32 (7), quad 8x8 (3)',
  ]);
  const wrong = [{ case: 'matrix product', op: 'linear', variant: '8x4', error: 0.5 }];
  const bad = text({ ...REPORT, check: { cases: 13, wrong, broken: [] } });
  expect(bad[3]).toBe('wrong beside float64: linear (8x4), relative error 5.0e-1');
});

test('a report that is stopped at once has what was measured before', async () => {
  const before = device().allocatedBytes;
  const { limits, check, step, ops } = await reportGpu(device(), { stopped: () => true });
  expect(limits.flopsPerSecond).toBeGreaterThan(0);
  expect([check.wrong, check.broken]).toEqual([[], []]);
  expect([step, ops]).toEqual([null, []]);
  expect(text({ ...REPORT, step, ops }).at(-1)).toBe('a training step was not timed');
  expect(device().allocatedBytes).toBe(before);
});

fullTest('the command measures a step, and nothing exceeds its limit', async () => {
  const out = join(folder, 'report.json');
  const log = vi.spyOn(console, 'log').mockReturnValue(undefined);
  expect(await main(['--width', '1', '--json', '--out', out])).toBe(0);
  const printed = JSON.parse(String(log.mock.calls[0]?.[0])) as GpuReport;
  log.mockRestore();
  expect(printed).toEqual(JSON.parse(readFileSync(out, 'utf8')));
  expect(printed.step?.milliseconds).toBeGreaterThan(0);
  expect(printed.ops.map(({ op }) => op)).toEqual(
    expect.arrayContaining(['conv1d', 'ssd_scan', 'adamw', 'linear']),
  );
  const linear = printed.ops.find(({ op }) => op === 'linear');
  expect(linear?.variants.reduce((sum, { nodes }) => sum + nodes, 0)).toBe(linear?.nodes);
  for (const { share } of printed.ops) expect(share).toBeLessThanOrEqual(1);
});

fullTest(
  'with a coarse clock a step is timed for many of its ticks, ops are not, and it is said',
  async () => {
    const coarse = await Device.request(await requestNodeGpu(), { defaultsOnly: true });
    const elapsed = coarse.elapsed.bind(coarse);
    vi.spyOn(coarse, 'elapsed').mockImplementation(async () => 50 * Math.ceil((await elapsed()) / 50));
    const timed = vi.spyOn(Program.prototype, 'finish');
    const labels: string[] = [];
    const { step, ops, remark } = await reportGpu(coarse, {
      width: 1,
      progress: ({ label }) => labels.push(label),
    });
    expect(ops).toEqual([]);
    expect(remark).toMatch(/ops are not timed: the clock here ticks every 50 ms/);
    expect(step?.milliseconds).toBeGreaterThan(0);
    expect(timed.mock.calls.length).toBeGreaterThanOrEqual(4);
    expect(labels).not.toContain('timing the ops of a step');
    vi.restoreAllMocks();
    coarse.destroy();
  },
);
