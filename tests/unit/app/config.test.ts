import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { diffOf } from '../../../src/app/pages/config/diff';
import { keyAt, outline, parentAt } from '../../../src/app/pages/config/editor/outline';
import {
  belowRepository,
  bytesOf,
  cleanPath,
  freePath,
  linesOf,
  readFileText,
} from '../../../src/app/pages/config/file_text';
import { forAllReaders } from '../../../src/app/pages/config/exporting';
import { describeFixed, fixed, safeFixes } from '../../../src/config/fixing';
import { changeOf, resetOf } from '../../../src/app/pages/config/form';
import { inspect } from '../../../src/app/pages/config/inspection';
import { applyChanges } from '../../../src/config/edit';
import { KEY_AT, type Key } from '../../../src/config/keys';
import { applyEdits } from '../../../src/config/pieces';
import { TARGETS } from '../../../src/config/targets';

const ENDS = ['\n', '\r\n', '\r'];

describe('a file’s text', () => {
  test('comes back byte for byte, whatever its line ends', () => {
    let seed = 1;
    const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
    for (let i = 0; i < 500; i++) {
      const kinds = ENDS.slice(random(3)).slice(0, 1 + random(3));
      const lines = Array.from({ length: random(6) }, () => `a: ${'é'.repeat(random(3))}`);
      const text =
        (random(2) ? '\ufeff' : '') + lines.map((line) => line + kinds[random(kinds.length)]).join('');
      const bytes = new TextEncoder().encode(text);
      expect(bytesOf(readFileText(bytes))).toEqual(bytes);
    }
  });

  test('of one kind of line end has \\n between its lines, so that its places are the editor’s', () => {
    expect(linesOf('a: 1\r\nb: 2\r\n')).toEqual({ text: 'a: 1\nb: 2\n', newline: '\r\n', mixed: false });
    expect(linesOf('a: 1\r\nb: 2\n')).toMatchObject({ text: 'a: 1\r\nb: 2\n', mixed: true });
  });

  test('is rejected where it is none', () => {
    expect(() => readFileText(new Uint8Array([65, 0]))).toThrow('byte 2 is 0');
    expect(() => readFileText(new Uint8Array([0xff, 0xfe, 65]))).toThrow('UTF-8');
  });

  test('has a path below the folder, and one of its own', () => {
    expect(cleanPath('..\\..//a/./b c.yaml')).toBe('a/b c.yaml');
    expect(freePath('a/b.yaml', ['a/b.yaml', 'a/b-2.yaml'])).toBe('a/b-3.yaml');
  });
});

test('a path is below its repository, as the commands have it', () => {
  const below = (...paths: string[]) => paths.map(belowRepository(paths));
  expect(below('smokescan-work/.git/HEAD', 'smokescan-work/runs/a.yaml')).toEqual([
    '.git/HEAD',
    'runs/a.yaml',
  ]);
  expect(below('up/repo/configs/modal/a.yaml', 'up/repo/other/b.yaml', 'up/c.yaml')).toEqual([
    'configs/modal/a.yaml',
    'other/b.yaml',
    'c.yaml',
  ]);
  expect(below('configs/a.yaml', 'configs/old/configs/b.yaml')).toEqual(['configs/a.yaml', 'configs/b.yaml']);
  // Without a repository the folder that was opened stands for it: its own name says nothing.
  expect(below('smoke-tests/a.yaml', 'smoke-tests/modal/b.yaml')).toEqual(['a.yaml', 'modal/b.yaml']);
  expect(below('smoke.yaml')).toEqual(['smoke.yaml']);
});

test('keys are found by their lines, also in a text that is no YAML', () => {
  const text = 'data:\n  "num_workers": 4\ntraining:\n  scheduler: # how\n    type: cosine\n  broken: [\n  ';
  expect(outline(text).map(({ path }) => path)).toEqual([
    'data',
    'data.num_workers',
    'training',
    'training.scheduler',
    'training.scheduler.type',
    'training.broken',
  ]);
  expect(keyAt(text, text.indexOf('cosine'))?.path).toBe('training.scheduler.type');
  expect(parentAt(outline(text), 6, 2)).toBe('training');
  expect(parentAt(outline(text), 5, 4)).toBe('training.scheduler');
  expect(parentAt(outline(text), 6, 0)).toBe('');
});

