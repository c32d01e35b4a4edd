import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { parse } from '../../../src/checkpoints/safetensors';
import { exitCodeOf, main } from '../../../src/cli/train';
import { runCommand } from '../../../src/cli/command_line';
import { COMMAND, givenBy } from '../../../src/cli/train_options';
import { main as validate } from '../../../src/cli/validate';
import { syntheticCorpus } from '../../../src/eeg/synthetic/corpus';
import { readEventFile } from '../../../src/training/logs/event_file';
import { logOf, STEP_LOSS } from '../../../src/training/logs/log';
import { readMetricsJsonl } from '../../../src/training/logs/metrics_files';
import type { Scores } from '../../../src/training/protocol';
import { checkSettings } from '../../../src/training/settings';
import { FULL } from '../../full';

/** Steps of a run of two epochs, the step whose state is saved, the first of the second epoch, and the recordings of the run. */
const [STEPS, KEPT, RECORDINGS] = FULL
  ? [20, 15, { seed: 7, duration: 120 }]
  : // The shortest that all have a seizure.
    [6, 5, { seed: 17, duration: 75 }];

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../../..');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'smokescan-train-'));
  const corpus = { ...RECORDINGS, patients: 3, recordingsPerPatient: 1, seizures: 1 };
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

const TWO_EPOCHS = [
  ...['--width', '2', '--layers', '1', '--mixer', 'conv', '--batch', '1', '--stride', '60'],
  ...['--epochs', '40', '--steps', `${STEPS}`, '--every', `${KEPT}`, '--json'],
];

/** Paths of the files below a folder, within it. */
const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .sort();

/** The files of a run's folder, with their contents. */
const contents = (out: string): Map<string, string> =>
  new Map(filesBelow(out).map((name) => [name, readFileSync(join(out, name), 'latin1')]));

interface Line {
  type: string;
  step?: number;
  metrics?: { step: number[]; loss: number[]; gradientNorm: number[] };
}

const eventsOf = (lines: readonly string[]) => lines.map((line) => JSON.parse(line) as Line);

/** [step, loss, gradient's norm] of each step that was reported. */
const stepsOf = (events: readonly Line[]) =>
  events.flatMap(({ metrics }) =>
    metrics ? metrics.step.map((step, i) => [step, metrics.loss[i], metrics.gradientNorm[i]]) : [],
  );

