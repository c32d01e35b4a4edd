import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { schemaText } from '../../../src/config/json_schema';
import { KEYS, SECTIONS } from '../../../src/config/keys';
import { PyDate, type PyValue } from '../../../src/config/plain';
import { readConfig, settingsIn } from '../../../src/config/settings';

const EMPTY = { data: {}, model: {}, training: {}, postprocessing: {} };

/** A file with one value, at a dotted path. */
function withValue(path: string, value: PyValue): PyValue {
  const file = structuredClone(EMPTY) as Record<string, PyValue>;
  const names = path.split('.');
  const last = names.pop() as string;
  names.reduce((at, name) => (at[name] ??= {}) as Record<string, PyValue>, file)[last] = value;
  return file;
}

const rejected = (value: PyValue) =>
  settingsIn(value).rejected.map(({ path, problem }) => ({ path, problem }));
const problems = (path: string, value: PyValue) => rejected(withValue(path, value));

describe('the settings of a file', () => {
  test('needs four sections, and no key', () => {
    expect(rejected(EMPTY)).toEqual([]);
    expect(rejected({ data: {}, model: {}, training: {} })).toEqual([
      {
        path: 'postprocessing',
        problem: 'this section is missing, and the trainer needs it',
      },
    ]);
    expect(rejected(null)).toEqual([{ path: '', problem: 'there are no keys in it' }]);
  });

  test.each(KEYS.map((key) => [key.path, key] as const))(
    'takes the default of %s',
    (path, { defaultValue }) => {
      expect(problems(path, defaultValue)).toEqual([]);
    },
  );

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
    ['resources', null],
    ['evaluation.fa_rates', ['1', Infinity]],
    ['data.unheard_of', 1],
  ])('takes %s: %o as the trainer does', (path, value) => {
    expect(problems(path, value)).toEqual([]);
  });

  test.each([
    ['training.epochs', 0, '0 is not a whole number from 1 to 200'],
    ['training.epochs', 201, '201 is not a whole number from 1 to 200'],
    ['training.batch_size', 1.5, '1.5 is not a whole number from 1 to 256'],
    ['training.batch_size', 'many', '"many" is not a whole number from 1 to 256'],
    ['training.batch_size', null, 'null (nothing) is not a whole number from 1 to 256'],
    ['training.learning_rate', '1e-1', '"1e-1" is not a number from 0.000001 to 0.01'],
    ['training.loss', 'hinge', '"hinge" is not one of bce, focal'],
    ['data.sampling_rate', 250, '250 is not 256, which is fixed'],
    ['data.sampling_rate', '256', '"256" is not 256, which is fixed'],
    ['preprocessing.notch_freq', '60', '"60" is not one of 50, 60'],
    ['data.pin_memory', 2, '2 is not true or false'],
    ['data.data_dir', 5, '5 is not a text'],
    ['experiment.name', new PyDate('2025-01-19'), '2025-01-19, which PyYAML takes for a date, is not a text'],
    ['model.rescnn.kernel_sizes', [3, 4], '4 is not an odd whole number from 3 to 11'],
    ['evaluation.metrics', 'auroc', '"auroc" is not a list of texts'],
    ['preprocessing.bandpass', [0.5], '[0.5] is not two numbers that rise, from 0.1 to 200'],
    ['preprocessing.bandpass', [50, 0.5], '[50, 0.5] is not two numbers that rise, from 0.1 to 200'],
    ['postprocessing.hysteresis.tau_on', 0.7, '0.7 is not above tau_off, which is 0.78'],
    ['postprocessing.duration.max_duration_s', 1, '1 is below min_duration_s, which is 3'],
    ['model', 5, '5 is not a mapping of keys'],
    ['evaluation', null, 'null (nothing) is not a mapping of keys'],
    ['experiment.device', 'cpu', 'true is rejected together with experiment.device cpu'],
  ])('rejects %s: %o', (path, value, problem) => {
    expect(problems(path, value).map((found) => found.problem)).toEqual([problem]);
  });

  test('come once each, with what is written, read and used', () => {
    const { settings } = readConfig(
      [
        'base: &base {num_workers: "4", pin_memory: yes}',
        'data: {stride: 5, dataset: x}',
        'data:',
        '  <<: *base',
        '  pin_memory: off',
        '  prefetch: 3e2',
        '"data.stride": 7',
        'training: {batch_size: 300, batch_size: 0o17}',
      ].join('\n'),
    );
    const at = (path: string) => settings.get(path);
    expect(at('data.num_workers')).toMatchObject({ kind: 'set', read: '4', value: 4, written: undefined });
    expect(at('data.pin_memory')).toMatchObject({ read: false, value: false, elsewhere: { value: 'off' } });
    // The first section is lost, and a name with a dot is no path.
    expect(at('data.stride')).toMatchObject({ kind: 'default', read: undefined, value: 10 });
    expect(at('"data.stride"')).toMatchObject({ kind: 'unknown', value: 7 });
    expect(at('data')?.written?.repeated).toBe(true);
    expect(at('data.prefetch')).toMatchObject({ kind: 'unknown', value: '3e2', written: { plain: '3e2' } });
    expect(at('base.num_workers')).toMatchObject({ kind: 'part', value: '4' });
    expect(at('training.batch_size')).toMatchObject({
      read: '0o17',
      value: '0o17',
      problem: '"0o17" is not a whole number from 1 to 256',
      written: { repeated: true, value: { line: 8 } },
    });
    expect(at('model')).toMatchObject({ kind: 'section', read: undefined });
    expect(settings.rejected.map(({ path }) => path).sort()).toEqual([
      'model',
      'postprocessing',
      'training.batch_size',
    ]);
  });

  test('know every section of the keys', () => {
    const parents = KEYS.flatMap(({ path }) =>
      path.split('.').map((_, i, names) => names.slice(0, i).join('.')),
    );
    expect(new Set(parents)).toEqual(new Set(Object.keys(SECTIONS)));
  });

  test('reads numbers that are texts', () => {
    expect(settingsIn(withValue('training.learning_rate', '3e-4')).value('training.learning_rate')).toBe(
      3e-4,
    );
    expect(settingsIn(EMPTY).value('training.batch_size')).toBe(16);
  });

  test('is what configs/schema.json holds (npx smokescan schema writes it)', () => {
    const file = readFileSync(join(import.meta.dirname, '../../../configs/schema.json'), 'utf8');
    expect(file).toBe(schemaText());
  });
});
