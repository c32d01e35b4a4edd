import { expect, test } from 'vitest';
import { Lab } from '../../../../src/lessons/course/lab';
import { differenceOf, type Measured } from '../../../../src/lessons/course/step';
import { measures, withoutWrite } from '../../../../src/lessons/who_decides/measure';
import { trainCopying } from '../../../../src/lessons/zero_order_hold/train';
import { fullTest } from '../../../full';
import { testDevice } from '../../engine/check-op';

const device = testDevice();
/** On the kernels, and equal to float64 but for an answer that is a tie in float32. */
async function measure(step: string, settings = {}): Promise<Measured> {
  const measured = await measures[step]!(new Lab(device()), settings);
  expect(differenceOf(measured)).toBeLessThan(0.02);
  return measured;
}

test('the stored models end at their plateaus', async () => {
  const [selective, frozen, fixed] = (await measure('plateaus')).answer as [number, number, number];
  expect(selective).toBeGreaterThan(93);
  expect(frozen).toBeGreaterThan(85);
  expect(frozen).toBeLessThan(92);
  expect(fixed).toBeGreaterThan(50);
  expect(fixed).toBeLessThan(61);
});

test('a letter is written three tokens after it, and only there', async () => {
  const { answer, lines = [] } = await measure('write');
  expect(answer).toEqual([3]);
  const [own, others] = lines.map(({ y }) => y) as [number[], number[]];
  for (const place of [0, 1, 2]) expect(own[place]).toBeGreaterThan(95);
  expect(own[3]).toBeLessThan(30);
  for (const other of others) expect(other).toBeGreaterThan(97);
});

fullTest('of five seeds four write a letter three tokens after it alone, one at two tokens', async () => {
  const lab = new Lab(device());
  const written: number[][] = [];
  for (const seed of [1, 2, 3, 4, 5]) {
    const { weights, accuracy } = await trainCopying(lab, { zeroOrderHold: false, seed });
    expect(accuracy.at(-1)).toBeGreaterThan(93);
    const own = (await withoutWrite(lab, weights)).map(({ got }) => got[1] as number);
    written.push(own.flatMap((percent, place) => (percent < 90 ? [place] : [])));
  }
  expect(written.toSorted((a, b) => a.length - b.length)).toEqual([[3], [3], [3], [3], [2, 3]]);
});

test('without its clock a letter never was, and those before it move up by one', async () => {
  const { answer, facts } = await measure('clock');
  expect(answer).toEqual([2]);
  expect(facts['shifted']).toBeGreaterThanOrEqual(99);
});

test('what forgets loses all before it and keeps all after it', async () => {
  const { answer, facts } = await measure('forget', { delta: 100 });
  expect(answer).toEqual([1, 2]);
  expect(facts['first']).toBeLessThan(30);
  expect(facts['second']).toBeGreaterThanOrEqual(99);
});

fullTest('what forgets and writes loses later letters too', async () => {
  expect((await measure('loud')).answer).toEqual([]);
});

test('of letters at 6, 12 and 20 the third alone survives a token 19 that forgets', async () => {
  expect((await measure('transfer')).answer).toEqual([1]);
});

test('of the tokens that one may edit, the write of letter + 3 is the one that loses the letter', async () => {
  const plain = await measure('token', { sequence: 0, token: -1, write: 1, clock: 1, forget: 0 });
  const answers = ({ bars = [] }: Measured) => bars.map(({ value }) => value);
  const [first, second, third] = plain.answer;
  expect(answers(plain)).toEqual(plain.answer);
  const tokens = plain.lines?.[0]?.y ?? [];
  const places = tokens.flatMap((token, t) => (token > 0 && t < tokens.length - 3 ? [t] : []));
  expect(places.map((place) => tokens[place])).toEqual(plain.answer);
  const at = { sequence: 0, token: places[1]! + 3, clock: 1, forget: 0 };
  const silent = answers(await measure('token', { ...at, write: 0 }));
  expect([silent[0], silent[2]]).toEqual([first, third]);
  expect(silent[1]).not.toBe(second);
  const forgotten = answers(await measure('token', { ...at, token: places[2]! - 1, write: 1, forget: 1 }));
  expect(forgotten[2]).toBe(third);
});
