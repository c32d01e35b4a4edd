import { describe, expect, it } from 'vitest';
import {
  limitSeconds,
  predictStepTime,
  type PastRun,
  type StepCost,
} from '../../../src/estimate/time_per_step';

const RATES = { flopsPerSecond: 1e12, bandwidthBytesPerSecond: 1e11 };
const cost = (flops: number, bytes = 0, dispatches = 0): StepCost => ({ flops, bytes, dispatches });
const run = (seconds: number, of: StepCost): PastRun => ({ cost: of, seconds });

describe('seconds of an update', () => {
  it('are bound by arithmetic or by memory', () => {
    expect(limitSeconds(cost(2e12, 1e11), RATES)).toBe(2);
    expect(limitSeconds(cost(2e12, 5e11), RATES)).toBe(5);
  });

  it('are a wide guess before the first run, never faster than the device', () => {
    const { low, likely, high, basis, error, pastRuns } = predictStepTime(cost(1e12, 0, 1000), RATES, []);
    expect(low).toBeGreaterThan(1 + 1000 * 24e-6);
    expect(likely).toBeGreaterThan(low);
    expect(high).toBeGreaterThan(2 * likely);
    expect([basis, error, pastRuns]).toEqual(['assumed', null, 0]);
  });

  it('follow the median of past runs, and say how far those were off', () => {
    const history = [run(2, cost(1e12)), run(4.4, cost(2e12)), run(9, cost(3e12))];
    const time = predictStepTime(cost(10e12), RATES, history);
    expect(time.likely).toBeCloseTo(22, 10);
    expect(time.high).toBeCloseTo((22 * 3) / 2.2, 10);
    expect(time.low).toBeLessThan(22 / 1.3);
    // Each from the other two: 2.6 for 2, 2.5 for 2.2, 2.1 for 3.
    expect(time.error).toBeCloseTo(0.3, 10);
    expect(time).toMatchObject({ basis: 'measured', pastRuns: 3 });
  });

  it('of a run like the one past run are those of that run', () => {
    const past = cost(3e11, 2e10, 900);
    const time = predictStepTime(past, RATES, [run(1.7, past)]);
    expect(time.likely).toBeCloseTo(1.7, 10);
    expect(time.low).toBeLessThan(1.7);
    expect(time.error).toBeNull();
    expect(time.source).toContain('the one run made here');
  });

  it('are rejected for rates and runs that cannot be', () => {
    expect(() => predictStepTime(cost(1), { ...RATES, flopsPerSecond: 0 }, [])).toThrow('positive numbers');
    expect(() => predictStepTime(cost(1), RATES, [run(0, cost(1))])).toThrow('a past run took 0 s');
    expect(() => predictStepTime(cost(1), RATES, [run(1, cost(0))])).toThrow(RangeError);
  });
});
