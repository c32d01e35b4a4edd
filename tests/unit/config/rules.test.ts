import { describe, expect, test } from 'vitest';
import { applyChanges } from '../../../src/config/edit';
import { inspect, inspectAll, linesOf, type Issue } from '../../../src/config/issues';
import { COLLISION, RULES } from '../../../src/config/rules';
import { KEYS } from '../../../src/config/keys';
import { exampleText, GUIDE, type Situation } from '../../../src/config/rules/guide';
import { readConfig } from '../../../src/config/settings';
import { verdictFor } from '../../../src/estimate/forecast';
import { issuesIn } from '../../../src/handoff/rule_pages';
import { PLATFORMS, TARGETS, type TargetName } from '../../../src/config/targets';

const issues = (text: string, situation: Situation): Issue[] => [...issuesIn(situation, text)];

/** Only a person knows what to write. */
const UNFIXABLE = ['home-in-path', 'windows-drive'];

const of = (...lines: string[]): Situation => ({ lines });
const on = (target: TargetName, ...lines: string[]): Situation => ({ lines, target });

test('every rule has a guide', () => {
  expect(Object.keys(GUIDE).sort()).toEqual(RULES.map(({ id }) => id).sort());
});

describe.each(Object.entries(GUIDE))('the rule %s', (id, { bad, good }) => {
  const text = exampleText(bad.lines);
  const found = issues(text, bad).find((one) => one.id === id);
  const note = RULES.find((rule) => rule.id === id)?.note === true;

  test('fires, with evidence', () => {
    expect(found).toBeDefined();
    expect(found?.evidence).toMatch(/\w{3}.*\.$/s);
    expect(found?.fixable).toBe(!note);
  });

  test('does not fire', () => {
    expect(issues(exampleText(good.lines), good).map((one) => one.id)).not.toContain(id);
  });

  test('is silenced by its fixes', () => {
    if (note || UNFIXABLE.includes(id)) expect(found?.fix).toBeUndefined();
    else expect(found?.fix).toBeDefined();
    for (const fix of [...(found?.fix ? [found.fix] : []), ...(found?.instead ?? [])]) {
      const fixed = applyChanges(text, fix);
      expect(fixed).not.toBe(text);
      expect(issues(fixed, bad).map((one) => one.id)).not.toContain(id);
    }
  });
});

test('two files for Modal that write to one folder are told of each other', () => {
  const file = (name: string, output: string) => ({
    text: exampleText([`experiment.output_dir: ${output}`]),
    subject: { name, target: TARGETS.modal },
  });
  const files = [file('a.yaml', '/results/run'), file('b.yaml', 'elsewhere/run/'), file('c.yaml', 'run2')];
  const found = inspectAll(files).map(({ issues }) => issues.find(({ id }) => id === COLLISION.id));
  expect(found.map((one) => one?.message.slice(0, 6))).toEqual(['b.yaml', 'a.yaml', undefined]);
  const fixed = { ...files[0]!, text: applyChanges(files[0]!.text, found[0]?.fix ?? []) };
  expect(inspectAll([fixed, files[1]!]).flatMap(({ issues }) => issues.map(({ id }) => id))).not.toContain(
    COLLISION.id,
  );
});

test.each([
  ['local', 'cache/x', './cache/x/', 0],
  ['local', 'cache/x', '/cache/x', 1],
  ['modal', '/results/cache/x', 'cache/x', 0],
  ['modal', '/results/cache/x', 'x', 1],
] as const)('on %s with the caches %s and %s, %i of them is not used', (target, own, other, count) => {
  const lines = [`data.cache_dir: ${own}`, `experiment.cache_dir: ${other}`];
  const found = issues(exampleText(lines), { lines, target });
  expect(found.filter(({ id }) => id === 'cache-mismatch')).toHaveLength(count);
});

test.each([
  ['1e5', true],
  ['0o17', true],
  ['08', true],
  ['1_000', true],
  ['12:30', true],
  ['017', true],
  ['on', true],
  ['"on"', false],
  ['1.0e+5', false],
  ['true', false],
  ['0', false],
  ['-5', false],
])('of %s the readers of YAML disagree: %o', (value, disagree) => {
  const text = exampleText([`logging.unknown: ${value}`]);
  const found = issues(text, of()).filter(({ id }) => id === 'yaml-1.1');
  expect(found.length).toBe(disagree ? 1 : 0);
});

