/** Kinds of YAML in which readers differ: either the verdict is PyYAML's, or a sentence says that Smokescan does not follow it. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { inspect } from '../../../src/config/issues';
import { KEYS } from '../../../src/config/keys';
import { readConfig } from '../../../src/config/settings';
import { TARGETS } from '../../../src/config/targets';
import { PYDANTIC, pythonWith, runPython } from './python';

const python = pythonWith(PYDANTIC.modules, PYDANTIC.how, PYDANTIC.check);
const REST = 'model: {}\ntraining: {}\npostprocessing: {}\n';
const whole = (data: string): string => `data: ${data}\n${REST}`;
const named = (value: string): string => `data: {}\n${REST}experiment:\n  name: ${value}\n`;

/** Text, and whether the trainer takes it. */
const AGREED: Readonly<Record<string, readonly [string, boolean]>> = {
  'a tab in a plain scalar': [named('a\tb'), false],
  'a tab in a key': [`data: {}\n${REST}a\tb: 1\n`, false],
  'a tab in a line that continues': [named('a\n   \tb'), false],
  'a tab in a quoted text': [named('"a\tb"'), true],
  'a tab in a literal text': [named('|\n    a\tb'), true],
  'a tab before a comment': [named('a\t# b'), false],
  'a section that is a date': [whole('2025-01-19'), false],
  'a section that is a text': [whole('x'), false],
  'a section below that is a date': [`data: {}\n${REST}evaluation: 2025-01-19\n`, false],
  'a top-level key that is a float': [`${whole('{}')}1.5: x\n`, false],
  'a top-level key that is a number': [`${whole('{}')}1: x\n`, false],
  'a top-level key that is null': [`${whole('{}')}~: x\n`, false],
  'a top-level key that is a date': [`${whole('{}')}2025-01-19: x\n`, false],
  'an inner key that is a float': [whole('{1.5: x}'), true],
  'YAML 2.0': [`%YAML 2.0\n---\n${whole('{}')}`, false],
  'YAML 1.3': [`%YAML 1.3\n---\n${whole('{}')}`, true],
  'a version twice': [`%YAML 1.1\n%YAML 1.1\n---\n${whole('{}')}`, false],
  'a document that ends several times': [`---\n${whole('{}')}...\n... # a\n\n...\n`, true],
  'a document after the end': [`${whole('{}')}...\n# a\nb: 1\n`, false],
  'a question in brackets that starts a key': [`data: {}\n${REST}a: [? b]\n`, true],
  'a question within a plain text': [named('a?b'), true],
  'a question within a quoted text in brackets': [`data: {}\n${REST}a: ["b?c", 'd?']\n`, true],
  'a dash before a text in brackets': [`data: {}\n${REST}a: [-b]\n`, true],
  'a dash and a blank in brackets': [`data: {}\n${REST}a: [- b]\n`, false],
  'a tag before a bracket': [`data: {}\n${REST}a: [!!str]\n`, false],
  'a tag before a blank in brackets': [`data: {}\n${REST}a: [! ]\n`, true],
  'no key in brackets': [`data: {}\n${REST}a: {: b}\n`, false],
  'a key of two lines in brackets': [`data: {}\n${REST}a: {b\n  c: d}\n`, false],
  'a colon on the next line in brackets': [`data: {}\n${REST}a: {"b"\n  : d}\n`, false],
  'an anchor a line above its key in brackets': [`data: {}\n${REST}a: {b: 1, &c #\n  d: e}\n`, false],
  'a tag a line above its key in brackets': [`data: {}\n${REST}a: {b: 1, !\n  c: d}\n`, false],
  'a tag before a mapping in brackets': [`data: {}\n${REST}a: [!{b: c}]\n`, false],
  'a marked key of two lines in brackets': [`data: {}\n${REST}a: {? b\n  c : d}\n`, true],
  'a text of two lines in brackets': [`data: {}\n${REST}a: {b: c\n  d, e\n  f}\n`, true],
  'a colon within a text in brackets': [`data: {}\n${REST}a: [b:c]\n`, true],
  'a seed that is a large float': [`data: {}\n${REST}experiment: {seed: 1.0e+30}\n`, false],
  'a seed that is a large whole number': [`data: {}\n${REST}experiment: {seed: 1${'0'.repeat(30)}}\n`, true],
  'a seed that is a float below 2⁶³': [`data: {}\n${REST}experiment: {seed: 9.0e+18}\n`, true],
  'a seed that is a float': [`data: {}\n${REST}experiment: {seed: 42.0}\n`, true],
  'an infinite seed': [`data: {}\n${REST}experiment: {seed: .inf}\n`, false],
  'digits beyond what Python reads': [named('1'.repeat(4301)), false],
  'digits that Python reads': [`data: {}\n${REST}a: ${'1'.repeat(4300)}\n`, true],
  'lines that end with CR': [`data: {}\r${REST.replaceAll('\n', '\r')}`, true],
  'lines that end with CR, CRLF and LF': [`data: {}\r# a\r\n${REST}`, true],
  'the replacement character': [named('a\ufffdb'), true],
  'a byte order mark': [`\ufeff${whole('{}')}`, true],
};

