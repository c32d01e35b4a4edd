import { expect, it } from 'vitest';
import { PRODUCTION_VRAM } from '../../../src/estimate/vram/options';
import { predictVram } from '../../../src/estimate/vram/predict';
import { reviewTable } from '../../../src/estimate/vram/review';

it('the review’s figures stand beside predictions, with reasons made of the numbers', () => {
  const { rows, explanation } = reviewTable(PRODUCTION_VRAM);
  expect(rows.map(({ batch, review }) => [batch, review.likely / 1e9])).toEqual([
    [8, 6],
    [16, 11],
    [64, 40],
  ]);
  for (const { batch, prediction, review, explanation: reason } of rows) {
    expect(prediction).toEqual(predictVram({ ...PRODUCTION_VRAM, batch }).total);
    expect(prediction.high).toBeLessThan(review.likely);
    expect(reason).toContain(`${(review.likely / prediction.likely).toFixed(1)} times as much`);
  }
  // (40 − 6) GB over 56 windows.
  expect(explanation[0]).toContain('607 MB a window from 1.1 GB');
  const saved = Math.round(predictVram(PRODUCTION_VRAM).savedPerWindow / 1e6);
  expect(explanation[1]).toContain(`${saved} MB of each window’s are saved`);
  expect(explanation.join(' ')).toContain('Mamba-2 in fp32');
});

it('a figure within the range is said to be', () => {
  const { rows } = reviewTable({ ...PRODUCTION_VRAM, precision: 'fp32', layers: 12 });
  for (const { prediction, review, explanation } of rows)
    expect(explanation.includes('within')).toBe(
      prediction.low <= review.likely && review.likely <= prediction.high,
    );
});
