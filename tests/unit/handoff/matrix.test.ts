import { describe, expect, test } from 'vitest';
import { compare, ratioOf, toCsv, toMarkdown, type Compared, type Matrix } from '../../../src/handoff/matrix';
import { TARGETS } from '../../../src/config/targets';
import { exactly } from '../../../src/base/quantity';

const config = (text: string, more: Partial<Compared> = {}): Compared => ({
  name: 'a.yaml',
  text,
  target: TARGETS.local,
  ...more,
});
const whole = (text: string): string => `data: {}\nmodel: {}\npostprocessing: {}\n${text}`;
const row = ({ rows }: Matrix, label: string): (string | undefined)[] | undefined =>
  rows.find((one) => one.label === label)?.cells.map(({ change }) => change);
const settings = ({ rows }: Matrix): string[] =>
  rows.filter(({ kind }) => kind === 'setting').map(({ label }) => label);

describe('settings', () => {
  test('are shown as changes from the baseline, with ratios', () => {
    const matrix = compare([
      config(whole('training: {batch_size: 16, mixed_precision: false, loss: bce, weight_decay: 0}')),
      config(whole('training: {batch_size: 8, mixed_precision: true, loss: focal, weight_decay: 0.1}')),
      config(whole('training: {batch_size: 64, mixed_precision: false, loss: bce, weight_decay: 0}')),
    ]);
    expect(row(matrix, 'training.batch_size')).toEqual(['16', '16 → 8, 50 % less', '16 → 64, 4× more']);
    expect(row(matrix, 'training.mixed_precision')).toEqual(['false', 'false → true', 'false']);
    expect(row(matrix, 'training.loss')).toEqual(['bce', 'bce → focal', 'bce']);
    expect(row(matrix, 'training.weight_decay')).toEqual(['0', '0 → 0.1', '0']);
    expect(matrix.columns.map(({ baseline }) => baseline)).toEqual([true, false, false]);
  });

  test('that are not in the file show the trainer’s default', () => {
    const matrix = compare([config(whole('training: {epochs: 2}')), config(whole('training: {}'))]);
    expect(row(matrix, 'training.epochs')).toEqual(['2', '2 → – (1), 50 % less']);
    const all = compare([config(whole('training: {}'))], { all: true });
    expect(row(all, 'data.validation_split')).toEqual(['– (0.2)']);
    expect(row(all, 'evaluation.fa_rates')).toEqual(['– ([10, 5, 2.5, 1])']);
    expect(row(all, 'training.learning_rate')).toEqual(['– (3.0e-4)']);
  });

  test('are rows where the trainer reads different values, whatever is written', () => {
    const same = [
      config(whole('training: {epochs: 1, learning_rate: 3e-4, mixed_precision: yes}')),
      config(whole('training: {learning_rate: 0.0003, mixed_precision: "true"}')),
    ];
    expect(settings(compare(same))).toEqual([]);
    expect(settings(compare(same, { all: true }))).toHaveLength(
      settings(compare([config(whole(''))], { all: true })).length,
    );
    expect(row(compare(same, { all: true }), 'training.epochs')).toEqual(['1', '– (1)']);
  });

  test('of lists and texts have no ratio', () => {
    const matrix = compare([
      config(whole('evaluation: {fa_rates: [10, 5]}\nexperiment: {output_dir: a}')),
      config(whole('evaluation: {fa_rates: [10, 1]}\nexperiment: {output_dir: b}')),
    ]);
    expect(row(matrix, 'evaluation.fa_rates')).toEqual(['[10, 5]', '[10, 5] → [10, 1]']);
    expect(row(matrix, 'experiment.output_dir')).toEqual(['a', 'a → b']);
  });

  test('that change no run, or not as written, say so; a run without a GPU has no memory predicted', () => {
    const cpu = 'experiment: {device: cpu}';
    const matrix = compare([
      config(whole(`training: {resume: true, optimizer: sgd, mixed_precision: false}\n${cpu}`)),
      config(whole(`training: {mixed_precision: false}\n${cpu}`)),
    ]);
    expect(toMarkdown(matrix)).toContain('| training.resume [unused] |');
    expect(toMarkdown(matrix)).toContain('| training.optimizer [partly supported] |');
    expect(row(matrix, 'Predicted memory')?.[0]).toMatch(/^device cpu uses no NVIDIA GPU, and neither/);
  });

  test('that the trainer does not know are rows too, in their section, and say so', () => {
    const matrix = compare([
      config(whole('training: {checkpoint_interval: 5, epochs: 3}\nexperiment: {seed: 1}\nmine: {x: [1]}')),
      config(whole('training: {epochs: 1}\nexperiment: {seed: 2}')),
    ]);
    expect(settings(matrix)).toEqual([
      'training.epochs',
      'training.checkpoint_interval',
      'experiment.seed',
      'mine.x',
    ]);
    expect(row(matrix, 'training.checkpoint_interval')).toEqual(['5', '5 → –']);
    expect(matrix.rows.find(({ label }) => label === 'training.checkpoint_interval')?.effect).toBe('unknown');
    expect(toMarkdown(matrix)).toContain('| training.checkpoint_interval [unknown] | 5 | 5 → – |');
  });

  test('may be compared with any column, or with none', () => {
    const configs = [4, 8].map((batch) => config(whole(`training: {batch_size: ${batch}}`)));
    expect(row(compare(configs, { baseline: 1 }), 'training.batch_size')).toEqual(['8 → 4, 50 % less', '8']);
    expect(row(compare(configs, { baseline: -1 }), 'training.batch_size')).toEqual(['4', '8']);
  });

  test('of a file that cannot be read say so', () => {
    const matrix = compare([config('a: ['), config(whole('training: {epochs: 2}'))]);
    expect(row(compare([config('a: ['), config(whole(''))], { all: true }), 'training.epochs')).toEqual([
      'cannot be read',
      '– (1)',
    ]);
    expect(row(matrix, 'Issues')?.[0]).toMatch(/^rejected by the trainer/);
    expect(settings(matrix)).toEqual([]);
  });
});

