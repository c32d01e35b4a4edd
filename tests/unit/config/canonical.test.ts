import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { Random } from '../../../src/base/random';
import { exportText } from '../../../src/config/canonical';
import { EditError } from '../../../src/config/edit';
import { PRESETS } from '../../../src/config/presets';
import { isPyMapping, PyDate, sameValue, type PyValue } from '../../../src/config/plain';
import { readConfig } from '../../../src/config/settings';
import { KEYS } from '../../../src/config/keys';
import { documents } from './documents';
import { Generator } from './generate';
import { LOADER, pythonWith, runPython } from './python';
import { comparable, plainOf } from './values';

const python = pythonWith('yaml', 'on Debian: python3-yaml');

/** As a reader of YAML 1.2 has it. */
const core = (text: string): PyValue =>
  (parse(text, { version: '1.2', schema: 'core', logLevel: 'error' }) ?? null) as PyValue;

describe('a file for all readers', () => {
  test.each([
    ['training:\n  learning_rate: 3e-4 # peak\n', 'training:\n  learning_rate: 3.0e-4 # peak\n'],
    ['training:\n  epochs: 1_00\n', 'training:\n  epochs: 100\n'],
    ['data:\n  pin_memory: yes\n', 'data:\n  pin_memory: true\n'],
    ['data:\n  stride: 12:30\n', 'data:\n  stride: 750\n'],
    ['experiment:\n  name: 1e5\n', 'experiment:\n  name: "1e5"\n'],
    ['experiment:\n  name: 08\n', 'experiment:\n  name: "08"\n'],
    ['experiment:\n  name: 2025-01-19\n', 'experiment:\n  name: "2025-01-19"\n'],
    ['evaluation: {fa_rates: [1e1, 5]}\n', 'evaluation: {fa_rates: [10, 5]}\n'],
    ['a: 1\nb: 2\na: 3 # c\n', 'b: 2\na: 3 # c\n'],
    ['a: {b: 1, b: 2, b: 3}\n', 'a: {b: 3}\n'],
    ['yes: 1\n', 'true: 1\n'],
    ['a: !!int "3" # c\nb: &x !!str 4\n', 'a: 3 # c\nb: &x "4"\n'],
    [
      'x: &x {a: 1, b: yes}\ny:\n  <<: *x # c\n  a: 2\n',
      'x: &x {a: 1, b: true}\ny:\n  b: true # c\n  a: 2\n',
    ],
    ['x: &x {a: 1}\ny:\n  <<: *x\n  a: 2\n', 'x: &x {a: 1}\ny:\n  a: 2\n'],
    ['x: &x {a: 1}\ny: {<<: *x, b: 2}\n', 'x: &x {a: 1}\ny: {a: 1, b: 2}\n'],
    ['%YAML 1.1\n---\na: on\n', '---\na: true\n'],
    ['a: "x"# c\n', 'a: "x" # c\n'],
  ])('%j', (text, expected) => {
    const { text: exported, changes } = exportText(text);
    expect(exported).toBe(expected);
    expect(changes.length).toBeGreaterThan(0);
    for (const { reason } of changes) expect(reason).toMatch(/\w+ \w+/);
  });

  test('leaves what is read alike as it is', () => {
    for (const { text, corrected } of PRESETS)
      if (corrected) expect(exportText(text)).toEqual({ text, edits: [], changes: [] });
  });
});

/** Dates, which no reader of YAML 1.2 knows, are texts in what is exported. */
const undated = (value: PyValue): PyValue => {
  if (value instanceof PyDate) return value.text;
  if (Array.isArray(value)) return (value as readonly PyValue[]).map(undated);
  return isPyMapping(value)
    ? Object.fromEntries(Object.entries(value).map(([name, one]) => [name, undated(one)]))
    : value;
};

test('every reader sees what the trainer has, in configurations of all styles', () => {
  const random = new Random(21);
  const texts = Array.from({ length: 100 }, () => new Generator(random).file());
  const exported = texts.map((text) => exportText(text).text);
  for (const [i, text] of exported.entries()) {
    const before = readConfig(texts[i] as string).settings;
    const { settings: after, value = null } = readConfig(text);
    for (const { path } of KEYS) expect([text, after.value(path)]).toEqual([text, before.value(path)]);
    expect([text, sameValue(core(text), value)]).toEqual([text, true]);
  }
  if (python === undefined) return;
  const theirs = runPython(python, LOADER, exported) as unknown[];
  for (const [i, text] of exported.entries())
    expect([text, comparable(theirs[i])]).toEqual([text, comparable(plainOf(core(text)))]);
});

test('and in any other document', () => {
  const texts = documents(new Random(8), 400).filter((text) => readConfig(text).value !== undefined);
  expect(texts.length).toBeGreaterThan(100);
  let rejected = 0;
  for (const before of texts) {
    let text: string;
    try {
      ({ text } = exportText(before));
    } catch (error) {
      expect(error).toBeInstanceOf(EditError);
      rejected++;
      continue;
    }
    const after = readConfig(text).value ?? null;
    expect([before, text, comparable(plainOf(undated(after)))]).toEqual([
      before,
      text,
      comparable(plainOf(undated(readConfig(before).value ?? null))),
    ]);
    expect([before, text, comparable(plainOf(core(text)))]).toEqual([
      before,
      text,
      comparable(plainOf(after)),
    ]);
  }
  // An anchor in a value that is lost, and used elsewhere.
  expect(rejected).toBeLessThan(texts.length / 10);
});
