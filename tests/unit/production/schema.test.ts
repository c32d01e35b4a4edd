import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { KEYS } from '../../../src/production/keys';
import { invalidities, jsonSchema, settingAt } from '../../../src/production/schema';

const EMPTY = { data: {}, model: {}, training: {}, postprocessing: {} };

/** A file with one value, at a dotted path. */
function withValue(path: string, value: unknown): unknown {
  const file = structuredClone(EMPTY) as Record<string, unknown>;
  const names = path.split('.');
  const last = names.pop() as string;
  names.reduce((at, name) => (at[name] ??= {}) as Record<string, unknown>, file)[last] = value;
  return file;
}

const problems = (path: string, value: unknown) => invalidities(withValue(path, value));

describe('the schema', () => {
  test('needs four sections, and no key', () => {
    expect(invalidities(EMPTY)).toEqual([]);
    expect(invalidities({ data: {}, model: {}, training: {} })).toEqual([
      { path: 'postprocessing', problem: 'is missing' },
    ]);
    expect(invalidities(null)).toEqual([{ path: '', problem: 'is no mapping' }]);
  });

  test.each(KEYS.map((key) => [key.path, key] as const))('takes the default of %s', (path, { fallback }) => {
    expect(problems(path, fallback)).toEqual([]);
  });

  test.each([
    ['training.learning_rate', '3e-4'],
    ['training.batch_size', ' 16 '],
    ['training.batch_size', 16.0],
    ['training.epochs', '1_00'],
    ['data.pin_memory', 'Yes'],
    ['data.pin_memory', 0],
    ['data.max_hours', null],
    ['model.encoder.channels', [64, 128, 256, 512]],
    ['experiment.seed', -1],
    ['data.unheard_of', 1],
  ])('takes %s: %o as production does', (path, value) => {
    expect(problems(path, value)).toEqual([]);
  });

  test.each([
    ['training.epochs', 0, 'is less than 1'],
    ['training.epochs', 201, 'is more than 200'],
    ['training.batch_size', 1.5, 'is no whole number'],
    ['training.batch_size', 'many', 'is no number'],
    ['training.batch_size', null, 'is no number'],
    ['training.learning_rate', '1e-1', 'is more than 0.01'],
    ['training.loss', 'hinge', 'is none of bce, focal'],
    ['data.sampling_rate', 250, 'is not 256, which is fixed'],
    ['data.pin_memory', 2, 'is neither true nor false'],
    ['data.data_dir', 5, 'is no text'],
    ['model.rescnn.kernel_sizes', [3, 4], 'is not odd'],
    ['preprocessing.bandpass', [0.5], 'has not 2 items'],
    ['preprocessing.bandpass', [50, 0.5], 'does not rise'],
    ['postprocessing.hysteresis.tau_on', 0.7, 'is not above tau_off (0.78)'],
    ['postprocessing.duration.max_duration_s', 1, 'is below min_duration_s (3)'],
    ['model', 5, 'is no mapping'],
  ])('refuses %s: %o', (path, value, problem) => {
    expect(problems(path, value).map((found) => found.problem)).toEqual([problem]);
  });

  test('reads numbers that are texts', () => {
    expect(settingAt(withValue('training.learning_rate', '3e-4'), 'training.learning_rate')).toBe(3e-4);
    expect(settingAt(EMPTY, 'training.batch_size')).toBe(16);
  });

  test('is what configs/schema.json holds', () => {
    const file = readFileSync(join(import.meta.dirname, '../../../configs/schema.json'), 'utf8');
    expect(JSON.parse(file)).toEqual(JSON.parse(JSON.stringify(jsonSchema())));
  });
});
