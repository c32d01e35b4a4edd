import { describe, expect, test } from 'vitest';
import { Random } from '../../../src/base/random';
import type { Change } from '../../../src/config/change';
import { applyChanges, EditError, editsFor } from '../../../src/config/edit';
import { scalarText } from '../../../src/config/scalar';
import { KEYS } from '../../../src/config/keys';
import { isPyMapping, sameValue, type PyValue } from '../../../src/config/plain';
import { readConfig } from '../../../src/config/settings';
import { Generator } from './generate';

const set = (path: string, value: string): Change => ({ path, value, reason: '' });
const drop = (path: string): Change => ({ path, value: undefined, reason: '' });

describe('a value', () => {
  test.each([
    [
      'keeps its comment and alignment',
      'a:\n  b:   1   # one\n  c: 2\n',
      [set('a.b', '8')],
      'a:\n  b:   8   # one\n  c: 2\n',
    ],
    ['with a dot in its name', 'a.b: 1\na: {b: 2}\n', [set('"a.b"', '8')], 'a.b: 8\na: {b: 2}\n'],
    ['in a flow mapping', 'a: {b: 1, c: [1, 2]} # x\n', [set('a.b', '8')], 'a: {b: 8, c: [1, 2]} # x\n'],
    ['with an anchor', 'a: &x 1 # one\nb: *x\n', [set('a', '8')], 'a: &x 8 # one\nb: *x\n'],
    ['with a tag, which goes', 'a: !!str 1\n', [set('a', '8')], 'a: 8\n'],
    ['with both', 'a: &x !!str 1\n', [set('a', '8')], 'a: &x 8\n'],
    ['quoted', `a: "x\n  y" # c\n`, [set('a', 'z')], 'a: z # c\n'],
    ['in a block', 'a: |\n  x\n  y\n\nb: 1\n', [set('a', 'z')], 'a: z\n\nb: 1\n'],
    ['in a block with a comment', 'a: >- # c\n  x\nb: 1\n', [set('a', 'z')], 'a: z # c\nb: 1\n'],
    ['that is empty', 'a:   # c\nb:\n', [set('a', '1'), set('b', '2')], 'a: 1   # c\nb: 2\n'],
    [
      'that is empty in a flow mapping',
      'a: {b: , c}\n',
      [set('a.b', '1'), set('a.c', '2')],
      'a: {b: 1 , c: 2}\n',
    ],
    ['that is null', 'a: ~ # c\n', [set('a', '1')], 'a: 1 # c\n'],
    [
      'with CRLF and BOM',
      '\ufeffa: 1\r\nb: 2\r\n',
      [set('a', '8'), set('c', '3')],
      '\ufeffa: 8\r\nb: 2\r\nc: 3\r\n',
    ],
    ['that stands twice', 'a: 1\na: 2\n', [set('a', '8')], 'a: 1\na: 8\n'],
    ['of an alias', 'a: &x 1\nb: *x # c\n', [set('b', '8')], 'a: &x 1\nb: 8 # c\n'],
    [
      'that is merged',
      'a: &x {k: 1}\nb:\n  <<: *x\n',
      [set('b.k', '8')],
      'a: &x {k: 1}\nb:\n  <<: *x\n  k: 8\n',
    ],
    [
      'below an alias',
      'a: &x {k: 1, m: 2}\nb: *x\n',
      [set('b.k', '8')],
      'a: &x {k: 1, m: 2}\nb: {<<: *x, k: 8}\n',
    ],
    [
      'deeper below an alias, with its neighbours',
      'a: &x {k: {p: 1, q: 2}}\nb: *x\n',
      [set('b.k.p', '8')],
      'a: &x {k: {p: 1, q: 2}}\nb: {<<: *x, k: {p: 8, q: 2}}\n',
    ],
    [
      'deeper in what is merged',
      'a: &x {k: {p: 1, q: 2}}\nb:\n  <<: *x\n',
      [set('b.k.p', '8')],
      'a: &x {k: {p: 1, q: 2}}\nb:\n  <<: *x\n  k: {p: 8, q: 2}\n',
    ],
    [
      'of a list, item by item',
      'a:\n- 1 # one\n- 2 # two\n',
      [set('a', '[1, 3]')],
      'a:\n- 1 # one\n- 3 # two\n',
    ],
    [
      'of a list of another length',
      'a: # c\n- 1 # one\n- 2\nb: 1\n',
      [set('a', '[1]')],
      'a: [1] # c\nb: 1\n',
    ],
    ['with an explicit key', '? a\n: 1\n', [set('a', '8')], '? a\n: 8\n'],
  ])('%s', (_, text, changes, expected) => expect(applyChanges(text, changes)).toBe(expected));
});