/** Taken by the trainer, rejected here with a sentence. */
const NOT_FOLLOWED: Readonly<Record<string, string>> = {
  'a quoted text that continues at column 0': named('"a\nb"'),
  'a list that continues at column 0': `data: {}\n${REST}a: [\n1\n]\n`,
  'a mapping that continues at column 0 behind a glued comment': `data: {}\n${REST}a: {#b\nc:# d}\n`,
  'a mapping with a quote in a plain text that continues at column 0': `data: {}\n${REST}a: {b": c\n, d}\n`,
  'a list that ends in a text with a mark, at column 0': `data: {}\n${REST}a: [{b:---\nc#}, "d"]\n`,
  'a literal text below its key': `data: {}\n${REST}a:\n|\n b\n`,
  'a folded text below its key and a comment': `data: {}\n${REST}a:\n  b: # c\n  >\n   d\n`,
  'a question without a key before a comma': `data: {}\n${REST}a: {? # b\n  , c: d}\n`,
  'a question before a comment, in brackets': `data: {}\n${REST}a: {b: c, ?# d\n  e: [f]}\n`,
  'U+0085': named('"a\u0085 b"'),
  'U+2028': named('"a\u2028 b"'),
  '!!binary': `data: {}\n${REST}a: !!binary aGk=\n`,
  '!!set': `data: {}\n${REST}a: !!set {x, y}\n`,
  '!!omap': `data: {}\n${REST}a: !!omap [x: 1]\n`,
  'a kernel beyond 2⁵³': `data: {}\nmodel: {}\ntraining: {}\npostprocessing: {morphology: {opening_kernel: 9007199254740993}}\n`,
  'a dash alone in brackets': `data: {}\n${REST}a: [-, 1]\n`,
  'a question alone in brackets': `data: {}\n${REST}a: [?]\n`,
  'a text that starts with a question, in brackets': `data: {}\n${REST}a: [?b]\n`,
  'an anchor without a key': `data: {}\n${REST}a: {&b }\n`,
  'a question without a key': `data: {}\n${REST}a:\n  ? \n  : b\n`,
  'an anchor for a key': `data: {}\n${REST}a:\n  &b: c\n`,
  'a colon in the name of an anchor': `data: {}\n${REST}a: &b:c d\n`,
  'an alias within itself': `data: {}\n${REST}a: &a [*a]\n`,
  'more than 200 levels': `data: {}\n${REST}a: ${'['.repeat(201)}${']'.repeat(201)}\n`,
  'many values': `data: {}\n${REST}a: [${Array<string>(6000).fill('1').join(',')}]\n`,
};

const subject = { name: 'configs/a.yaml', target: TARGETS.local };

test.each(Object.entries(AGREED))('%s', (_, [text, accepted]) => {
  expect(inspect(text, subject).accepted).toBe(accepted);
});

test.each(Object.entries(NOT_FOLLOWED))('%s is not followed, and that is said', (_, text) => {
  const { accepted, issues } = inspect(text, subject);
  expect(accepted).toBe(false);
  expect(issues[0]?.message).toMatch(/Smokescan does not follow Py/);
});

describe.skipIf(python === undefined)('the trainer', () => {
  test('takes and rejects the same', () => {
    const texts = [...Object.values(AGREED).map(([text]) => text), ...Object.values(NOT_FOLLOWED)];
    const theirs = runPython(python ?? '', join(import.meta.dirname, 'schema.py'), texts) as unknown[];
    const expected = [
      ...Object.values(AGREED).map(([, accepted]) => accepted),
      ...Object.values(NOT_FOLLOWED).map(() => true),
    ];
    expect(theirs.map((values) => values !== null)).toEqual(expected);
  });
});

test('a file of CR reads as one of LF, and its places are those of its own text', () => {
  const text = `data:\r  num_workers: 4\r${REST.replaceAll('\n', '\r')}`;
  const { settings } = readConfig(text);
  const other = readConfig(text.replaceAll('\r', '\n')).settings;
  for (const { path } of KEYS) expect(settings.value(path)).toEqual(other.value(path));
  expect(settings.placeOf('data.num_workers')).toMatchObject({ line: 2, column: 16 });
});
