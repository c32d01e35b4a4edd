import { describe, expect, it, vi } from 'vitest';
import { answer } from '../../../src/app/ui/answer';
import { Latest } from '../../../src/app/ui/latest.svelte';

const wait = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Nothing is under way any more. */
const settled = (latest: Latest<number>): Promise<void> =>
  vi.waitFor(() => expect(latest.busy).toBe(false), 60_000);

describe('the newest answer', () => {
  it('comes from the last of the questions that were asked meanwhile', async () => {
    const asked: number[] = [];
    const latest = new Latest<number>();
    for (const number of [1, 2, 3])
      latest.ask(async () => {
        asked.push(number);
        await wait(5);
        return { value: number };
      });
    expect(latest.busy).toBe(true);
    await settled(latest);
    expect(asked).toEqual([1, 3]);
    expect([latest.value, latest.busy]).toEqual([3, false]);
  });

  it('is shown step by step until another question comes', async () => {
    const shown: boolean[] = [];
    const latest = new Latest<number>();
    latest.ask(async (show) => {
      shown.push(show(1));
      await wait(5);
      shown.push(show(2));
      return undefined;
    });
    await vi.waitFor(() => expect(latest.value).toBe(1));
    latest.ask(() => Promise.resolve({ problem: 'it is too large' }));
    await settled(latest);
    expect(shown).toEqual([true, false]);
    expect([latest.value, latest.problem]).toEqual([undefined, 'it is too large']);
  });

  it('is dropped when it was forgotten meanwhile, and kept when there is no other', async () => {
    const latest = new Latest<number>();
    latest.ask(() => Promise.resolve({ value: 1 }));
    await settled(latest);
    latest.ask(() => Promise.resolve(undefined));
    await settled(latest);
    expect(latest.value).toBe(1);
    latest.ask(async () => {
      await wait(5);
      return { value: 2 };
    });
    latest.clear();
    await settled(latest);
    expect([latest.value, latest.busy]).toEqual([undefined, false]);
  });
});

describe('an answer', () => {
  it('is a sentence where the question cannot be answered, and no defect is hidden', () => {
    expect(answer(() => 1)).toEqual({ value: 1 });
    const fail = (error: Error) => () => {
      throw error;
    };
    expect(answer(fail(new RangeError('too large')))).toEqual({ problem: 'too large' });
    expect(() => answer(fail(new TypeError('a defect')))).toThrow('a defect');
  });
});
