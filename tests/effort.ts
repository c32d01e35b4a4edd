import { expect } from 'vitest';

/** What work costs, measured so that neither a slow machine nor a busy one changes the result. */

/** Steps of the loop that is the unit: about 50 ms of the two shared cores on which the limits were set. */
export const LOOP_STEPS = 35e6;

/** The unit of effort: a loop that every JavaScript engine turns into a few instructions a step. Runs in pages, too. */
export function loop(steps: number): number {
  let x = 1;
  for (let i = 0; i < steps; i++) x = (Math.imul(x, 1664525) + 1013904223) | 0;
  return x;
}

/** Microseconds that this process has computed for `work`, waiting not counted. */
function computed(work: () => unknown): number {
  const begun = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(begun);
  return user + system;
}

/** Such a part of the unit is measured and taken for the whole, which would cost more than most of the work. */
const PART = 5;

/** How many loops of 50 ms (see LOOP_STEPS) `work` costs. */
export function effortOf(work: () => unknown): number {
  // The first loop is compiled, the second is the measure.
  loop(LOOP_STEPS / 50);
  const unit = PART * computed(() => loop(LOOP_STEPS / PART));
  return computed(work) / unit;
}

/** As a collection of garbage or a busy neighbour can only add to what work costs, the cheapest of so many tries counts. */
const TRIES = 8;

/** Expects that `work` costs fewer than `limit` loops of 50 ms. It is done again only where it seemed to cost more. */
export function expectEffort(work: () => unknown, limit: number): void {
  let cheapest = effortOf(work);
  for (let tries = 1; tries < TRIES && cheapest >= limit; tries++)
    cheapest = Math.min(cheapest, effortOf(work));
  expect(cheapest).toBeLessThan(limit);
}
