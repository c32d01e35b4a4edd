import { expect, test } from 'vitest';
import { quantity } from '../../../src/base/quantity';
import { costTimePicture } from '../../../src/app/pages/fit/cost_time';
import type { Fit } from '../../../src/config/verdict';

const around = (value: number) => quantity([value / 2, value, 2 * value], 'assumed', 'the test');
const machine = (title: string, hours: number, dollars?: number, fits: Fit = 'fits') => ({
  title,
  fits,
  chosen: false,
  all: { hours: around(hours), dollars: dollars === undefined ? undefined : around(dollars) },
});

const LIMITS = { hours: 100, dollars: 100 };
const MACHINES = [
  machine('slow', 1000, 10),
  machine('quick', 10, 1000),
  machine('both', 50, 50),
  machine('too small', 20, 20, "won't fit"),
  machine('without a price', 20),
];

test('machines lie where their logarithms are, and those within both limits are named', () => {
  const { dots, plot, deadline, budget, times, said } = costTimePicture(MACHINES, LIMITS, 600)!;
  expect(dots.map(({ title }) => title).sort()).toEqual(['both', 'quick', 'slow', 'too small']);
  expect(times.map(({ text }) => text.replaceAll(/\s/g, ' '))).toEqual(['10.0 h', '100 h', '1,000 h']);
  const at = (name: string) => dots.find(({ title }) => title === name)!;
  expect(at('quick').time.likely).toBe(plot.left);
  expect(at('quick').cost.likely).toBe(plot.top);
  expect(at('slow').time.likely).toBe(plot.right);
  expect(at('slow').cost.likely).toBe(plot.bottom);
  expect(deadline).toBeCloseTo((plot.left + plot.right) / 2, 9);
  expect(budget).toBeCloseTo((plot.top + plot.bottom) / 2, 9);
  // A range that leaves the plot is cut there.
  expect(at('slow').time.to).toBe(plot.right);
  expect(at('both').time.to).toBeCloseTo(deadline, 9);
  expect(said.replaceAll(/\s/g, ' ')).toBe('Within 100 h and $100.00: both.');
});

test('names on one side never stand on each other, however alike the machines are', () => {
  const alike = Array.from({ length: 9 }, (_, i) => machine(`card ${i}`, 10 + i / 100, 30 + i / 100));
  const { dots, plot } = costTimePicture(alike, LIMITS, 360)!;
  const lines = dots.map(({ name }) => name.y).sort((a, b) => a - b);
  for (let i = 1; i < lines.length; i++) expect(lines[i]! - lines[i - 1]!).toBeGreaterThanOrEqual(15);
  expect(Math.max(...lines)).toBeLessThanOrEqual(plot.bottom);
});

test('without a price there is no picture', () => {
  expect(costTimePicture([machine('free', 10)], LIMITS, 600)).toBeUndefined();
});

test('what costs nothing, or next to nothing, lies at the edge, and no axis has more than six decades', () => {
  const free = costTimePicture([machine('free', 10, 0)], { hours: 100, dollars: 0 }, 600)!;
  expect(free.dots[0]?.cost.likely).toBe(free.plot.bottom);
  expect(free.budget).toBe(free.plot.bottom);
  const tiny = costTimePicture([machine('tiny', 1e-30, 1e-30), machine('usual', 10, 30)], LIMITS, 600)!;
  for (const { at, ticks } of [
    { at: tiny.dots.find(({ title }) => title === 'tiny')!.time.likely, ticks: tiny.times },
    { at: tiny.plot.left, ticks: tiny.costs },
  ]) {
    expect(at).toBe(tiny.plot.left);
    expect(ticks).toHaveLength(7);
    for (const tick of ticks) expect(tick.at).toBeGreaterThan(0);
  }
});