test('of a run without the GPU nothing is predicted, and it is said, on every machine', () => {
  for (const target of PLATFORMS)
    for (const device of ['cpu', 'mps']) {
      const lines = [`experiment.device: ${device}`, 'training.mixed_precision: false'];
      const found = issues(exampleText(lines), { lines, target }).find(({ id }) => id === 'no-gpu');
      expect(found?.message).toContain('neither memory nor time of such a run is predicted');
      expect(found?.message.includes('no Mac')).toBe(device === 'mps' && target === 'local');
      const crashes = target === 'modal' || (device === 'mps' && target === 'wsl2');
      expect(found?.severity).toBe(crashes ? 'high' : 'medium');
      expect(verdictFor(exampleText(lines), 'train.yaml', TARGETS[target])).toBeUndefined();
    }
});

describe('the score of early stopping', () => {
  const metric = (name: string, ...lines: string[]) => {
    const text = exampleText([
      'training.epochs: 100',
      `training.early_stopping.metric: ${name}`,
      ...lines.map((line) => line.replace(/^(rates|mode)/, (key) => LONG[key] ?? key)),
    ]);
    return { text, found: issues(text, of()).find(({ path }) => /early_stopping/.test(path)) };
  };
  const LONG: Readonly<Record<string, string>> = {
    rates: 'evaluation.fa_rates',
    mode: 'training.early_stopping.mode',
  };

  test.each([
    ['taes'],
    ['auroc'],
    ['pr_auc'],
    ['ece', 'mode: min'],
    ['val_loss', 'mode: min'],
    ['sensitivity_at_10fa'],
    ['sensitivity_at_2.5fa'],
    ['sensitivity_at_10.0fa', 'rates: [10, 2.5]'],
    ['sensitivity_at_2.5fa', 'rates: [10, 2.5]'],
    ['sensitivity_at_1e-05fa', 'rates: [0.00001]'],
    ['sensitivity_at_1e+16fa', 'rates: [1.0e+16]'],
  ])('%s exists (%s)', (name, ...lines) => {
    expect(metric(name, ...lines).found).toBeUndefined();
  });

  test.each([
    ['sensitivity_at_10fa', 'sensitivity_at_10.0fa', 'rates: [10, 5]'],
    ['sensitivity_at_10.0fa', 'sensitivity_at_10fa'],
    ['sensitivity_at_10fa', 'sensitivity_at_10.0fa', 'rates: [5, 2.5, 1]'],
    ['sensitivity_at_20fa', 'sensitivity_at_20.0fa'],
    ['sensitivity_at_20fa', 'sensitivity_at_20.0fa', 'rates: []'],
    ['auc', 'auroc'],
    ['AUROC', 'auroc'],
    ['loss', 'val_loss'],
    ['val_loss', 'val_loss'],
    ['auroc', 'auroc', 'mode: min'],
  ])('%s is fixed to %s (%s)', (name, score, ...lines) => {
    const { text, found } = metric(name, ...lines);
    expect(found?.severity).toBe('critical');
    const fixed = applyChanges(text, found?.fix ?? []);
    const left = issues(fixed, of());
    expect(left.filter(({ path }) => /early_stopping|fa_rates/.test(path))).toEqual([]);
    expect(fixed).toContain(`metric: ${score}`);
  });

  test.each([
    ['f1', /read 0 every epoch.*stop at epoch 7; write one of sensitivity_at_10fa, .*val_loss$/],
    ['thresholds', /ends the run after its first epoch/],
  ])('%s is for a person to decide', (name, message) => {
    const { found } = metric(name);
    expect(found?.message).toMatch(message);
    expect(found?.fix).toBeUndefined();
  });
});

test.each([
  ['training.epochs: 300', /300 is not a whole number from 1 to 200/],
  ['training.epochs: 0', /0 is not a whole number from 1 to 200/],
  ['data.validation_split: 0.9', /0\.9 is not a number from 0 to 0\.5/],
  ['experiment.device: cpu', /true is rejected together with experiment\.device cpu/],
  [
    'training.learning_rate: 1e-1',
    /"1e-1" is not a number from 0.000001 to 0\.01; PyYAML reads a text, other readers 0\.1$/,
  ],
  ['model.rescnn.kernel_sizes: [3, 4]', /4 is not an odd whole number/],
])('of %s, which production rejects, nothing else is said', (line, message) => {
  for (const target of ['local', 'wsl2', 'modal'] as const) {
    const found = issues(exampleText([line]), on(target));
    const invalid = found.filter(({ severity }) => severity === 'invalid');
    expect(invalid.map((one) => one.message)).toEqual([expect.stringMatching(message)]);
    const path = invalid[0]?.path.replace(/\[\d+\]$/, '') ?? '';
    expect(found.filter((one) => one.path.startsWith(path))).toEqual(invalid);
  }
});

