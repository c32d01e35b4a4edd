import { describe, expect, test } from 'vitest';
import { applyChanges } from '../../../src/config/edit';
import { failing, inspect, inspectAll } from '../../../src/config/issues';
import { readConfig } from '../../../src/config/settings';
import { TARGETS, targetOf } from '../../../src/config/targets';
import { expectEffort } from '../../effort';

const subject = { name: 'train.yaml', target: TARGETS.local };
const SECTIONS = 'data: {}\nmodel: {}\npostprocessing: {}\n';
const validationErrors = (text: string) =>
  inspect(text, subject).issues.filter(({ severity }) => severity === 'invalid');

describe('a value that the trainer rejects', () => {
  test.each([
    ['training:\n  batch_size: 300\n', '300', 'batch_size: 256'],
    ['training:\n  batch_size: 7.6\n', '7.6', 'batch_size: 8'],
    ['training:\n  epochs: 0\n', '0', 'epochs: 1'],
    ['training:\n  loss: Focal\n', 'Focal', 'loss: focal'],
    ['training:\n  optimizer: adam_w\n', 'adam_w', 'optimizer: adamw'],
    // Its second letter but one is Cyrillic.
    ['training:\n  loss: bсe\n', 'bсe', 'loss: bce'],
    ['training:\n  learning_rate: 1\n', '1', 'learning_rate: 1.0e-4'],
    ['training:\n  learning_rate: 0\n', '0', 'learning_rate: 1.0e-6'],
    ['training: {}\nexperiment:\n  device: gpu\n', 'gpu', 'device: auto'],
    ['training: {}\nexperiment:\n  name: 2025-01-19\n', '2025-01-19', 'name: "2025-01-19"'],
    ['training: {}\nexperiment:\n  name: 123\n', '123', 'name: "123"'],
    ['training: {}\npreprocessing:\n  notch_freq: "50"\n', '"50"', 'notch_freq: 50'],
    ['training: {}\nevaluation:\n  fa_rates: [10, x]\n', 'x', 'fa_rates: [10, 5, 2.5, 1]'],
    ['training:\n', 'training', 'training: {}'],
    ['training: {}\nevaluation: ~\n', '~', 'training: {}\n'],
    ['training: {mixed_precision: true}\nexperiment: {device: cpu}\n', 'true', 'mixed_precision: false'],
  ])('%j is at its characters, and has a fix', (lines, characters, fixed) => {
    const text = SECTIONS + lines;
    const [found, ...more] = validationErrors(text);
    expect(more).toEqual([]);
    expect(text.slice(found?.place.from, found?.place.to)).toBe(characters);
    const after = applyChanges(text, found?.fix ?? []);
    expect(after).toContain(fixed);
    expect(validationErrors(after)).toEqual([]);
    expect(inspect(after, subject).accepted).toBe(true);
  });

  test('is not compared with another', () => {
    const text = `data: {}\nmodel: {}\ntraining: {}\npostprocessing: {hysteresis: {tau_off: 1.2}}\n`;
    const found = validationErrors(text);
    expect(found.map(({ path }) => path)).toEqual(['postprocessing.hysteresis.tau_off']);
    expect(inspect(applyChanges(text, found[0]?.fix ?? []), subject).accepted).toBe(true);
  });

  test('may be a section that is missing', () => {
    const [found] = validationErrors('data: {}\nmodel: {}\ntraining: {}\n');
    expect(found).toMatchObject({ path: 'postprocessing', place: { line: 1, column: 1 } });
    expect(found?.message).toMatch(/missing.*add “postprocessing: \{\}”/);
  });

  test('may be a key that is no text', () => {
    const [found] = validationErrors(`${SECTIONS}training: {}\nyes: 1\n`);
    expect(found?.message).toMatch(/of type bool/);
    expect(validationErrors(`${SECTIONS}training: {yes: 1}\n`)).toEqual([]);
  });
});

const bomb = ['a0: &a0 [x, x, x, x, x, x, x, x, x]']
  .concat(
    Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`).join(', ')}]`),
  )
  .join('\n');

test.each([
  ['10 MB', 'a: 1\n'.repeat(2_000_000)],
  ['an alias bomb', bomb],
  ['20,000 deep', '['.repeat(20_000)],
  ['binary', 'a: \u0000\u0001'],
  ['a tab', 'a:\n\tb: 1\n'],
  ['a tab behind a value', 'a: 1\t# c\n'],
  ['several documents', 'a: 1\n---\nb: 2\n'],
  ['an anchor twice', 'a: &x 1\nb: &x 2\n'],
  ['a line separator', 'a: 1 # \u2028b: 2\n'],
  ['a date that does not exist', 'a: 2025-02-30\n'],
  ['nothing', ''],
  ['a list', '- 1\n'],
])('%s gets sentences, soon', (_, text) => {
  let inspected: ReturnType<typeof inspect> | undefined;
  expectEffort(() => (inspected = inspect(text, subject)), 80);
  const { accepted, issues } = inspected!;
  expect(accepted).toBe(false);
  expect(issues.every(({ message, evidence }) => /\w+ \w+/.test(message) && evidence.endsWith('.'))).toBe(
    true,
  );
  expect(issues.some(failing)).toBe(true);
});

test('CRLF and a byte order mark do no harm', () => {
  const text = `\ufeff${SECTIONS}training: {}\n`.replaceAll('\n', '\r\n');
  expect(readConfig(text).errors).toEqual([]);
  expect(inspect(text, subject).accepted).toBe(true);
});

test('in the browser, neither the launcher nor the trainer has a say', () => {
  const text = `${SECTIONS}training: {loss: focal, focal_alpha: 0.25, epochs: 100}\n`;
  const ids = inspect(text, { ...subject, target: TARGETS.browser }).issues.map(({ id }) => id);
  expect(ids).toContain('focal-alpha');
  for (const id of ['modal-fallback', 'time-limit', 'amp-4090', 'validation-ram', 'every-launch'])
    expect(ids).not.toContain(id);
});

test('the path of a file says where it runs', () => {
  expect(
    ['configs/modal/x.yaml', 'train_a100.yaml', 'wsl2.yaml', 'configs/local/x.yaml'].map(targetOf),
  ).toEqual(['modal', 'modal', 'wsl2', 'local']);
});

test('a file that cannot be read does not keep others from being checked', () => {
  const [first, second] = inspectAll([
    { text: 'a: [', subject },
    { text: `${SECTIONS}training: {}\n`, subject },
  ]);
  expect([first?.accepted, second?.accepted]).toEqual([false, true]);
});

test('the configuration of something else is for reading', () => {
  const text = 'services:\n  web: {image: nginx}\nversion: 3\n';
  const { accepted, issues } = inspect(text, { name: 'compose.yaml', target: TARGETS.local });
  expect(accepted).toBe(false);
  expect(issues.map(({ id, fix }) => [id, fix])).toEqual([['not-a-configuration', undefined]]);
  expect(issues[0]?.message).toMatch(/no configuration of the trainer.*no fix/);
});
