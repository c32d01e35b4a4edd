import { expect, it } from 'vitest';
import { PRODUCTION_VRAM } from './plans';
import { predictVram } from '../../../src/estimate/vram/predict';
import { claimTable } from '../../../src/estimate/vram/claims';
import { INCIDENTS } from '../../../src/config/incidents';

const INCIDENT = INCIDENTS[0];

it('the claimed figures of 2025-01-19 stand beside predictions, with reasons made of the numbers', () => {
  const { rows, explanation } = claimTable(INCIDENT, PRODUCTION_VRAM);
  expect(rows.map(({ batch, claimed }) => [batch, claimed.likely / 1e9])).toEqual([
    [8, 6],
    [16, 11],
    [64, 40],
  ]);
  for (const { batch, prediction, claimed, explanation: reason } of rows) {
    expect(prediction).toEqual(predictVram({ ...PRODUCTION_VRAM, batch }).total);
    expect(prediction.high).toBeLessThan(claimed.likely);
    expect(reason).toContain(`${(claimed.likely / prediction.likely).toFixed(1)} times as much`);
  }
  // (40 − 6) GB over 56 windows.
  expect(explanation[0]).toContain('607 MB per window from 1.1 GB');
  const saved = Math.round(predictVram(PRODUCTION_VRAM).savedPerWindow / 1e6);
  expect(explanation[1]).toContain(`${saved} MB of each window are activations saved`);
  expect(explanation.join(' ')).toContain('Mamba-2 in fp32');
});

it('a figure within the range is said to be', () => {
  const { rows } = claimTable(INCIDENT, { ...PRODUCTION_VRAM, precision: 'fp32', layers: 12 });
  for (const { prediction, claimed, explanation } of rows)
    expect(explanation.includes('within')).toBe(
      prediction.low <= claimed.likely && claimed.likely <= prediction.high,
    );
});
