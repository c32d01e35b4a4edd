import { describe, expect, test } from 'vitest';
import { Random } from '../../../src/base/random';
import { readPlain } from '../../../src/config/plain';
import { readYaml } from '../../../src/config/pyyaml';
import { documents } from './documents';
import { LOADER, pythonWith, runPython } from './python';
import { expectEffort } from '../../effort';
import { plainOf, comparable } from './values';

const python = pythonWith('yaml', 'on Debian: python3-yaml');

const PIECES = [
  ...[
    '0',
    '1',
    '7',
    '8',
    '9',
    '12',
    '59',
    '60',
    '30',
    '3',
    '_',
    '.',
    '+',
    '-',
    'e',
    'E',
    ':',
    '0x',
    '0b',
    '0o',
  ],
  ...[
    'a',
    'f',
    'inf',
    '.inf',
    'nan',
    '.NaN',
    'yes',
    'No',
    'on',
    'OFF',
    'true',
    'y',
    'n',
    'null',
    '~',
    'Null',
  ],
  ...['2001-12-14', 'T21:59:43', '.10', '5', '-05:00', 'Z'],
];

test.skipIf(python === undefined)('plain scalars are read as PyYAML reads them', () => {
  const random = new Random(5);
  const texts = [
    ...[
      '3e-4',
      '3.0e-4',
      '1e5',
      '1.e+5',
      'yes',
      '12:30',
      '1_000',
      '0o17',
      '017',
      '08',
      '190:20:30.15',
      '=',
      '.5',
    ],
    ...Array.from({ length: 6000 }, () =>
      Array.from(
        { length: 1 + Math.floor(random.uniform(0, 4)) },
        () => PIECES[Math.floor(random.uniform(0, PIECES.length - 1e-9))] ?? '',
      ).join(''),
    ),
  ].filter((text) => !/^[-+]?[:.]?$|^-$|: |:$|^=$/.test(text));
  const theirs = runPython(
    python ?? '',
    LOADER,
    texts.map((text) => `[${text}]`),
  ) as ([string, [unknown]] | null)[];
  let compared = 0;
  for (const [i, text] of texts.entries()) {
    const { value, problem } = readPlain(text);
    const expected = theirs[i];
    // Python rejects more: what is no plain scalar there.
    if (problem !== undefined) expect([text, expected]).toEqual([text, null]);
    if (!expected) continue;
    expect([text, comparable(plainOf(value))]).toEqual([text, comparable(expected[1][0])]);
    compared++;
  }
  expect(compared).toBeGreaterThan(5000);
});

test.skipIf(python === undefined)('documents are read as PyYAML reads them', () => {
  const texts = documents(new Random(3), 600);
  const theirs = runPython(python ?? '', LOADER, texts) as unknown[];
  let [read, rejected] = [0, 0];
  for (const [i, text] of texts.entries()) {
    const { value, errors } = readYaml(text);
    // Python makes a mapping that contains itself; nothing can be done with it.
    if (/contains itself/.test(errors[0]?.message ?? '')) continue;
    const ours = value === undefined ? null : comparable(plainOf(value));
    expect([text, ours]).toEqual([text, comparable(theirs[i])]);
    if (ours === null) rejected++;
    else read++;
  }
  expect(read).toBeGreaterThan(200);
  expect(rejected).toBeGreaterThan(100);
});

describe('a file', () => {
  const value = (text: string) => readYaml(text).value;

  test('is read with anchors, merges, comments and quotes', () => {
    const text = [
      'base: &base {a: 1, b: "yes", c: yes}',
      'other:',
      '  <<: *base',
      '  a: 3e-4 # a text',
      "  d: ['x', 12:30, ~]",
      'again: *base',
    ].join('\r\n');
    expect(value(`\ufeff${text}`)).toEqual({
      base: { a: 1, b: 'yes', c: true },
      other: { a: '3e-4', b: 'yes', c: true, d: ['x', 750, null] },
      again: { a: 1, b: 'yes', c: true },
    });
    const { entries } = readYaml(text);
    expect(entries.find(({ path }) => path === 'other.a')?.value).toMatchObject({ line: 4, column: 6 });
  });

  test('says where a key stands a second time', () => {
    const { entries, errors } = readYaml('a: 1\nb:\n  c: 2\n  c: 3\n');
    expect(errors).toEqual([]);
    expect(entries.filter(({ repeated }) => repeated).map(({ path, value }) => [path, value.line])).toEqual([
      ['b.c', 4],
    ]);
  });

  const bomb = Array.from({ length: 12 }, (_, i) =>
    i === 0
      ? 'a0: &a0 [x, x, x, x, x, x, x, x, x]'
      : `a${i}: &a${i} [${Array(9)
          .fill(`*a${i - 1}`)
          .join(', ')}]`,
  ).join('\n');
  test.each([
    ['10 MB', 'a: 1\n'.repeat(2_000_000), /the file has 10,000,000 characters/],
    ['an alias bomb', bomb, /more than 5,000 values, those of aliases/],
    ['brackets 20,000 deep', '['.repeat(20_000), /nested more than 200 levels/],
    ['lists 20,000 deep', `${'- '.repeat(20_000)}x`, /nested more than 200 levels/],
    [
      'mappings 400 deep',
      Array.from({ length: 400 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
      /200 levels/,
    ],
    ['an alias to itself', 'a: &a [*a]', /contains itself|no anchor/],
    ['binary', 'a: \u0000\u0001', /the file is not text/],
    ['several documents', 'a: 1\n---\nb: 2\n', /several documents/],
    ['tabs', 'a:\n\tb: 1\n', /tab/i],
    ['an unclosed list', 'a:\n  b: [1\n  c: 2\n', /^the bracket \[ is not closed; write \]/],
    ['an unclosed list at the end', 'a: [1,2', /^the bracket \[ is not closed; write \]/],
    ['an unclosed mapping in a list', 'a: [1, {b: 2]\nc: 1\n', /^the bracket \{ is not closed; write \}/],
    ['a list closed at column 0', 'a: [\n1\n]\n', /^the bracket \[ is closed, but .* not indented further/],
    ['a bracket too many', 'a: [1]]\n', /^this \] closes no bracket/],
    ['an unclosed quote', 'a: "x\n', /quote/i],
    ['an unknown tag', 'a: !!python/object:os.system x\n', /does not construct|Unresolved tag/],
    ['no such anchor', 'a: *b\n', /anchor|alias/i],
  ])('%s is rejected with a sentence', (_, text, message) => {
    let read: ReturnType<typeof readYaml> | undefined;
    expectEffort(() => (read = readYaml(text)), 40);
    const { value, errors } = read!;
    expect(value).toBeUndefined();
    expect(errors[0]?.message).toMatch(message);
  });
});