/** Of each key, two values that production rejects. */
const REJECTED = KEYS.flatMap(({ path }): [string, string[]][] => {
  const values = ['-5', '1000000007', '"x"', '"y"', '7.5', '[[1]]', '[[2]]', '{a: 1}'].filter((value) =>
    readConfig(exampleText([`${path}: ${value}`])).settings.rejects(path),
  );
  return [[path, values.slice(0, 2)]];
});

test.each(REJECTED)('no rule reads a value of %s that production rejects', (path, values) => {
  expect(values).toHaveLength(2);
  for (const target of ['local', 'wsl2', 'modal'] as const) {
    const said = values.map((value) =>
      issues(exampleText(['training.epochs: 9', `${path}: ${value}`]), on(target))
        .filter(({ severity }) => severity !== 'invalid')
        .map(({ id, message }) => [id, message]),
    );
    expect(said[0]).toEqual(said[1]);
  }
});

test('where nobody knows the patience, a score that does not exist stops a run early', () => {
  const lines = ['training.epochs: 9', 'training.early_stopping.patience: 300'];
  const found = issues(exampleText([...lines, 'training.early_stopping.metric: auc']), of());
  expect(found.find(({ id }) => id === 'unknown-score')?.message).toMatch(/each time and stop early;/);
});

test.each([
  [6, /read 0 every epoch and rewrite best\.pt each time; write/],
  [7, /rewrite best\.pt each time and stop at epoch 7; write/],
])('of %i epochs, a score that does not exist stops what it can stop', (epochs, said) => {
  const lines = [`training.epochs: ${epochs}`, 'training.early_stopping.metric: auc'];
  expect(issues(exampleText(lines), of()).find(({ id }) => id === 'unknown-score')?.message).toMatch(said);
});

test.each([
  [4, 2, 8, /read ahead take up to 75 MiB of shared memory.*64 MiB/],
  [1, 2, 8, undefined],
  [0, 100, 256, undefined],
])('%i workers that read %i batches of %i ahead', (workers, prefetch, batch, said) => {
  const text = exampleText([
    `data.num_workers: ${workers}`,
    `data.prefetch_factor: ${prefetch}`,
    `training.batch_size: ${batch}`,
  ]);
  const note = issues(text, of()).find(({ id }) => id === 'every-launch')?.message ?? '';
  if (said) expect(note).toMatch(said);
  else expect(note).not.toContain('shared memory');
});

test('under WSL2 all that is said of workers writes 0', () => {
  const lines = ['data.num_workers: 4', 'training.batch_size: 16'];
  const found = issues(exampleText(lines), { lines, target: 'wsl2' });
  const fixes = found.flatMap(({ id, fix = [] }) => fix.map(({ path, value }) => [id, path, value]));
  expect(fixes.filter(([, path]) => path === 'data.num_workers')).toEqual([
    ['wsl2-workers', 'data.num_workers', '0'],
    ['host-ram', 'data.num_workers', '0'],
  ]);
});

test('the hours of all jobs are those of their parts', () => {
  const lines = ['training.epochs: 100', 'data.num_workers: 8', 'data.validation_split: 0.05'];
  const message =
    issues(exampleText(lines), on('modal')).find(({ id }) => id === 'time-limit')?.message ?? '';
  const [, all, parts = ''] = /about ([\d.]+) h in all: 100 epochs at [\d.]+ h take (.*)/.exec(message) ?? [];
  const hours = [...parts.matchAll(/([\d.]+) h/g)].map(([, one]) => Number(one));
  expect(hours.length).toBeGreaterThan(1);
  expect(hours.reduce((sum, one) => sum + one, 0) / Number(all)).toBeCloseTo(1, 2);
});

test('what every launch has to know is a list of short sentences', () => {
  const lines = ['training.epochs: 9', 'data.num_workers: 4', 'training.batch_size: 64'];
  for (const target of PLATFORMS) {
    const note = issues(exampleText(lines), on(target)).find(({ id }) => id === 'every-launch');
    const said = note ? linesOf(note) : [];
    expect(said.length).toBeGreaterThan(3);
    for (const line of said) expect(line.split(' ').length, line).toBeLessThan(32);
  }
});

test.each([
  ['training.epochs: 300', /resumed/],
  ['data.validation_split: 0.9', /files are cut/],
  ['data.use_balanced_sampling: x', /manifest/],
])('nor does the note on every launch speak of %s', (line, said) => {
  const noteOf = (...lines: string[]) =>
    issues(exampleText(['training.epochs: 9', ...lines]), on('modal')).find(({ id }) => id === 'every-launch')
      ?.message;
  expect(noteOf()).toMatch(said);
  expect(noteOf(line)).not.toMatch(said);
});

