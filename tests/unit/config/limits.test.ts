/** Nothing that a file can hold takes more than a second or 500 MB, whatever it is asked for. */
import { describe, expect, test } from 'vitest';
import { exportText } from '../../../src/config/canonical';
import { applyChanges } from '../../../src/config/edit';
import { scalarText } from '../../../src/config/scalar';
import { inspect } from '../../../src/config/issues';
import { KEYS } from '../../../src/config/keys';
import { planJobs } from '../../../src/config/launches';
import { MAX_CHARACTERS } from '../../../src/config/yaml_limits';
import { MACHINES, PLATFORMS, TARGETS } from '../../../src/config/targets';
import { commandsFor } from '../../../src/handoff/commands';
import { forecast, planFor } from '../../../src/estimate/forecast';
import { readConfig } from '../../../src/config/settings';
import { readConfigText } from '../../../src/cli/config_text';
import { expectEffort } from '../../effort';

/** Loops of 50 ms: a second. */
const SECOND = 20;
/** Of a forecast: 0.4 to 0.7 s where a loop takes 35 ms, and half as much again for what a busy machine adds. */
const FORECAST = 30;
const MAX_MEGABYTES = 500;
const LONG = MAX_CHARACTERS - 1000;

const repeated = (text: string, times = Math.floor(LONG / text.length)): string => text.repeat(times);
const many = (of: (i: number) => string, separator: string, count = 4900): string =>
  Array.from({ length: count }, (_, i) => of(i)).join(separator);

/** Files of one peculiarity each, as long as files are read or longer. */
const FILES: Readonly<Record<string, string>> = {
  'a line beyond the limit': repeated('a', 2 * MAX_CHARACTERS),
  'commas in a list': `a: [${repeated(',', 900_000)}`,
  'fewer commas in a list': `a: [${repeated(',', 9_000)}`,
  'commas in a mapping': `a: {${repeated(',', 9_000)}`,
  'items in a list': `a: [${many(() => '1', ',')}]`,
  'items below each other': `a:\n${many(() => '- 1', '\n')}`,
  'keys in a line': `a: {${many((i) => `k${i}: 1`, ',')}}`,
  'unknown keys': many((i) => `sampling_rate_${i}: 1`, '\n'),
  'a repeated key': `data:\n${many(() => '  num_workers: 1', '\n', 4500)}`,
  'equal lines': repeated('a: 1\n'),
  comments: repeated('#\n'),
  'glued comments': repeated('a: 1#\n', 2400),
  'empty lines': repeated('\n'),
  'lines that end with CR': repeated('a\r'),
  'a plain text': `a: ${repeated('x ')}`,
  'a plain text of many lines': `a:\n${repeated('  x\n', 9_000)}`,
  'a quoted text of many lines': `a: "${repeated('x\n  ', 9_000)}"`,
  'a literal text': `a: |\n${repeated('  x\n', 9_000)}`,
  'a folded text': `a: >\n${repeated('  x\n\n', 9000)}`,
  escapes: `a: "${repeated('\\x41')}"`,
  'broken escapes': `a: "${repeated('\\u')}"`,
  quotes: repeated('"'),
  'digits that end in e': `a: ${repeated('1')}e`,
  'a number for Python to reject': `a: ${repeated('1')}`,
  'a time of many parts': `a: 1${repeated(':1')}`,
  'a date and blanks': `a: 2001-01-01${repeated(' ')}x`,
  'a tagged float': `a: !!float ${repeated('1')}x`,
  'a tagged int': `a: !!int ${repeated('1:')}x`,
  'a long key': `"${repeated('x')}": 1`,
  questions: repeated('? '),
  dashes: repeated('- '),
  colons: repeated('a:'),
  tabs: `a:${repeated('\t')}b`,
  exclamations: `a: ${repeated('!')}`,
  ampersands: `a: ${repeated('&')}`,
  stars: `a: ${repeated('*')}`,
  directives: repeated('%a\n', 9_000),
  documents: repeated('---\n', 9_000),
  anchors: many((i) => `- &a${i} x`, '\n'),
  tags: many(() => '- !!str x', '\n'),
  merges: `a: &a {b: 1}\nc:\n${many(() => '  <<: *a', '\n', 2000)}`,
  'a merge of many': `a: &a {${many((i) => `k${i}: 1`, ',', 60)}}\nc: {<<: [${many(() => '*a', ',', 60)}]}`,
  'brackets too deep': repeated('['),
  'brackets just not too deep': `a: ${'['.repeat(190)}${repeated('1,', 4000)}${']'.repeat(190)}`,
  'mappings just not too deep': `a: ${'{a: '.repeat(190)}1${'}'.repeat(190)}`,
};

