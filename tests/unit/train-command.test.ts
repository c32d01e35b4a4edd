import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { parse } from '../../src/checkpoints/safetensors';
import { exitCodeOf, main } from '../../src/cli/train';
import { main as validate } from '../../src/cli/validate';
import { syntheticCorpus } from '../../src/data/synthetic/corpus';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'smokescan-train-'));
  const corpus = { seed: 7, patients: 3, recordingsPerPatient: 1, duration: 120, seizures: 1 };
  for (const { path, bytes } of syntheticCorpus(corpus)) {
    const file = join(folder, 'edf', path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bytes);
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

const run = (...args: string[]) => capture(main, args);

async function capture(
  command: (args: string[]) => Promise<number>,
  args: string[],
): Promise<{ code: number; lines: string[]; errors: string[] }> {
  const log = vi.spyOn(console, 'log').mockReturnValue(undefined);
  const error = vi.spyOn(console, 'error').mockReturnValue(undefined);
  try {
    const code = await command(args);
    return { code, lines: log.mock.calls.map(String), errors: error.mock.calls.map(String) };
  } finally {
    log.mockRestore();
    error.mockRestore();
  }
}

const SMALL = [
  '--width',
  '2',
  '--layers',
  '1',
  '--mixer',
  'conv',
  '--epochs',
  '1',
  '--steps',
  '2',
  '--batch',
  '1',
];

describe('the command train', () => {
  test('trains on a folder and leaves weights, scores and events', async () => {
    const config = join(folder, 'config.yaml');
    writeFileSync(
      config,
      'data: {validation_split: 0.4}\nmodel: {}\ntraining: {learning_rate: 3e-4, loss: focal, early_stopping: {metric: auroc}}\npostprocessing: {}\n',
    );
    const out = join(folder, 'out');
    const data = join(folder, 'edf');
    const { code, lines, errors } = await run(config, '--data', data, ...SMALL, '--out', out, '--json');
    expect(errors).toEqual([]);
    expect(code).toBe(0);
    const events = lines.map((line) => JSON.parse(line) as { type: string });
    expect(events.map(({ type }) => type)).toContain('validated');
    expect(events.at(-1)).toMatchObject({ type: 'finished', reason: 'completed', steps: 2 });
    expect(readdirSync(out).sort()).toEqual([
      'best.pt',
      'last.pt',
      'scores.json',
      'synth000_s001_t000.predicted.csv_bi',
      'weights.safetensors',
    ]);
    const { tensors, metadata } = parse(new Uint8Array(readFileSync(join(out, 'weights.safetensors'))));
    expect(tensors.get('encoder.input_conv.conv.weight')?.shape).toEqual([2, 19, 7]);
    expect(tensors.get('encoder.input_conv.bn.running_var')?.shape).toEqual([2]);
    expect(JSON.parse(metadata['config'] ?? '')).toMatchObject({ baseChannels: 2, mixer: 'conv' });
    expect(JSON.parse(readFileSync(join(out, 'scores.json'), 'utf8'))).toMatchObject({ epoch: 1, step: 2 });
  });

  test.each([
    [['--data', '/does/not/exist'], 1, /ENOENT/],
    [['--width', 'wide'], 2, '--width is wide, not a number'],
    [['--mixer', 'lstm'], 2, '--mixer is lstm; it is mamba2 or conv'],
    [['--speed', '9'], 2, /Unknown option '--speed'[^]*Usage/],
    [['missing.yaml'], 1, /ENOENT/],
  ] as const)('answers %o with exit code %i and a sentence', async (args, want, message) => {
    const { code, errors } = await run(...args);
    expect(code).toBe(want);
    expect(errors.join('\n')).toMatch(message);
  });

  test('a configuration that production refuses is refused in the words of validate', async () => {
    const config = join(folder, 'refused.yaml');
    writeFileSync(
      config,
      'data: {}\nmodel: {}\ntraining:\n  batch_size: 300\n  early_stopping: {patience: maybe}\npostprocessing: {}\n',
    );
    const { code, errors } = await run(config, ...SMALL);
    const validated = await capture(validate, [config]);
    expect(code).toBe(1);
    expect(errors.join('\n').split('\n')).toEqual(validated.lines.filter((line) => line.includes(' R ')));
    expect(errors.join('\n')).toContain(`${config}:4:15 R invalid training.batch_size`);
  });

  test.each([
    [{ type: 'finished', reason: 'completed', steps: 2, seconds: 1 }, 0],
    [{ type: 'finished', reason: 'early-stopping', steps: 2, seconds: 1 }, 0],
    [{ type: 'finished', reason: 'stopped', steps: 2, seconds: 1 }, 0],
    [{ type: 'finished', reason: 'collapse', steps: 2, seconds: 1 }, 1],
    [{ type: 'failed', failure: { kind: 'not-finite', message: '', advice: '' }, suggestions: [] }, 1],
    [undefined, 1],
  ] as const)('ends with the exit code of its last event: %o', (event, code) => {
    expect(exitCodeOf(event)).toBe(code);
  });

  test('a folder whose recordings are all refused ends with 1 and says why', async () => {
    const data = join(folder, 'bad');
    mkdirSync(data);
    writeFileSync(join(data, 'broken.edf'), Buffer.alloc(500));
    const { code, errors } = await run('--data', data, ...SMALL);
    expect(code).toBe(1);
    expect(errors[0]).toMatch(/^refused: broken\.edf/);
  });
});