/** Runs the command in a process of its own, which is killed as soon as it reports that the state of `step` is saved. */
async function killedAt(step: number, args: readonly string[]): Promise<Line[]> {
  const child = spawn(process.execPath, [join(ROOT, 'src/cli/run.mjs'), 'train', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const events: Line[] = [];
  for await (const line of createInterface(child.stdout)) {
    const [event] = eventsOf([line]);
    if (event) events.push(event);
    if (event?.type === 'saved' && event.step === step) child.kill('SIGKILL');
  }
  expect(child.signalCode ?? (await once(child, 'exit'))[1]).toBe('SIGKILL');
  return events;
}

describe('the command train', () => {
  let config: string;
  let data: string;
  let unbroken: { out: string; events: Line[] };
  beforeAll(() => {
    config = join(folder, 'config.yaml');
    data = join(folder, 'edf');
    writeFileSync(
      config,
      'data: {validation_split: 0.4}\nmodel: {}\ntraining: {mixed_precision: false, learning_rate: 3e-4, loss: focal, early_stopping: {metric: auroc}}\npostprocessing: {}\n',
    );
  });

  test('trains on a folder and leaves weights, states, scores and events', async () => {
    const out = join(folder, 'out');
    const { code, lines, errors } = await run(config, '--data', data, ...TWO_EPOCHS, '--out', out);
    expect(errors).toEqual([]);
    expect(code).toBe(0);
    const events = eventsOf(lines);
    unbroken = { out, events };
    expect(events.map(({ type }) => type)).toContain('validated');
    expect(events.at(-1)).toMatchObject({ type: 'finished', reason: 'completed', steps: STEPS });
    expect(filesBelow(out)).toEqual([
      'best.pt',
      'best.state.safetensors',
      'config.yaml',
      'events.out.tfevents.0000000000.smokescan',
      'last.pt',
      'last.state.safetensors',
      'metrics.csv',
      'metrics.jsonl',
      'previous.state.safetensors',
      'schema.json',
      'scores.json',
      'synth000/synth000_s001_t000.predicted.csv_bi',
      'weights.safetensors',
    ]);
    const { tensors, metadata } = parse(new Uint8Array(readFileSync(join(out, 'weights.safetensors'))));
    expect(tensors.get('encoder.input_conv.conv.weight')?.shape).toEqual([2, 19, 7]);
    expect(tensors.get('encoder.input_conv.bn.running_var')?.shape).toEqual([2]);
    expect(JSON.parse(metadata['config'] ?? '')).toMatchObject({ baseChannels: 2, mixer: 'conv' });
    const { scores } = JSON.parse(readFileSync(join(out, 'scores.json'), 'utf8')) as { scores: Scores };
    const rows = readMetricsJsonl(readFileSync(join(out, 'metrics.jsonl'), 'utf8'), 'metrics.jsonl');
    expect(rows.map(({ step, values }) => [step, values[STEP_LOSS]])).toEqual(
      stepsOf(events).map(([step, loss]) => [step, loss]),
    );
    expect(rows.at(-1)).toMatchObject({ step: STEPS, epoch: 1, values: { 'Metrics/TAES': scores.taes } });
    const file = readFileSync(join(out, 'events.out.tfevents.0000000000.smokescan'));
    expect([...readEventFile(file, 'events').log.keys()]).toEqual([...logOf(rows).keys()]);
    const read = await runCommand(COMMAND, [join(out, 'config.yaml')], async (asked) => {
      const { settings } = await givenBy(asked);
      expect(settings).toMatchObject({ learningRate: 3e-4, loss: 'focal', validationSplit: 0.4 });
      return 0;
    });
    expect(read).toBe(0);
  });

  test('killed in its second epoch and resumed it takes the other steps as if nothing had happened, to the bit', async () => {
    const out = join(folder, 'killed');
    const before = await killedAt(KEPT, [config, '--data', data, ...TWO_EPOCHS, '--out', out]);
    expect([...contents(out).keys()]).toEqual([
      '.smokescan.lock',
      'best.state.safetensors',
      'last.state.safetensors',
      'metrics.jsonl',
      'previous.state.safetensors',
    ]);
    // A saved state is not overwritten.
    const again = await run(config, '--data', data, ...TWO_EPOCHS, '--out', out);
    expect(again.code).toBe(2);
    expect(again.errors).toEqual([
      `--out ${out} has the state of a run, of step ${KEPT}: resume it with --resume, or give another folder`,
    ]);
    // With all of its arguments or with none; not with others.
    const other = await run(
      config,
      '--data',
      data,
      ...TWO_EPOCHS,
      '--rate',
      '0.01',
      '--out',
      out,
      '--resume',
    );
    expect(other.code).toBe(2);
    expect(other.errors.join()).toMatch(
      /its learningRate is 0.0003, the arguments say 0.01. Give all .* or none/,
    );
    const { code, lines, errors } = await run('--data', data, '--out', out, '--resume', '--json');
    expect(errors).toEqual([]);
    expect(code).toBe(0);
    const after = eventsOf(lines);
    expect(after).toContainEqual({ type: 'continuing', step: KEPT });
    const steps = stepsOf(unbroken.events);
    expect(steps).toHaveLength(STEPS);
    expect(stepsOf(after)).toEqual(steps.slice(KEPT));
    const known = stepsOf(before);
    expect(known).toEqual(steps.slice(0, known.length));
    expect(after.filter(({ type }) => type === 'validated')).toEqual(
      unbroken.events.filter(({ type, step = 0 }) => type === 'validated' && step > KEPT),
    );
    // Weights, moments, running statistics, where it stood, scores and predicted events.
    const [files, expected] = [contents(out), contents(unbroken.out)];
    expect([...files.keys()]).toEqual([...expected.keys()]);
    for (const [name, content] of files) expect(content === expected.get(name), name).toBe(true);
  });

  test('resumed once it has ended, it writes what is missing, to the byte', async () => {
    const { out } = unbroken;
    const expected = contents(out);
    for (const name of expected.keys())
      if (!name.includes('.state.') && name !== 'metrics.jsonl') rmSync(join(out, name));
    const { code, errors } = await run('--data', data, '--out', out, '--resume', '--json');
    expect(errors).toEqual([]);
    expect(code).toBe(0);
    expect(contents(out)).toEqual(expected);
  });

  test('files that are not of the run are named before it trains, and stay', async () => {
    const out = join(folder, 'foreign');
    mkdirSync(join(out, 'synth000'), { recursive: true });
    writeFileSync(join(out, 'synth000', 'synth000_s001_t000.predicted.csv_bi'), 'mine');
    writeFileSync(join(out, 'best.pt'), 'mine');
    const { code, errors, lines } = await run('--data', data, ...SMALL, '--out', out, '--json');
    expect(code).toBe(2);
    expect(errors.join('\n')).toMatch(
      /has best.pt, synth000\/synth000_s001_t000.predicted.csv_bi already, which would be overwritten/,
    );
    expect(eventsOf(lines).map(({ type }) => type)).toEqual(['opened']);
    expect([...contents(out).values()]).toEqual(['mine', 'mine']);
  });

  test('a state that is not whole is named, and the one before it is resumed from', async () => {
    const path = join(folder, 'killed', 'last.state.safetensors');
    const bytes = readFileSync(path);
    bytes[bytes.length - 5] = (bytes[bytes.length - 5] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    // The best state may be as new as the damaged one.
    rmSync(join(dirname(path), 'best.state.safetensors'));
    const other = join(folder, 'other');
    mkdirSync(other);
    const { code, lines, errors } = await run('--data', other, '--out', dirname(path), '--resume');
    expect(code).toBe(1);
    expect(errors).toEqual([
      `${path} is not whole: the file is damaged: its contents do not have the checksum that it was written with. The run resumes from the state of step ${KEPT}.`,
      'No recordings (.edf, .bdf) are in the folder; give the folder that holds them with --data.',
    ]);
    expect(lines).toEqual([]);
  });

  test.each([
    [['--data', '/does/not/exist'], 1, 'there is no such folder as /does/not/exist'],
    [
      ['--width', 'wide'],
      2,
      '--width is wide; it must be a whole number from 2 to 256, a multiple of 2, or auto',
    ],
    [['--mixer', 'lstm'], 2, '--mixer is lstm; it must be one of mamba2, conv'],
    [['--epoch', '9'], 2, /There is no option --epoch; the nearest is --epochs[^]*--help/],
    [['missing.yaml'], 1, 'missing.yaml cannot be read: there is no such file or folder; check the path'],
    [['configs/local/trian.yml'], 1, 'or folder; the nearest is configs/local/train.yaml'],
    [['tests'], 1, 'tests cannot be read: this is a folder; give a file'],
    [['package.json/a.yaml'], 1, 'a part of this path is a file'],
    [['--out', 'package.json/out'], 2, 'package.json is a file; give a folder as --out'],
    [['--out', 'package.json', '--resume'], 2, 'package.json is a file; give a folder as --out'],
    [['--data', 'configs'], 1, 'No recordings (.edf, .bdf) are in the folder'],
    [['--epochs', '0'], 2, '--epochs is 0; it must be a whole number from 1 to 200'],
    [['--resume'], 2, '--resume needs --out'],
    [['--every', '5'], 2, '--every needs --out'],
    [['--limit', '0'], 2, '--limit is 0; it must be a whole number from 1'],
    [['a.yaml', 'b.yaml'], 2, /takes \[CONFIG\]; b.yaml is too much[^]*--help/],
    [['--resume', '--out', '/does/not/exist'], 2, 'has no last.state.safetensors to resume from'],
  ] as const)('answers %o with exit code %i and a sentence', async (args, want, message) => {
    const { code, errors } = await run(...args);
    expect(code).toBe(want);
    expect(errors.join('\n')).toMatch(message);
  });

  test.each(['prefetch_factor: 65', 'prefetch_factor: 1000'])(
    'takes what the trainer takes: %s',
    async (line) => {
      const path = join(folder, 'prefetch.yaml');
      writeFileSync(path, `data: {${line}}\nmodel: {}\ntraining: {}\npostprocessing: {}\n`);
      const code = await runCommand(COMMAND, [path], async (asked) => {
        const { settings } = await givenBy(asked);
        checkSettings(settings);
        expect(`prefetch_factor: ${settings.prefetch}`).toBe(line);
        return 0;
      });
      expect(code).toBe(0);
    },
  );

  test('lists in its help each option that sets a setting', async () => {
    const { code, lines } = await run('--help');
    expect(code).toBe(0);
    for (const option of [
      'width N|auto',
      'mixer mamba2|conv',
      'precision float32|float16',
      'rate R',
      'steps N',
    ])
      expect(lines.join('\n')).toContain(`  --${option} `);
  });

  test('a configuration that the trainer rejects is rejected in the words of validate', async () => {
    const config = join(folder, 'rejected.yaml');
    writeFileSync(
      config,
      'data: {}\nmodel: {}\ntraining:\n  batch_size: 300\n  early_stopping: {patience: maybe}\npostprocessing: {}\n',
    );
    const { code, errors } = await run(config, ...SMALL);
    const validated = await capture(validate, [config]);
    expect(code).toBe(1);
    expect(errors.join('\n').split('\n')).toEqual(
      validated.lines.filter((line) => line.includes(' invalid ')),
    );
    expect(errors.join('\n')).toContain(`${config}:4:15 invalid validation-error training.batch_size`);
  });

  test.each([
    [{ type: 'finished', reason: 'completed', steps: 2, seconds: 1 }, 0],
    [{ type: 'finished', reason: 'early-stopping', steps: 2, seconds: 1 }, 0],
    [{ type: 'finished', reason: 'stopped', steps: 2, seconds: 1 }, 1],
    [{ type: 'finished', reason: 'collapse', steps: 2, seconds: 1 }, 1],
    [{ type: 'failed', failure: { kind: 'not-finite', message: '', advice: '' }, suggestions: [] }, 1],
    [undefined, 1],
  ] as const)('ends with the exit code of its last event: %o', (event, code) => {
    expect(exitCodeOf(event)).toBe(code);
  });

  test('a folder whose recordings are all skipped ends with 1 and says why', async () => {
    const data = join(folder, 'bad');
    mkdirSync(data);
    writeFileSync(join(data, 'broken.edf'), Buffer.alloc(500));
    const { code, errors } = await run('--data', data, ...SMALL);
    expect(code).toBe(1);
    expect(errors[0]).toMatch(/^skipped: broken\.edf/);
  });
});