/** Of every key at once: the largest, longest and deepest that can stand there. */
const VALUES: Readonly<Record<string, string>> = {
  'ten billion': '10000000000',
  'the largest float': '1.7976931348623157e+308',
  'a negative one': '-1.7976931348623157e+308',
  infinity: '.inf',
  'not a number': '.nan',
  'a long text': `"${'-'.repeat(800)}"`,
  'a long path': `"${'/a'.repeat(400)}"`,
  'shell in it': `"${'$('.repeat(400)}"`,
  'digits and blanks': `"1${' '.repeat(800)}x"`,
  'a text of digits': `"${'1'.repeat(800)}e"`,
  'a list': `[${many(() => '3', ',', 40)}]`,
  'a deep list': '['.repeat(100) + ']'.repeat(100),
  'a deep mapping': '{a: '.repeat(100) + '1' + '}'.repeat(100),
  nothing: 'null',
};

const TARGETS_USED = process.env['FULL'] ? (['local', 'modal'] as const) : (['modal'] as const);
const ALONE = process.env['FULL'] ? KEYS.map(({ path }) => path) : ['evaluation.fa_rates', 'data.data_dir'];
const ALONE_VALUES = [
  `[${many(() => '1.5', ',')}]`,
  `"${repeated('$(')}"`,
  `"$(x)${repeated('-')}x"`,
  `"1${repeated(' ')}x"`,
  `"${repeated('1')}e"`,
  repeated('9'),
];

const BASE = 'data: {}\nmodel: {}\ntraining: {}\npostprocessing: {}\n';

const withAll = (value: string): string => {
  const tree: Record<string, unknown> = {};
  for (const { path } of KEYS) {
    const names = path.split('.');
    const last = names.pop() ?? '';
    const section = names.reduce<Record<string, unknown>>(
      (at, name) => (at[name] ??= {}) as Record<string, unknown>,
      tree,
    );
    section[last] = value;
  }
  const written = (at: unknown): string =>
    typeof at === 'string'
      ? at
      : `{${Object.entries(at as object)
          .map(([name, inner]) => `${name}: ${written(inner)}`)
          .join(', ')}}`;
  return Object.entries(tree)
    .map(([name, inner]) => `${name}: ${written(inner)}`)
    .join('\n');
};

/** All that page and commands do with a file, but for its forecast, which has files of its own below. */
function use(text: string): void {
  for (const name of TARGETS_USED) {
    const subject = { name: 'configs/a.yaml', target: TARGETS[name] };
    for (const { message } of inspect(text, subject).issues) expect(message.length).toBeLessThan(2001);
    for (const act of [() => exportText(text), () => commandsFor({ text, ...subject })])
      try {
        act();
      } catch (error) {
        // A sentence, not a stack that ran over.
        expect((error as Error).message).not.toMatch(/call stack/);
        expect(error).toBeInstanceOf(RangeError);
      }
  }
}

function expectCheap(text: string): void {
  const before = process.memoryUsage().rss;
  expectEffort(() => use(text), SECOND);
  expect((process.memoryUsage().rss - before) / 1e6).toBeLessThan(MAX_MEGABYTES);
}

test.each(Object.entries(FILES))('a file of %s is cheap', (_, text) => expectCheap(text));

test.each(Object.entries(VALUES))('every key that is %s is cheap', (_, value) => {
  const text = withAll(value);
  expect(text.length).toBeLessThan(MAX_CHARACTERS);
  expectCheap(text);
});