describe('a key', () => {
  test.each([
    [
      'stands behind the one that comes before it',
      'training:\n  epochs: 1 # c\n  loss: bce\n\n# next\ndata: {}\n',
      [set('training.batch_size', '8')],
      'training:\n  epochs: 1 # c\n  batch_size: 8\n  loss: bce\n\n# next\ndata: {}\n',
    ],
    [
      'brings its sections, indented as the file is',
      'data:\n    num_workers: 0\n',
      [set('training.scheduler.type', 'cosine')],
      'data:\n    num_workers: 0\ntraining:\n    scheduler:\n        type: cosine\n',
    ],
    [
      'goes into an empty section',
      'data: # c\nmodel: {}\n',
      [set('data.stride', '10')],
      'data: # c\n  stride: 10\nmodel: {}\n',
    ],
    ['goes into {}', 'data: {} # c\n', [set('data.stride', '10')], 'data: {stride: 10} # c\n'],
    [
      'goes into a flow mapping',
      'data: {num_workers: 0,}\n',
      [set('data.stride', '10')],
      'data: {num_workers: 0, stride: 10,}\n',
    ],
    [
      'goes into a section that is null',
      'data: null # c\n',
      [set('data.stride', '10')],
      'data: {stride: 10} # c\n',
    ],
    ['goes behind a block scalar', 'a: |+\n  x\n\n', [set('b', '1')], 'a: |+\n  x\n\nb: 1\n'],
    ['starts an empty file', '# nothing\n', [set('a.b', '1')], '# nothing\na:\n  b: 1\n'],
    ['goes behind a file without a last line end', 'a: 1', [set('b', '1')], 'a: 1\nb: 1'],
    ['is removed with its line', 'a: 1 # c\n# of b\nb: 2\n', [drop('a')], '# of b\nb: 2\n'],
    ['is removed with all its lines', 'a:\n- 1\n- 2 # c\nb: 2\n', [drop('a')], 'b: 2\n'],
    ['is removed from a flow mapping', 'a: {b: 1, c: 2, d: 3}\n', [drop('a.b'), drop('a.d')], 'a: {c: 2}\n'],
    ['is removed wherever it stands', 'a: 1\nb: 2\na: 3\n', [drop('a')], 'b: 2\n'],
    [
      'takes its empty section along',
      'evaluation:\n  # c\n  fa_rates: [1]\nb: 1\n',
      [drop('evaluation.fa_rates')],
      '  # c\nb: 1\n',
    ],
    [
      'leaves a section that is needed',
      'data: # c\n  stride: 10\nb: 1\n',
      [drop('data.stride')],
      'data: {} # c\nb: 1\n',
    ],
    [
      'leaves an anchor',
      'evaluation: &x\n  a: 1\nb: *x\n',
      [drop('evaluation.a')],
      'evaluation: &x {}\nb: *x\n',
    ],
    ['that is not there stays away', 'a: 1\n', [drop('b.c')], 'a: 1\n'],
    [
      'is renamed in its place',
      'a:\n  bb: 1 # c\n  d: 2\n',
      [{ ...set('a.b', '1'), renames: 'a.bb' }],
      'a:\n  b: 1 # c\n  d: 2\n',
    ],
    [
      'moves to another section',
      'a:\n  bb: 1\n  d: 2\ne: {}\n',
      [{ ...set('e.b', '1'), renames: 'a.bb' }],
      'a:\n  d: 2\ne: {b: 1}\n',
    ],
    ['is kept once', 'a: 1\nb: 2\na: 3 # c\n', [{ ...set('a', '3'), once: true }], 'b: 2\na: 3 # c\n'],
  ])('%s', (_, text, changes, expected) => expect(applyChanges(text, changes)).toBe(expected));

  test.each([
    ['a: [', set('a', '1'), /cannot be read/],
    ['- 1\n', set('a', '1'), /no mapping/],
    ['a: &x 1\nb: *x\n', drop('a'), /could not be read/],
    ['a: &x {k: 1}\nb:\n  <<: *x\n', drop('b.k'), /comes from an anchor/],
    ['a: 1\n', set('a', '[1'), /no YAML value/],
  ])('in %j it says why it cannot', (text, change, message) => {
    expect(() => applyChanges(text, [change])).toThrow(EditError);
    expect(() => applyChanges(text, [change])).toThrow(message);
  });
});

