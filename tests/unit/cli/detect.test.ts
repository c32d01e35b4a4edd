import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { main } from '../../../src/cli/detect';
import { main as score } from '../../../src/cli/score';
import { memorySource } from '../../../src/eeg/files/bytes';
import { EdfFile } from '../../../src/eeg/files/edf/file';
import { syntheticCorpus } from '../../../src/eeg/synthetic/corpus';
import { untrained } from '../detection/untrained';

let folder: string;
const at = (...names: string[]): string => join(folder, ...names);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'smokescan-detect-'));
  const corpus = { seed: 7, patients: 2, recordingsPerPatient: 1, duration: 120, seizures: 1 };
  for (const { path, bytes } of syntheticCorpus(corpus)) {
    mkdirSync(dirname(at('data', path)), { recursive: true });
    writeFileSync(at('data', path), bytes);
  }
  writeFileSync(at('weights.safetensors'), untrained(9));
  writeFileSync(at('silent.safetensors'), untrained(-9));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function run(
  command: (args: string[]) => Promise<number>,
  ...args: string[]
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

const SYNTH = 'synth000_s001_t000';

test('finds events, writes them in all formats beside their folder, and scores them', async () => {
  const { code, lines } = await run(
    main,
    ...[
      '--weights',
      at('weights.safetensors'),
      '--data',
      at('data'),
      '--out',
      at('out'),
      '--edf',
      '--stride',
      '30',
    ],
  );
  expect(code).toBe(0);
  expect(lines[0]).toMatch(/width 2, 1 layer, convolution: [\d,]+ parameters; 6 windows of 2 recordings/);
  expect(lines.join('\n')).toContain(`synth000/${SYNTH}.edf: 0.0–120.0 s`);
  expect(lines.join('\n')).toContain('SzCORE events');
  expect(readdirSync(at('out')).sort()).toEqual(['scores.json', 'synth000', 'synth001']);
  expect(readdirSync(at('out', 'synth000')).sort()).toEqual([
    `${SYNTH}.predicted.csv_bi`,
    `${SYNTH}.predicted.edf`,
    `${SYNTH}_events.tsv`,
  ]);
  const read = (name: string): string => readFileSync(at('out', 'synth000', name), 'utf8');
  expect(read(`${SYNTH}.predicted.csv_bi`)).toMatch(/^TERM,0.0000,120.0000,seiz,0.999/m);
  expect(read(`${SYNTH}_events.tsv`).split('\n')[1]).toMatch(/^0.00\t120.00\tsz\t0.999/);
  const copy = readFileSync(at('out', 'synth000', `${SYNTH}.predicted.edf`));
  const { events } = await (await EdfFile.open(memorySource(copy), 'copy')).annotations();
  expect(events).toEqual([{ onset: 0, duration: 120, text: 'seizure (detected, confidence 1.00)' }]);
  const scores = JSON.parse(readFileSync(at('out', 'scores.json'), 'utf8')) as Record<string, unknown>;
  expect(scores).toMatchObject({ recordings: 2, events: { predicted: 2 }, trainer: { sensitivity: 1 } });
  // The command score says the same of the files.
  const again = await run(score, at('data'), at('out'), '--json');
  expect(JSON.parse(again.lines[0] ?? '')).toMatchObject({ trainer: scores['trainer'], recordings: 2 });
});

test('overwrites nothing unless asked', async () => {
  const path = at('out', 'synth000', `${SYNTH}.predicted.csv_bi`);
  writeFileSync(path, 'mine');
  const given = ['--weights', at('silent.safetensors'), '--data', at('data'), '--stride', '60'];
  const { code, errors } = await run(main, ...given, '--out', at('out'));
  expect(code).toBe(2);
  expect(errors.join('\n')).toMatch(
    /has scores.json, synth000.* and 2 more already, which would be overwritten/,
  );
  expect(readFileSync(path, 'utf8')).toBe('mine');
  expect((await run(main, ...given, '--out', at('out'), '--overwrite')).code).toBe(0);
  expect(readFileSync(path, 'utf8')).toContain('# version');
});

test('keeps nothing unless asked, and tells all as JSON', async () => {
  const before = readdirSync(folder);
  const { code, lines } = await run(
    main,
    ...['--weights', at('silent.safetensors'), '--data', at('data'), '--json', '--stride', '60'],
  );
  expect(code).toBe(0);
  const events = lines.map((line) => JSON.parse(line) as { type: string; predicted?: unknown[] });
  expect(events.filter(({ type }) => type === 'detected').map(({ predicted }) => predicted)).toEqual([
    [],
    [],
  ]);
  expect(events.at(-1)).toMatchObject({ type: 'finished', reason: 'completed' });
  expect(events.find(({ type }) => type === 'planned')).toMatchObject({ windows: 4, leftOut: [] });
  expect(readdirSync(folder)).toEqual(before);
});

test('names what is too short, and continues with the others', async () => {
  const short = { seed: 9, patients: 1, recordingsPerPatient: 1, duration: 30, seizures: 0 };
  mkdirSync(at('mixed'));
  for (const { path, bytes } of syntheticCorpus(short))
    writeFileSync(at('mixed', path.replace(/^.*\//, 'short')), bytes);
  writeFileSync(at('mixed', 'b.edf'), readFileSync(at('data', 'synth000', `${SYNTH}.edf`)));
  const { code, lines, errors } = await run(
    main,
    ...['--weights', at('silent.safetensors'), '--data', at('mixed'), '--stride', '60'],
  );
  expect(code).toBe(1);
  expect(errors.join('\n')).toMatch(/left out: short.*\.edf: it has 30 s, and a window takes 60 s/);
  expect(lines.join('\n')).toContain('b.edf: no seizure');
});

test('a link to a recording that is not there is told, and ends with 1', async () => {
  mkdirSync(at('links'));
  writeFileSync(at('links', 'a.edf'), readFileSync(at('data', 'synth000', `${SYNTH}.edf`)));
  symlinkSync('nowhere', at('links', 'b.edf'));
  const { code, errors } = await run(
    main,
    ...['--weights', at('silent.safetensors'), '--data', at('links'), '--stride', '60'],
  );
  expect(code).toBe(1);
  expect(errors.join('\n')).toMatch(/b\.edf is a link to a file that is not there/);
});

test('events whose name would be too long are told, and the others written', async () => {
  const bytes = readFileSync(at('data', 'synth000', `${SYNTH}.edf`));
  mkdirSync(at('long'));
  for (const name of ['a'.repeat(245), 'b']) writeFileSync(at('long', `${name}.edf`), bytes);
  const { code, errors } = await run(
    main,
    ...['--weights', at('weights.safetensors'), '--data', at('long'), '--out', at('outlong')],
    ...['--stride', '60'],
  );
  expect(code).toBe(1);
  expect(errors.join('\n')).toMatch(
    /a\.edf: its events are not written: the name is too long; use a shorter one/,
  );
  expect(readdirSync(at('outlong')).sort()).toEqual(['b.predicted.csv_bi', 'b_events.tsv']);
});

test('ends where it cannot write, with the reason', async () => {
  mkdirSync(at('taken'));
  writeFileSync(at('taken', 'synth000'), 'a file');
  const { code, errors } = await run(
    main,
    ...['--weights', at('weights.safetensors'), '--data', at('data'), '--out', at('taken'), '--stride', '60'],
  );
  expect(code).toBe(2);
  expect(errors.join('\n')).toMatch(
    /taken.synth000 is a file where a folder is needed; give another folder$/m,
  );
  expect(errors.join('\n')).not.toContain('Reload');
});

test.each([
  ['while it prepares', 0, 'Stopped before anything was done; nothing was kept.'],
  ['after the batch that is under way', 2, '"type":"finished","reason":"stopped"'],
] as const)('a signal stops it %s', async (_, lines, said) => {
  const running = run(
    main,
    ...['--weights', at('weights.safetensors'), '--data', at('data'), '--out', at('stopped'), '--json'],
  );
  const printed = vi.mocked(console.log).mock.calls;
  while (process.listenerCount('SIGINT') === 0 || printed.length < lines)
    await new Promise((resolve) => setTimeout(resolve, 5));
  process.emit('SIGINT');
  const ended = await running;
  expect(ended.code).toBe(1);
  expect([...ended.lines, ...ended.errors].join('\n')).toContain(said);
  expect(existsSync(at('stopped'))).toBe(false);
});

test.each<[string[], number, RegExp]>([
  [[], 2, /--weights is missing/],
  [['--weights', 'w.pt'], 2, /--data is missing/],
  [['--weights', 'w.pt', '--data', 'd', '--stride', '0'], 2, /--stride is 0/],
  [['--weights', 'w.pt', '--data', 'd', '--mixer', 'lstm'], 2, /must be one of mamba2, conv/],
  [['--weights', 'w.pt', '--data', 'd', '--edf'], 2, /--edf needs --out/],
  [['--weights', '/no/such.pt', '--data', '.'], 1, /there is no such file as \/no\/such.pt/],
  [['--weights', 'package.json', '--data', '.'], 1, /package.json: the file is neither PyTorch’s/],
])('%j is told', async (args, code, message) => {
  const result = await run(main, ...args);
  expect(result.code).toBe(code);
  expect(result.errors.join('\n')).toMatch(message);
});

test('does not write among the recordings, where labels lie', async () => {
  for (const out of [at('data'), at('data', 'found')]) {
    const { code, errors } = await run(
      main,
      ...['--weights', at('weights.safetensors'), '--data', at('data'), '--out', out],
    );
    expect(code).toBe(2);
    expect(errors.join('\n')).toMatch(/--out is (the folder|within the folder) of the recordings/);
  }
});

test('a file in the way of --out, and one that is no configuration, are told before anything is detected', async () => {
  const weights = at('weights.safetensors');
  const given = ['--weights', weights, '--data', at('data')];
  const inFile = await run(main, ...given, '--out', join(weights, 'out'));
  expect(inFile.code).toBe(2);
  expect(inFile.errors.join('\n')).toMatch(/weights.safetensors is a file; give a folder as --out/);
  const noConfig = await run(main, ...given, '--config', weights);
  expect(noConfig.code).toBe(1);
  expect(noConfig.errors.join('\n')).toMatch(/it is not UTF-8/);
});