test.each([
  [16, 64, '4× more'],
  [16, 8, '50 % less'],
  [10, 15, '50 % more'],
  [3, 1, '67 % less'],
  [1, 200, '200× more'],
  [3e-4, 6e-4, '2× more'],
  [1, 1, undefined],
  [0, 4, undefined],
  [4, 0, undefined],
  [-1, 2, undefined],
  [true, 2, undefined],
  ['1', 2, undefined],
])('from %s to %s is %s', (from, to, ratio) => expect(ratioOf(from, to)).toBe(ratio));

describe('the other rows', () => {
  test('say purpose, environment, memory and issues', () => {
    const matrix = compare([
      config(whole('training: {learning_rate: 1.0e-4, mixed_precision: false}'), {
        purpose: 'Original',
        target: TARGETS.wsl2,
        outcome: 'killed after 127 batches',
        memory: [{ ...exactly(11, 'assumed', 'review of 2025-01-19'), unit: 'GB' }],
      }),
      config(`# Quick: one epoch on few files. And more.\n${whole('training: {optimizer: sgd}')}`, {
        target: TARGETS.modal,
      }),
      config(whole('training: {epochs: x}')),
    ]);
    expect(row(matrix, 'Purpose')).toEqual(['Original', 'Quick', '–']);
    expect(row(matrix, 'Environment')).toEqual([
      'WSL2: RTX 4090, 31 GiB RAM, 16 cores; killed after 127 batches',
      'Modal A100: A100 80 GB, 32 GiB RAM, 8 cores',
      'Linux: RTX 4090, 64 GiB RAM, 16 cores',
    ]);
    expect(row(matrix, 'Predicted memory')).toEqual([
      expect.stringMatching(
        /^11 GB \(assumed: review of 2025-01-19\); GPU fits: [\d.]+ GiB \(.*; system RAM/,
      ),
      expect.stringMatching(/^GPU fits: [\d.]+ GiB \(.*; system RAM in training fits: [\d.]+ GiB/),
      '–',
    ]);
    const [first, second, third] = row(matrix, 'Issues') ?? [];
    expect(first).toMatch(/^1 high, 1 medium; \d before launch$/);
    expect(second).toMatch(/critical, \d high/);
    expect(third).toMatch(/^rejected by the trainer; 1 invalid/);
  });

  test('have no memory where none was predicted', () => {
    expect(row(compare([config(whole('training: {epochs: x}'))]), 'Predicted memory')).toBeUndefined();
  });

  test('show a range where there is one', () => {
    const memory = [
      { likely: 20.26, low: 18, high: 24.44, basis: 'derived', source: 'shapes', of: 'GPU' },
    ] as const;
    expect(row(compare([config(whole('training: {epochs: x}'), { memory })]), 'Predicted memory')).toEqual([
      'GPU 20.3 GiB (18 to 24.4; derived: shapes)',
    ]);
  });
});

const NASTY = 'a|b\\`c`*d*_e_<i>\n"f", =1';

test('Markdown keeps one row a line and takes nothing for markup', () => {
  const matrix = compare([
    config(whole(''), { name: NASTY, purpose: NASTY }),
    config(whole('training: {epochs: 5}')),
  ]);
  const lines = toMarkdown(matrix).split('\n');
  expect(lines).toHaveLength(2 + matrix.rows.length);
  for (const line of lines) expect(line.split(/(?<!\\)\|/)).toHaveLength(5);
  expect(lines[0]).toBe('| Setting | a\\|b\\\\\\`c\\`\\*d\\*\\_e\\_\\<i> "f", =1 (baseline) | a.yaml |');
});

describe('CSV', () => {
  /** RFC 4180, read strictly. */
  function parse(csv: string): string[][] {
    const rows: string[][] = [[]];
    const cell = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r\n)/y;
    for (let at = 0; at < csv.length; at = cell.lastIndex) {
      cell.lastIndex = at;
      const [, text = '', end] = cell.exec(csv) ?? [];
      expect(end).toBeDefined();
      rows.at(-1)?.push(text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text);
      if (end === '\r\n') rows.push([]);
    }
    return rows.slice(0, -1);
  }

  test('reads back what it was made of', () => {
    const matrix = compare([config(whole(''), { name: NASTY }), config(whole('training: {epochs: 5}'))]);
    const rows = parse(toCsv(matrix));
    expect(rows).toHaveLength(1 + matrix.rows.length);
    for (const one of rows) expect(one).toHaveLength(3);
    expect(rows[0]?.[1]).toBe(`${NASTY} (baseline)`);
    expect(rows.find(([label]) => label === 'training.epochs')).toEqual([
      'training.epochs',
      '– (1)',
      '– (1) → 5, 5× more',
    ]);
  });

  test.each(['=1+1', '+1', '-cmd|x', '@sum(a)', '\tx', '\r=x', ' =1', '=HYPERLINK("http://x")'])(
    '%j is no formula for a spreadsheet',
    (purpose) => {
      const csv = toCsv(compare([config(whole(''), { purpose })]));
      expect(parse(csv)[1]?.[1]).toBe(`'${purpose}`);
      expect(csv).toContain(`,"'`);
    },
  );

  test('leaves numbers numbers', () => {
    const csv = toCsv(compare([config(whole('experiment: {seed: -5}'))], { all: true }));
    expect(csv).toContain('experiment.seed,-5\r\n');
  });
});