test.each([
  ['training.learning_rate', '3e-4', '3.0e-4'],
  ['training.batch_size', ' 8 ', '8'],
  ['training.batch_size', 'many', 'many'],
  ['experiment.name', 'yes', '"yes"'],
  ['experiment.name', '', '""'],
  ['training.epochs', '', undefined],
  ['data.pin_memory', 'true', 'true'],
  ['evaluation.fa_rates', '10, 5', '[10, 5]'],
  ['preprocessing.bandpass', '0.5, 120', '[0.5, 120]'],
  ['preprocessing.notch_freq', '50', '50'],
])('what is typed for %s: %j', (path, typed, value) => {
  const key = KEY_AT.get(path) as Key;
  expect(changeOf(key, typed)).toMatchObject({ path, value });
  expect(resetOf(key)).toMatchObject({ path, value: undefined });
});

test('safe fixes leave alone what a person has to decide', () => {
  const text =
    'data: {num_workers: 4}\nmodel: {}\npostprocessing: {}\ntraining:\n  epochs: 500\n  learning_rate: 3e-4\n  batchsize: 8\n';
  const [inspection] = inspect([{ text, name: 'a.yaml', target: TARGETS.wsl2 }]);
  const paths = safeFixes(inspection?.issues ?? []).map(({ path }) => path);
  expect(paths).toContain('data.num_workers');
  expect(paths).not.toContain('training.epochs');
  expect(paths).not.toContain('training.batch_size');
  const seen = inspection?.seen.find(({ path }) => path === 'training.learning_rate');
  expect(seen).toMatchObject({ read: "'3e-4'", type: 'str', used: '3.0e-4' });
});

test('applying all fixes leaves none that the first of them made necessary, and says so', () => {
  const path = new URL('../../../configs/review/tusz_train.yaml', import.meta.url);
  const text = readFileSync(path, 'utf8').replace('batch_size: 16', 'batch_size: 60');
  const question = { text, name: 'configs/review/tusz_train.yaml', target: TARGETS.local };
  const issuesOf = (text: string) => inspect([{ ...question, text }])[0]?.issues ?? [];
  const fixesOf = (text: string) => safeFixes(issuesOf(text));
  const once = applyChanges(text, fixesOf(text));
  expect(fixesOf(once).map(({ path }) => path)).toEqual(['training.batch_size']);
  const { edits, rounds, problems } = fixed(text, issuesOf);
  expect(problems).toEqual([]);
  expect(rounds[0]).toEqual(fixesOf(text));
  expect(describeFixed(rounds).values).toMatch(/; then, because of these, training\.batch_size: \d+$/);
  expect(fixesOf(applyEdits(text, edits))).toEqual([]);
});

test('what is shown of fixes has each value that they change', () => {
  const text =
    'data: {num_workers: 4, persistent_workers: true}\nmodel: {}\ntraining: {}\npostprocessing: {}\n';
  const question = { text, name: 'a.yaml', target: TARGETS.wsl2 };
  const [before] = inspect([question]);
  const { rounds } = fixed(text, (made) => inspect([{ ...question, text: made }])[0]?.issues ?? []);
  const lines = rounds.flatMap((changes, i) => diffOf(before, changes, rounds.slice(0, i).flat()));
  for (const line of [
    { was: 'data.num_workers: 4', becomes: 'data.num_workers: 0' },
    { was: 'data.persistent_workers: true', becomes: 'data.persistent_workers: false' },
  ])
    expect(lines).toContainEqual(expect.objectContaining(line));
  // What a later fix replaces is what an earlier one wrote.
  const [first = [], second = []] = [
    [{ path: 'a', value: '2', reason: '' }],
    [{ path: 'a', value: '3', reason: '' }],
  ];
  expect(diffOf(before, second, first)).toEqual([{ was: 'a: 2', becomes: 'a: 3', reason: '' }]);
});

test('what leaves the page is read alike by PyYAML and YAML 1.2; what nobody reads goes as it is', () => {
  const source = 'training: {learning_rate: 3e-4, mixed_precision: yes} # mine\n';
  const { text, edits, said } = forAllReaders(source);
  let made = source;
  for (const { from, to, insert } of [...edits].reverse())
    made = made.slice(0, from) + insert + made.slice(to);
  expect(made).toBe(text);
  expect(text).toBe('training: {learning_rate: 3.0e-4, mixed_precision: true} # mine\n');
  expect(said).toContain('(training.learning_rate: 3e-4 became 3.0e-4, and 1 more)');
  for (const text of ['training: [\n', 'a: 1\n', ''])
    expect(forAllReaders(text)).toEqual({ text, edits: [] });
});