test.each([
  ['local', 0.05, 0.2],
  ['local', 0.1, undefined],
  ['wsl2', 0, 0.2],
  // There the corpus is split, and then its files are limited.
  ['modal', 0.05, undefined],
] as const)('of a smoke run on %s, a split of %d needs %s', (target, split, needed) => {
  const name = 'configs/smoke.yaml';
  const lines = [`data.validation_split: ${split}`];
  const found = issues(exampleText(lines), { lines, target, name }).find(({ id }) => id === 'no-validation');
  expect(found?.fix?.[0]?.value).toBe(needed?.toString());
});

test.each([
  ['modal', 5, undefined],
  ['modal', 9, undefined],
  ['modal', 4, 'high'],
  ['modal', 8, 'high'],
  ['local', 4, undefined],
  ['local', 5, 'medium'],
  ['wsl2', 9, 'medium'],
] as const)('on %s a convolution of %i is %s', (target, kernel, severity) => {
  const found = issues(exampleText([`model.mamba.conv_kernel: ${kernel}`]), on(target));
  expect(found.find(({ id }) => id === 'conv-kernel')?.severity).toBe(severity);
});

test('no rule offers a learning rate that another fears', () => {
  for (const rate of ['1.0e-6', '3.0e-5', '1.0e-4', '3.0e-4', '1.0e-2'])
    for (const batch of [1, 32, 256]) {
      const lines = [`training.batch_size: ${batch}`, `training.learning_rate: ${rate}`];
      const text = exampleText(lines);
      const found = issues(text, { lines, base: [`training.learning_rate: ${rate}`] });
      const offered = found.filter(({ id }) => id === 'batch-lr');
      for (const { fix, instead = [] } of offered)
        for (const one of [...(fix ? [fix] : []), ...instead])
          expect(issues(applyChanges(text, one), of()).map(({ id }) => id)).not.toContain('learning-rate');
    }
});

test('which GPU it is, nobody said: then NaN on one of them is no reason to fail', () => {
  const severity = (gpuAssumed: boolean) =>
    inspect(exampleText([]), { name: 'a.yaml', target: { ...TARGETS.local, gpuAssumed } }).issues.find(
      ({ id }) => id === 'amp-4090',
    )?.severity;
  expect([severity(true), severity(false)]).toEqual(['medium', 'high']);
});

test.each([
  ['training.Epochs: 9', 'training.epochs', 'training.epochs: 9'],
  ['training.Epochs: 900', 'training.epochs', undefined],
  // Five of its letters are Cyrillic.
  ['training.еросhs: 9', 'training.epochs', 'training.epochs: 9'],
  ['Experiment: {seed: 1}', 'experiment', 'experiment: {seed: 1}'],
])('of %s the nearest key is %s', (line, near, renamed) => {
  const text = line.startsWith('E') ? `${exampleText([])}${line}\n` : withLine(line);
  const found = issues(text, of()).find(({ id }) => id === 'unknown-key');
  expect(found?.message).toContain(`the nearest that it knows is ${near}`);
  const [fix] = found?.fix ?? [];
  expect(fix?.renames && `${fix.path}: ${fix.value}`).toBe(renamed);
});

/** A line of the section training, with letters that a change would quote. */
const withLine = (line: string): string =>
  exampleText([]).replace('training: {}', `training: {${line.slice('training.'.length)}}`);

test('a section in other letters is renamed, not added beside them', () => {
  const text = exampleText([]).replace('model: {}', 'Model: {mamba: {n_layers: 4}}');
  const found = inspect(text, { name: 'a.yaml', target: TARGETS.local }).issues;
  const missing = found.find(({ id }) => id === 'validation-error');
  expect(missing?.message).toMatch(/missing.*: rename Model, which is likely meant$/);
  expect(applyChanges(text, missing?.fix ?? [])).toContain('model: {mamba: {n_layers: 4}}');
  const alone = inspect('Data: {}\nMODEL: {}\n', { name: 'a.yaml', target: TARGETS.local }).issues;
  expect(alone.map(({ id }) => id)).not.toContain('not-a-configuration');
});

test.each(['constructor', '__proto__', 'toString'])('the unknown key %s is one like any other', (key) => {
  const found = issues(`${exampleText([])}${key}: 1\n`, of()).find(({ path }) => path === key);
  expect(found?.message).toMatch(/drops it silently; (remove it|the nearest)/);
});

test('without a folder of results, the launcher writes to results/run', () => {
  const files = [[], ['experiment.output_dir: elsewhere/run'], ['experiment.output_dir: results']].map(
    (lines, i) => ({ text: exampleText(lines), subject: { name: `${i}.yaml`, target: TARGETS.modal } }),
  );
  const found = inspectAll(files).map(({ issues }) => issues.some(({ id }) => id === COLLISION.id));
  expect(found).toEqual([true, true, false]);
});
