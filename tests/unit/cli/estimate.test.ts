import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { main } from '../../../src/cli/estimate';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'smokescan-estimate-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const preset = (path: string): string => fileURLToPath(new URL(`../../../configs/${path}`, import.meta.url));
const A100 = preset('modal/train_a100.yaml');

async function run(...args: string[]): Promise<{ code: number; out: string; errors: string }> {
  const log = vi.spyOn(console, 'log').mockReturnValue(undefined);
  const error = vi.spyOn(console, 'error').mockReturnValue(undefined);
  try {
    const code = await main(args);
    return { code, out: log.mock.calls.join('\n'), errors: error.mock.calls.join('\n') };
  } finally {
    log.mockRestore();
    error.mockRestore();
  }
}

function write(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

describe('the command estimate', () => {
  test('the file for the A100 with memory enough fits: 0, and a table with ranges and bases', async () => {
    const { code, out, errors } = await run(
      A100,
      '--gpu',
      'a100-80',
      '--ram',
      '48',
      '--hours-per-epoch',
      '1.5',
    );
    expect(errors).toBe('');
    expect(code).toBe(0);
    expect(out).toMatch(/^.*train_a100\.yaml on A100 80 GB, 48 GiB, modal: fits/);
    expect(out).toMatch(
      /GPU memory +[\d.]+ GiB +[\d.]+ GiB – [\d.]+ GiB +of 80\.0 GiB of A100 80 GB +derived/,
    );
    expect(out).toMatch(/system RAM, validation +[\d.]+ GiB .* assumed/);
    expect(out).toMatch(/time per epoch +1\.50 h .*measured/);
    expect(out).toMatch(/their cost +\$\d+\.\d\d/);
    expect(out).not.toContain('What would fit');
  });

  test('with the 32 GiB that the app asks for, which is no limit, validation of the file as reviewed may run: 0, and what would fit', async () => {
    const asReviewed = write(
      'reviewed.yaml',
      readFileSync(A100, 'utf8').replace('validation_split: 0.07', 'validation_split: 0.2'),
    );
    const { code, out } = await run(asReviewed, '--target', 'modal', '--ram', '32');
    expect(code).toBe(0);
    expect(out).toMatch(/^.*32 GiB, modal: borderline: it needs more system RAM than is asked of Modal/);
    expect(out).toMatch(/^Above the request in training: \d+ % of/m);
    const ram = /--ram (\d+),/.exec(out)?.[1] ?? '0';
    expect(Number(ram)).toBeGreaterThan(32);
    expect((await run(asReviewed, '--target', 'modal', '--ram', ram)).out).toMatch(/^.* GiB, modal: fits/);
    const own = await run(asReviewed, '--target', 'local', '--ram', '32');
    expect(own.code).toBe(3);
    expect(own.out).toMatch(/^.*32 GiB, local: won't fit/);
    expect(own.out).toMatch(/^OOM-killed in training: \d+ % of/m);
    const split = /data\.validation_split: ([\d.]+)/.exec(out)?.[1] ?? '1';
    expect(Number(split)).toBeLessThan(0.1);
  });

  test('with a split of 0.08 it is borderline there, by the likely values: 0, and it is said', async () => {
    const larger = write(
      'train_a100.yaml',
      readFileSync(A100, 'utf8').replace('validation_split: 0.07', 'validation_split: 0.08'),
    );
    const { code, out } = await run(larger, '--ram', '32');
    expect(code).toBe(0);
    expect(out).toMatch(/^.*32 GiB, modal: borderline: the likely values fit, not the high ends/);
    expect(out).toContain('GPU memory: fits. System RAM: borderline.');
    const json = JSON.parse((await run(larger, '--ram', '32', '--json')).out) as unknown;
    expect(json).toMatchObject({ fit: 'borderline', ram: { fit: 'borderline' } });
  });

  test('--help says what each exit code means: 0', async () => {
    const { code, out } = await run('--help');
    expect(code).toBe(0);
    expect(out).toContain(
      'Exit code 0 where the run fits or is borderline; 1 for a file that cannot be read; 3 where validate would exit with 1',
    );
  });

  test('as JSON says the same, with quantities', async () => {
    const { code, out } = await run(
      A100,
      '--ram',
      '48',
      '--rate',
      '5.59',
      '--hours-per-epoch',
      '0.25',
      '--json',
    );
    expect(code).toBe(0);
    const found = JSON.parse(out) as {
      fit: string;
      target: string;
      vram: { total: { low: number; likely: number; high: number; basis: string } };
      costs: {
        stop: { id: string };
        hours: { likely: number };
        jobs: { count: number; starting: number; lost: number };
        dollars: { likely: number };
      }[];
      remedies: unknown[];
      hoursBeforeFirstEpoch: { likely: number };
    };
    expect(found).toMatchObject({ fit: 'fits', target: 'modal', remedies: [] });
    expect(found.vram.total.low).toBeLessThan(found.vram.total.high);
    const all = found.costs.find(({ stop }) => stop.id === 'all');
    // A hundred epochs of 15 minutes and the one that the second job repeats.
    const { starting = NaN, lost = NaN } = all?.jobs ?? {};
    expect(all?.jobs.count).toBe(2);
    expect(starting).toBeCloseTo(2 * found.hoursBeforeFirstEpoch.likely, 10);
    expect(all?.hours.likely).toBeCloseTo(25.25 + starting + lost, 10);
    expect(all?.dollars.likely).toBeCloseTo((25.25 + starting + lost) * 5.59, 8);
  });

  test('a high end beyond the card that fits all the same says why', async () => {
    const config = write(
      'cached.yaml',
      'data: {validation_split: 0.05, num_workers: 0}\nmodel: {}\ntraining: {batch_size: 49, mixed_precision: false}\npostprocessing: {}\n',
    );
    const { out } = await run(config, '--gpu', 'rtx4090', '--ram', '64');
    expect(out).toMatch(/GPU memory +[\d.]+ GiB +[\d.]+ GiB – 2[4-9]\.\d GiB +of 24\.0 GiB/);
    expect(out).toContain('GPU memory: fits.');
    expect(out).toMatch(
      /its high end is more than the card has: PyTorch’s allocator would keep up to 2\d\.\d GiB/,
    );
  });

  test('a card too small for the batch: 3, and a batch that fits it', async () => {
    const config = write(
      'large.yaml',
      'data: {validation_split: 0.05, num_workers: 0}\nmodel: {}\ntraining: {batch_size: 256, mixed_precision: false}\npostprocessing: {}\n',
    );
    const { code, out } = await run(config, '--gpu', 't4', '--ram', '64');
    expect(code).toBe(3);
    const batch = Number(/training\.batch_size: (\d+)/.exec(out)?.[1]);
    expect(batch).toBeGreaterThan(0);
    const smaller = write(
      'smaller.yaml',
      `data: {validation_split: 0.05, num_workers: 0}\nmodel: {}\ntraining: {batch_size: ${batch}, mixed_precision: false}\npostprocessing: {}\n`,
    );
    expect((await run(smaller, '--gpu', 't4', '--ram', '64')).code).toBe(0);
  });

  test('the number of windows moves the hours and nothing of the memory of the card', async () => {
    const ask = async (windows: string) =>
      JSON.parse((await run(A100, '--ram', '48', '--windows', windows, '--json')).out) as {
        hoursPerEpoch: { likely: number };
        validationHoursPerEpoch: { likely: number };
        statisticsHoursPerEpoch: { likely: number };
        vram: { total: unknown };
      };
    const [one, two] = [await ask('20000'), await ask('40000')];
    const training = (found: typeof one): number =>
      found.hoursPerEpoch.likely -
      found.validationHoursPerEpoch.likely -
      found.statisticsHoursPerEpoch.likely;
    expect(training(two)).toBeCloseTo(2 * training(one), 10);
    expect(two.vram.total).toEqual(one.vram.total);
  });

  test.each([
    [[], 'CONFIG is missing'],
    [[A100, 'more.yaml'], 'smokescan estimate takes CONFIG; more.yaml is too much'],
    [[A100, '--gpu', 'b200'], '--gpu is b200; it must be one of t4'],
    [[A100, '--ram=-4'], '--ram is -4; it must be a number above 0'],
    [[A100, '--ram=much'], '--ram is much; it must be a number above 0'],
    [[A100, '--windows', '1.5'], '--windows is 1.5; it must be a whole number above 0'],
    [[A100, '--windows', '1e300'], '--windows is 1e300; it must be a whole number above 0, at most 10000000'],
    [[A100, '--rate', '1e300'], '--rate is 1e300; it must be a number above 0, at most 1000'],
    [[A100, '--rate', '0'], '--rate is 0; it must be a number above 0'],
    [
      [A100, '--hours-per-epoch', '1e300'],
      '--hours-per-epoch is 1e300; it must be a number from 0.01 to 1000',
    ],
    [[A100, '--hours-per-epoch=-1'], '--hours-per-epoch is -1; it must be a number from 0.01 to 1000'],
    [[A100, '--ram', '1e300'], '--ram is 1e300; it must be a number above 0, at most 65536'],
    [[A100, '--gpu', 'h100', '--gpu', 't4'], '--gpu is given 2 times (h100, t4); give it once'],
    [[A100, '--target', 'browser'], '--target is browser; it must be one of local, wsl2, modal'],
    [[A100, '--nonsense'], 'There is no option --nonsense'],
  ])('wrong arguments %j: 2, a sentence and the usage', async (args, sentence) => {
    const { code, out, errors } = await run(...args);
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(errors).toContain(sentence);
    expect(errors).toContain('smokescan estimate --help');
  });

  test('a smoke run is estimated as the launcher limits it, with a cache or without one', async () => {
    const smoke = write('smoke.yaml', readFileSync(preset('modal/smoke_a100.yaml'), 'utf8'));
    const balanced = write(
      'smoke_balanced.yaml',
      readFileSync(smoke, 'utf8').replace('use_balanced_sampling: false', 'use_balanced_sampling: true'),
    );
    const start = async (...args: string[]) => {
      const { code, out } = await run(...args, '--target', 'modal', '--json');
      expect(code).toBe(0);
      return JSON.parse(out) as { hoursBeforeFirstEpoch: { likely: number }; notes: string[] };
    };
    const none = await start(smoke);
    expect(none.notes[0]).toMatch(/^It takes 50 recordings to train on and 10 to validate, of which nothing/);
    const built = await start(smoke, '--cache', 'built');
    expect(built.hoursBeforeFirstEpoch.likely).toBeLessThan(none.hoursBeforeFirstEpoch.likely);
    const fallback = await start(balanced);
    expect(fallback.notes[0]).toContain(
      'falls back to all 3,376 windows, and reads 3,376 of them one by one',
    );
    expect(fallback.hoursBeforeFirstEpoch.likely).toBeGreaterThan(none.hoursBeforeFirstEpoch.likely + 0.5);
    expect((await start(A100, '--ram', '48')).notes.join()).not.toContain('recordings to train on');
  });

  test('a run that validate rejects: 3 and why, whatever fits', async () => {
    const unvalidated = write(
      'split0.yaml',
      readFileSync(A100, 'utf8').replace('validation_split: 0.07', 'validation_split: 0.0'),
    );
    const { code, out } = await run(unvalidated, '--target', 'modal');
    expect(code).toBe(3);
    expect(out).toMatch(/^.*modal: fits, and should not be launched\n {2}high no-validation data\./);
    const json = JSON.parse((await run(unvalidated, '--target', 'modal', '--json')).out) as unknown;
    expect(json).toMatchObject({ fit: 'fits', failing: [{ id: 'no-validation', severity: 'high' }] });
  });

  test('more workers complete a run that they bound: 3, and they are offered here and by validate', async () => {
    const workers = (count: number | string): string =>
      write('workers.yaml', readFileSync(A100, 'utf8').replace('num_workers: 4', `num_workers: ${count}`));
    const on = ['--target', 'modal', '--gpu', 'h100'];
    const { code, out } = await run(workers(0), ...on);
    expect(code).toBe(3);
    const offered = /data\.num_workers: (\d+): an epoch then takes about/.exec(out)?.[1] ?? '';
    expect(out).toMatch(new RegExp(`high never-completes data\\.num_workers: .*write ${offered}\n`));
    const more = await run(workers(offered), ...on);
    expect(more.code).toBe(0);
    expect(more.out).not.toContain('num_workers:');
  });

  test('a run that would be faster with more workers says so', async () => {
    const { out } = await run(preset('local/train.yaml'), '--target', 'local', '--gpu', 'rtx4090');
    expect(out).toMatch(
      /What would be faster:\n {2}data\.num_workers: \d+: an epoch then takes about [\d.]+ h/,
    );
  });

  test('says where the epochs of an early stop come from, and that given hours are less than their parts', async () => {
    const { out } = await run(A100, '--ram', '48', '--hours-per-epoch', '0.5');
    expect(out).toMatch(/61 epochs, stopped early .*61 % of all: the review of 2025-01-19 expects/);
    expect(out).toContain('predicted, not used: validation');
    expect(out).toMatch(/An epoch is taken to last 0\.5 h, as given\..*alone are predicted to take [\d.]+ h/);
  });

  test('a run that no number of jobs completes: 3 and why', async () => {
    const { code, out } = await run(A100, '--ram', '48', '--hours-per-epoch', '13');
    expect(code).toBe(3);
    expect(out).toContain('No number of jobs completes the run: fewer than two epochs fit 24 h.');
  });

  test.each(['cpu', 'mps'])('a run on %s that validate accepts: 4 and why, also as JSON', async (device) => {
    const file = write(
      `${device}.yaml`,
      `data: {validation_split: 0.05}\nmodel: {}\ntraining: {mixed_precision: false, early_stopping: {metric: taes}}\npostprocessing: {}\nexperiment: {device: ${device}}\n`,
    );
    const { code, out, errors } = await run(file, '--target', 'local', '--json');
    expect(code).toBe(4);
    expect(errors).toContain(`cannot be estimated: experiment.device: device ${device} uses no NVIDIA GPU`);
    expect(JSON.parse(out)).toMatchObject({
      fit: null,
      failing: [],
      unpredicted: expect.stringContaining(`device ${device}`) as unknown,
    });
  });

  test('files that cannot be estimated: 1, or 3 where validate rejects them, and why', async () => {
    const cases = [
      [join(folder, 'none.yaml'), 'none.yaml cannot be read: there is no such file', 1],
      [
        write(
          'cpu.yaml',
          'data: {validation_split: 0.05, data_dir: /data/edf/train}\nmodel: {}\ntraining: {mixed_precision: false}\npostprocessing: {}\nexperiment: {device: cpu}\n',
        ),
        'neither memory nor time of such a run is predicted',
        3,
      ],
      [write('torn.yaml', 'data: {num_workers: 0\n'), 'line', 3],
      [write('compose.yaml', 'services: {}\n'), 'it is no configuration of the trainer', 3],
      [
        write('rejected.yaml', 'data: {}\nmodel: {}\ntraining: {batch_size: 1000}\npostprocessing: {}\n'),
        'the trainer rejects it: training.batch_size 1000',
        3,
      ],
      [
        write('text.yaml', 'data: {}\nmodel: {}\ntraining: {epochs: many}\npostprocessing: {}\n'),
        'training.epochs',
        3,
      ],
      [
        write('even.yaml', 'data: {}\nmodel: {mamba: {conv_kernel: 4}}\ntraining: {}\npostprocessing: {}\n'),
        'conv_kernel',
        3,
      ],
    ] as const;
    for (const [file, why, expected] of cases) {
      const { code, errors } = await run(file, '--target', 'modal');
      expect(code, file).toBe(expected);
      expect(errors).toContain(why);
      expect(errors).toMatch(/cannot be (?:estimated|read)/);
    }
  });
});