/** The value with another at a path, as the edit should leave it. */
function withValue(
  value: PyValue,
  [name = '', ...rest]: readonly string[],
  leaf: PyValue | undefined,
): PyValue {
  const own = isPyMapping(value) ? { ...value } : {};
  const below = rest.length === 0 ? leaf : withValue(own[name] ?? {}, rest, leaf);
  const { [name]: _, ...others } = own;
  return below === undefined ? others : { ...others, [name]: below };
}

/** Without sections that hold nothing: an edit may write or remove them. */
function pruned(value: PyValue): PyValue {
  if (!isPyMapping(value)) return value;
  const pairs = Object.entries(value).map(([name, one]) => [name, pruned(one)] as const);
  return Object.fromEntries(
    pairs.filter(([, one]) => one !== null && !(isPyMapping(one) && Object.keys(one).length === 0)),
  );
}

test('in random files, random changes do what they say and touch nothing else', () => {
  const random = new Random(11);
  let [edited, exact] = [0, 0];
  for (let run = 0; run < 80; run++) {
    const generator = new Generator(random);
    const before = generator.file();
    const read = readConfig(before);
    expect([before, read.errors]).toEqual([before, []]);
    let [text, value] = [before, read.value ?? null];
    const changes: Change[] = [];
    for (let i = 0; i < 3; i++) {
      const key = generator.pick(KEYS);
      const leaf = generator.chance(0.2) ? undefined : generator.value(key);
      const change = {
        ...drop(key.path),
        value: leaf === undefined ? undefined : scalarText(leaf, key.kind),
      };
      const now = readConfig(text);
      const entry = now.entries.findLast(({ path }) => path === key.path);
      const edits = editsFor(text, [change]);
      changes.push(change);
      const after = applyChanges(text, [change]);
      value = withValue(value, key.path.split('.'), leaf);
      const context = [text, change, after];
      const result = readConfig(after).value ?? null;
      expect([...context, sameValue(pruned(result), pruned(value))]).toEqual([...context, true]);
      // One scalar in the place of another: its characters and no more.
      if (entry?.plain && typeof leaf === 'number') {
        const { from, to } = entry.value;
        if (text.slice(from, to) !== change.value)
          expect([...context, edits]).toEqual([...context, [{ from, to, insert: change.value }]]);
        exact++;
      }
      if (!entry && leaf !== undefined && edits.length === 1 && !/null|~/.test(text))
        expect([...context, edits[0]?.to]).toEqual([...context, edits[0]?.from]);
      if (leaf === undefined) for (const edit of edits) expect(['', ' {}']).toContain(edit.insert);
      edited += edits.length;
      [text, value] = [after, result];
    }
    // Together they are what they are one after the other, as edits of the first text.
    const all = editsFor(before, changes);
    expect(all.every(({ from }, i) => i === 0 || from > (all[i - 1]?.to ?? 0))).toBe(true);
    const patched = all.reduceRight(
      (at, { from, to, insert }) => at.slice(0, from) + insert + at.slice(to),
      before,
    );
    expect([before, changes, patched]).toEqual([before, changes, text]);
  }
  expect(edited).toBeGreaterThan(150);
  expect(exact).toBeGreaterThan(5);
});
