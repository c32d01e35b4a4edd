import { expect, test } from 'vitest';
import { SAMPLE_RATE } from '../../../../src/eeg/signal/preprocess';
import { onsetOf, PATIENTS, RECORDING } from '../../../../src/lessons/course/eeg';
import { Lab } from '../../../../src/lessons/course/lab';
import { differenceOf } from '../../../../src/lessons/course/step';
import { measures } from '../../../../src/lessons/look_ahead/measure';
import { fullTest } from '../../../full';
import { testDevice } from '../../engine/check-op';

const device = testDevice();
const measure = (step: string, settings = {}) => measures[step]!(new Lab(device()), settings);

test('each patient has a seizure where the lesson reads', async () => {
  for (const patient of PATIENTS) {
    const { start, stop } = await onsetOf(patient);
    expect(start).toBeGreaterThanOrEqual(RECORDING.before * SAMPLE_RATE);
    expect(stop - start).toBeGreaterThanOrEqual(RECORDING.seizure * SAMPLE_RATE);
    expect(start + 32 * SAMPLE_RATE).toBeLessThanOrEqual(RECORDING.duration * SAMPLE_RATE);
  }
});

fullTest(
  'a change of the future reaches back by seconds, and with the forward scan alone by one',
  async () => {
    const measured = await measure('reach');
    const { both, both64, forward, forward64 } = measured.facts;
    expect(both).toBeGreaterThan(3);
    expect(both64).toBeGreaterThan(both!);
    expect(forward! * SAMPLE_RATE).toBeLessThanOrEqual(270);
    expect(forward64! * SAMPLE_RATE).toBeLessThanOrEqual(270);
    expect(forward).toBeGreaterThan(0.8);
    expect(differenceOf(measured)).toBeLessThan(1e-3);
  },
);

fullTest('P does not rise before the onset, and then sooner with both directions', async () => {
  const { facts, answer } = await measure('onset');
  expect(Math.abs(facts['rise']!)).toBeLessThan(0.05);
  expect(Math.abs(answer[0]!)).toBeLessThan(3);
  expect(facts['soon']).toBeGreaterThan(facts['soonForward']! + 0.3);
});

fullTest('around one onset it is blind without look-ahead, and not with one of some seconds', async () => {
  const none = await measure('bedside');
  const seconds = await measure('bedside', { ahead: 4.08 });
  for (const measured of [none, seconds]) expect(differenceOf(measured)).toBeLessThan(1e-5);
  expect(none.answer[0]).toBeLessThan(0.15);
  expect(seconds.answer[0]! - none.answer[0]!).toBeGreaterThan(0.5);
  expect(seconds.lines![0]!.y).toEqual(none.lines![0]!.y);
});

fullTest('without look-ahead it is blind, and a second gives most', async () => {
  const { facts } = await measure('wait');
  expect(facts['none']).toBeLessThan(0.15);
  expect(facts['eighth']).toBeGreaterThan(0.3);
  expect(facts['one']! / facts['all']!).toBeGreaterThan(0.7);
});

fullTest('at the edge the convolutions are missed more than the scan', async () => {
  const { answer, facts } = await measure('blind');
  expect(answer).toEqual([1]);
  expect(facts['cut']).toBeLessThan(0.15);
});

fullTest('zeros are no future', async () => {
  const measured = await measure('zeros');
  const { real, ends, zeros } = measured.facts;
  expect(real).toBeGreaterThan(0.9);
  expect(ends).toBeLessThan(0.1);
  expect(zeros).toBeLessThan(0.5);
  expect(differenceOf(measured)).toBeLessThan(1e-5);
});

test('a stage more doubles the reach', async () => {
  const { facts } = await measure('transfer');
  expect(facts['five']! / facts['four']!).toBeCloseTo(2, 0);
  expect(facts['four']).toBeCloseTo(1.03, 2);
});