describe.each(ALONE)('%s', (path) => {
  test.each(ALONE_VALUES)('is cheap %#', (value) => {
    const names = path.split('.');
    expectCheap(`${BASE.replace(new RegExp(`^${names[0]}: .*\n`, 'm'), '')}${flow(names, value)}\n`);
  });
});

const flow = ([first = '', ...rest]: string[], value: string): string =>
  `${first}: ${rest.reduceRight((inner, name) => `{${name}: ${inner}}`, value)}`;

/** Accepted files whose simulated loaders have the most to do. */
const EXTREME: Readonly<Record<string, string>> = {
  'the most workers, single windows':
    'data: {num_workers: 32, validation_split: 0.5}\ntraining: {batch_size: 1}',
  'batches that wait without end':
    'data: {num_workers: 32, validation_split: 0.5, prefetch_factor: 1000000000000000, pin_memory: true, persistent_workers: true}\ntraining: {batch_size: 2}',
  'the largest batches of the largest model':
    'data: {num_workers: 32, validation_split: 0.5}\nmodel: {mamba: {n_layers: 12}, rescnn: {kernel_sizes: [11, 11, 11, 11, 11, 11, 11]}}\ntraining: {batch_size: 256, mixed_precision: false}',
  'the largest loader of all':
    'data: {num_workers: 32, validation_split: 0.5, prefetch_factor: 100000000000000000000000}\ntraining: {batch_size: 256}',
  'all windows, read by the main process':
    'data: {num_workers: 0, validation_split: 0.5, use_balanced_sampling: false}\ntraining: {batch_size: 1, epochs: 200}',
};

describe.each(Object.entries(EXTREME))('a forecast of %s', (_, text) => {
  test.each(PLATFORMS)('is cheap on %s', (name) => {
    const sections = ['data', 'model', 'training', 'postprocessing'].filter(
      (section) => !text.includes(`${section}: {`),
    );
    const { settings } = readConfig([text, ...sections.map((section) => `${section}: {}`)].join('\n'));
    expect(settings.rejected).toEqual([]);
    const plan = planFor(settings, 'a.yaml', MACHINES[name]);
    const { windows } = plan.settings;
    // What was asked once is remembered: another model and an epoch of another length are asked about each time.
    let tries = 0;
    const kernelsOf = (count: number) =>
      plan.settings.vram.kernelSizes.map((kernel) => kernel + 2 * (count % 2));
    const before = process.memoryUsage().rss;
    expectEffort(() => {
      const training = windows.training - tries++;
      const vram = { ...plan.settings.vram, kernelSizes: kernelsOf(tries) };
      return forecast({ ...plan, settings: { ...plan.settings, vram, windows: { ...windows, training } } });
    }, FORECAST);
    expect((process.memoryUsage().rss - before) / 1e6).toBeLessThan(MAX_MEGABYTES);
  });
});

test('what production accepts and no model can be made of is said to be so', () => {
  const text = applyChanges(BASE, [
    { path: 'model.rescnn.kernel_sizes', value: scalarText(Array<number>(500).fill(11)), reason: '' },
  ]);
  const { settings } = readConfig(text);
  expect(settings.rejected).toEqual([]);
  expect(() => planFor(settings, 'a.yaml', TARGETS.local)).toThrow(/500 kernel sizes.*at most 7/);
});

test('jobs of any number of epochs are planned at once', () => {
  for (const epochs of [1e10, Infinity, NaN, 0])
    expectEffort(() => expect(planJobs(epochs, 1)).toBeUndefined(), 1);
  expect(planJobs(10_000, 1)?.count).toBe(435);
});

test('a file that is endless, too long, no text or a folder is said to be so', async () => {
  await expect(readConfigText('/dev/zero')).rejects.toThrow(/longer than 0\.4 MB/);
  await expect(readConfigText(import.meta.dirname)).rejects.toThrow(
    /cannot be read: this is a folder; give a file/,
  );
  await expect(readConfigText(process.execPath)).rejects.toThrow(/longer than/);
});
