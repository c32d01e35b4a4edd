import { expect, test } from 'vitest';
import { bundleOf } from '../../../src/handoff/bundle';
import { TARGETS } from '../../../src/config/targets';

const text = 'data: {}\nmodel: {}\npostprocessing: {}\ntraining: {epochs: 2}\n';

test('one configuration, its script and the review', () => {
  const files = bundleOf([{ name: 'configs/local/train.yaml', text, target: TARGETS.wsl2 }], '# Review\n');
  expect(files.map(({ path }) => path)).toEqual([
    'configs/local/train.yaml',
    'commands.sh',
    'configs/local/smoke.yaml',
    'configs/schema.json',
    'review.md',
  ]);
  expect(files[0]?.text).toBe(text);
  expect(files[1]?.text).toContain('python -m src train configs/local/train.yaml');
});

test('several have scripts of their own; nothing is launched for the browser', () => {
  const files = bundleOf([
    { name: 'configs/local/train.yaml', text, target: TARGETS.wsl2 },
    { name: 'mine.yml', text, target: TARGETS.modal },
    { name: 'here', text, target: TARGETS.browser },
  ]);
  expect(files.map(({ path }) => path)).toEqual([
    'configs/local/train.yaml',
    'configs/mine.yml',
    'configs/here.yaml',
    'commands/local/train.sh',
    'commands/mine.sh',
    'configs/local/smoke.yaml',
    'configs/modal/smoke_a100.yaml',
    'configs/schema.json',
  ]);
  expect(files[4]?.text).toContain('--config configs/mine.yml');
});

test('what production rejects is there without a script, and is nobody’s smoke run', () => {
  const paths = bundleOf([
    { name: 'configs/local/train.yaml', text, target: TARGETS.wsl2 },
    { name: 'configs/local/smoke.yaml', text: text.replace('2', '300'), target: TARGETS.wsl2 },
    { name: 'configs/compose.yaml', text: 'services: {}\n', target: TARGETS.local },
  ]).map(({ path }) => path);
  expect(paths).toEqual([
    'configs/local/train.yaml',
    'configs/local/smoke.yaml',
    'configs/compose.yaml',
    'commands/local/train.sh',
    'configs/local/smoke_2.yaml',
    'configs/schema.json',
  ]);
});

test('no path leaves the folder, and no two are one', () => {
  const names = [
    '../../etc/passwd.yaml',
    '/abs/a.yaml',
    'C:\\x\\b.yaml',
    'configs/A.yaml',
    'a.yaml',
    'a\nb.yaml',
    '',
  ];
  const paths = bundleOf(names.map((name) => ({ name, text, target: TARGETS.browser }))).map(
    ({ path }) => path,
  );
  expect(paths).toEqual([
    'configs/etc/passwd.yaml',
    'configs/abs/a.yaml',
    'configs/C_/x/b.yaml',
    'configs/A.yaml',
    'configs/a_2.yaml',
    'configs/a_b.yaml',
    'configs/config.yaml',
    'configs/schema.json',
  ]);
});
