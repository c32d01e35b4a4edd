import { describe, expect, test } from 'vitest';
import { KEY_AT } from '../../../src/config/keys';
import { DEFAULT_POSTPROCESSING } from '../../../src/eeg/events/postprocess';
import { FALSE_ALARM_RATES } from '../../../src/base/production';
import { PRODUCTION } from '../../../src/models/detector';
import { isAllowed, parseValue } from '../../../src/training/fields';
import {
  checkSettings,
  FIELDS,
  PRODUCTION_RUN,
  SMOKE_RUN,
  valueOf,
  withValues,
} from '../../../src/training/settings';

describe('the table of settings', () => {
  test.each(FIELDS)('%s has defaults that it allows, and names all of its choices', (_, field) => {
    const { kind, production, smoke, or, choices } = field;
    for (const value of [production, smoke, ...(or ? [or.value] : [])]) {
      expect(isAllowed(field, value), String(value)).toBe(true);
      expect(parseValue(field, String(value))).toEqual(value);
    }
    if (kind.type === 'choice') expect(Object.keys(choices ?? {}).sort()).toEqual([...kind.of].sort());
  });

  test('names each setting once in the form, and has each key and option once', () => {
    const once = (all: readonly unknown[]): void => expect(new Set(all).size).toBe(all.length);
    once(FIELDS.map(([, { label }]) => label));
    once(FIELDS.flatMap(([, { key }]) => key ?? []));
    once(FIELDS.flatMap(([, { option }]) => option ?? []));
    once(FIELDS.flatMap(([name, { formerly }]) => [name, ...(formerly === undefined ? [] : [formerly])]));
  });

  test('agrees with what the model and the scores have by themselves', () => {
    const { mixer, kernelSizes, layers, convKernel, dropout, baseChannels } = PRODUCTION;
    expect(PRODUCTION_RUN.model).toEqual({ mixer, kernelSizes, layers, convKernel, dropout, baseChannels });
    expect(PRODUCTION_RUN.postprocessing).toEqual(DEFAULT_POSTPROCESSING);
    expect(PRODUCTION_RUN.falseAlarmRates).toEqual(FALSE_ALARM_RATES);
  });

  test('takes the bounds of a key from its declaration', () => {
    const prefetch = KEY_AT.get('data.prefetch_factor')?.kind;
    expect(FIELDS.find(([name]) => name === 'prefetch')?.[1].kind).toBe(prefetch);
    checkSettings({ ...SMOKE_RUN, prefetch: 1000 });
    expect(() => checkSettings({ ...SMOKE_RUN, prefetch: 1 })).toThrow(
      'Prefetch factor must be a whole number of at least 2; it is 1',
    );
  });
});

test('the presets are allowed', () => {
  checkSettings(PRODUCTION_RUN);
  checkSettings(SMOKE_RUN);
});

test('a value is read and replaced by its dotted name', () => {
  expect(valueOf(SMOKE_RUN, 'model.layers')).toBe(2);
  expect(valueOf(SMOKE_RUN, 'model.layers.toString')).toBeUndefined();
  expect(valueOf(SMOKE_RUN, '__proto__')).toBeUndefined();
  const changed = withValues(SMOKE_RUN, { 'model.layers': 3, epochs: 1 });
  expect(changed).toEqual({ ...SMOKE_RUN, model: { ...SMOKE_RUN.model, layers: 3 }, epochs: 1 });
});

test.each([
  [{ batch: 3, microBatches: 2 }, 'a batch of 3 windows cannot be divided into 2 equal parts'],
  [{ persistentWorkers: true }, 'persistent workers need at least one worker'],
  [{ epochs: 0 }, 'Epochs must be a whole number from 1 to 200; it is 0'],
  [{ epochs: '3' }, 'Epochs must be a whole number from 1 to 200; it is "3"'],
  [{ clip: Infinity }, 'Gradient clipping must be a number of at least 0; it is .inf'],
  [{ seed: 2 ** 53 }, 'Seed must be a whole number; it is 9007199254740992'],
  [{ maxSteps: undefined }, 'Max steps must be a whole number of at least 1, or null'],
  [{ balanced: 1 }, 'Balanced sampling must be true or false; it is 1'],
  [
    { 'model.baseChannels': 3 },
    'Base channels must be a whole number from 2 to 256, a multiple of 2, or auto; it is 3',
  ],
  [{ 'model.kernelSizes': [] }, 'there must be at least one kernel size'],
  [{ 'model.kernelSizes': [4] }, 'Kernel sizes must be a list of odd whole numbers from 3 to 11; it is [4]'],
  [{ 'postprocessing.tau_on': 0.6 }, 'post-processing: tau_on (0.6) must be above tau_off (0.78)'],
])('settings that are not allowed are rejected with a sentence: %o', (changes, message) => {
  expect(() => checkSettings(withValues(SMOKE_RUN, changes))).toThrow(message);
});
