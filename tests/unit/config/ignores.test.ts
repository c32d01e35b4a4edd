import { describe, expect, test } from 'vitest';
import { ignoreEdit } from '../../../src/config/ignores';
import { inspect } from '../../../src/config/issues';
import { applyEdits } from '../../../src/config/pieces';
import { TARGETS } from '../../../src/config/targets';

const SECTIONS = 'data: {}\nmodel: {mamba: {conv_kernel: 3}}\npostprocessing: {}\n';

/** Inspects a file of these lines and the sections that the trainer needs. */
function inspected(lines: string, end = '\n') {
  const text = `${lines}\n${SECTIONS}`.replaceAll('\n', end);
  const { issues, silenced } = inspect(text, { name: 'train.yaml', target: TARGETS.modal });
  const comments = issues.filter(({ id }) => id === 'ignore-comment');
  return {
    text,
    issues,
    ids: issues.map(({ id }) => id),
    silenced: silenced.map(({ issue, reason }) => [issue.id, reason]),
    comments: comments.map(({ message, place }) => [place.line, text.slice(place.from, place.to), message]),
  };
}

describe('a comment silences a rule', () => {
  test.each(['\n', '\r\n', '\r'])('on its line, and there alone (ending %j)', (end) => {
    const { ids, silenced, comments } = inspected(
      'training:\n  optimizer: sgd # smokescan: ignore optimizer-crash – ours makes it\n  scheduler: {type: linear}',
      end,
    );
    expect(ids).not.toContain('optimizer-crash');
    expect(ids).toContain('scheduler-crash');
    expect(silenced).toEqual([['optimizer-crash', 'ours makes it']]);
    expect(comments).toEqual([]);
  });

  test('above a key, for all that is within it, further comments between', () => {
    const { ids, silenced } = inspected(
      '# smokescan: ignore dead-key – from another project\n# smokescan: ignore yaml-1.1 - as it was\n\npreprocessing:\n  notch_freq: 50\n\n  # why\n  montage: x\ntraining:\n  learning_rate: 1e-4\nlogging:\n  unknown: 1e5',
    );
    expect(silenced.map(([id]) => id)).toEqual(['dead-key']);
    expect(ids.filter((id) => id === 'yaml-1.1')).toHaveLength(2);
  });

  test('above a list that stands as far left as its key', () => {
    const list = (above: string) =>
      inspected(`training: {}\nlogging:\n  a:\n    ${above}\n    b:\n    - 1e5\n    - 2\n    c: 1e5`);
    expect(list('# nothing').ids.filter((id) => id === 'yaml-1.1')).toHaveLength(2);
    const { ids, silenced } = list('# smokescan: ignore yaml-1.1 – read by PyYAML alone');
    expect(silenced).toEqual([['yaml-1.1', 'read by PyYAML alone']]);
    expect(ids.filter((id) => id === 'yaml-1.1')).toHaveLength(1);
  });

  test('in the whole file, notes for the launch among them', () => {
    const { ids, silenced } = inspected(
      'training: {epochs: 3}\n# smokescan: ignore-file modal-fallback – the fallback is evaluated by hand\n# smokescan: ignore-file every-launch – known',
    );
    expect(ids).not.toContain('modal-fallback');
    expect(ids).not.toContain('every-launch');
    expect(silenced).toContainEqual(['modal-fallback', 'the fallback is evaluated by hand']);
  });

  test('not where its text stands in a value', () => {
    const text = '"# smokescan: ignore-file optimizer-crash – no comment"';
    const { ids, silenced } = inspected(
      `training: {optimizer: sgd}\nexperiment:\n  description: ${text}\n  name: |\n    # smokescan: ignore-file optimizer-crash – nor this`,
    );
    expect(ids).toContain('optimizer-crash');
    expect(silenced).toEqual([]);
  });
});

test.each([
  ['ignore optimizer-crash', /gives no reason; write why/],
  ['ignore seed-range – old', /silences nothing: seed-range finds nothing here/],
  ['ignore optimiser-crash – x', /there is no rule optimiser-crash; the nearest is optimizer-crash/],
  ['ignore', /names no rule; write # smokescan: ignore RULE/],
  ['ignore-all optimizer-crash – x', /there is no “smokescan: ignore-all”; write ignore or ignore-file/],
  ['ignore validation-error – x', /cannot be silenced: the trainer rejects the file/],
])('a comment that is no good is told: %s', (comment, message) => {
  const { comments, issues } = inspected(`training: {optimizer: sgd, epochs: 300} # smokescan: ${comment}`);
  expect(comments).toEqual([[1, `# smokescan: ${comment}`, expect.stringMatching(message)]]);
  expect(issues.some(({ id }) => id === 'validation-error')).toBe(true);
});

test.each(['wsl2-workers', 'vram', 'batch-lr', 'output-collision'])(
  'of %s, which nobody asked for here, no comment is called useless',
  (rule) => {
    expect(inspected(`training: {} # smokescan: ignore ${rule} – elsewhere`).comments).toEqual([]);
  },
);

test.each([
  ['training:\n  optimizer: sgd', 'optimizer: sgd # smokescan: ignore optimizer-crash – '],
  ['training:\n  optimizer: sgd # mine', '  # smokescan: ignore optimizer-crash – \n  optimizer: sgd # mine'],
])('an issue is silenced by a comment that leaves the reason open: %j', (lines, expected) => {
  const { text, issues } = inspected(lines);
  const edit = ignoreEdit(
    text,
    issues.find(({ id }) => id === 'optimizer-crash')!,
  );
  const made = applyEdits(text, [edit]);
  expect(made).toContain(expected);
  const after = inspect(made, { name: 'train.yaml', target: TARGETS.modal });
  expect(after.silenced.map(({ issue }) => issue.id)).toEqual(['optimizer-crash']);
  expect(after.issues.filter(({ id }) => id === 'ignore-comment').map(({ message }) => message)).toEqual([
    expect.stringMatching(/gives no reason/),
  ]);
});
