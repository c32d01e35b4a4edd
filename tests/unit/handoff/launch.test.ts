/** The printed commands, run in their order against a stub of the trainer's command line and of Modal's client. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { applyChanges } from '../../../src/config/edit';
import { TARGETS, type Platform } from '../../../src/config/targets';
import { bundleOf } from '../../../src/handoff/bundle';
import { commandsFor } from '../../../src/handoff/commands';

const python = spawnSync('/usr/bin/python3', ['--version']).status === 0;
const RECORDINGS = 40;

const config = (path: string): string =>
  readFileSync(join(import.meta.dirname, '../../../configs', path), 'utf8');

/** The programs of PATH: both hand their command to the stub, and print and end as it says. */
const CLIENT = `#!/bin/bash
exec 3<>"/dev/tcp/127.0.0.1/$STUB_PORT"
printf '%s\\0' "$PWD" "\${BGB_LIMIT_FILES-}" "\${0##*/}" "$@" $'\\1' >&3
IFS= read -r code <&3
IFS= read -r -d $'\\1' out <&3
IFS= read -r -d '' err <&3
printf '%s' "$out"
printf '%s' "$err" >&2
exit "$code"
`;

const stub = spawn(process.execPath, [join(import.meta.dirname, 'trainer.mjs')], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
let port = '';
beforeAll(async () => {
  port = String((await once(stub.stdout, 'data'))[0]).trim();
});
afterAll(() => void stub.kill());

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'launch-'));
  for (const name of ['python', 'modal']) {
    put(`bin/${name}`, CLIENT);
    chmodSync(join(root, 'bin', name), 0o755);
  }
});
afterEach(() => rmSync(root, { recursive: true }));

function put(path: string, text: string): void {
  const whole = join(root, path);
  mkdirSync(dirname(whole), { recursive: true });
  writeFileSync(whole, text);
}

const name = (i: number): string => `aaaaa${String(i).padStart(3, '0')}_s001_t000`;

/** A corpus in which every third recording seizes, and none of the first six. */
function corpus(folder: string, recordings = RECORDINGS): void {
  for (let i = 0; i < recordings; i++) {
    const path = `${folder}/aaaaa${String(i).padStart(3, '0')}/s001_2012/01_tcp_ar/${name(i)}`;
    put(`${path}.edf`, '');
    put(
      `${path}.csv`,
      `channel,start_time,stop_time,label,confidence\nFP1-F7,0.0,9.0,${i > 5 && i % 3 === 0 ? 'fnsz' : 'bckg'},1.0\n`,
    );
  }
}

interface Ran {
  readonly trained: readonly string[];
  readonly validated: readonly string[];
  readonly resume: boolean;
}

const ranIn = (folder: string): Ran =>
  JSON.parse(readFileSync(join(root, folder, 'checkpoints/last.pt'), 'utf8')) as Ran;

const ENV = { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b', WANDB_API_KEY: 'c', APP_ID: 'ap-1' };

function run(script: string, steps: readonly string[]) {
  return spawnSync('bash', [script, ...steps], {
    cwd: root,
    encoding: 'utf8',
    env: {
      PATH: `${join(root, 'bin')}:${process.env['PATH'] ?? ''}`,
      STUB_PORT: port,
      TUSZ: 'data_ext4/tusz/edf/train',
      ...ENV,
    },
  });
}

/** Writes the bundle of a configuration and runs its steps; the output folder must then say what was trained. */
function launch(
  path: string,
  platform: Platform,
  text: string,
  without: readonly string[] = [],
): ReturnType<typeof run> {
  const one = { name: `configs/${path}`, text, target: TARGETS[platform] };
  for (const file of bundleOf([one])) put(file.path, file.text);
  const steps = commandsFor(one).map(({ id }) => id);
  return run(
    'commands.sh',
    steps.filter((id) => !without.includes(id)),
  );
}

const withSplit = (text: string, split: number): string =>
  applyChanges(text, [{ path: 'data.validation_split', value: String(split), reason: '' }]);

const emptyManifests = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true })
    .map(String)
    .filter((file) => file.endsWith('manifest.json'))
    .filter((file) => !readFileSync(join(root, folder, file), 'utf8').includes('"partial":["'));

const all = Array.from({ length: RECORDINGS }, (_, i) => name(i));

test.skipIf(!python).each([0.2, 0.4])('every step on a machine of one’s own, split %d', (split) => {
  corpus('data_ext4/tusz/edf/train');
  const { status, stderr } = launch(
    'local/train.yaml',
    'wsl2',
    withSplit(config('local/train.yaml'), split),
    ['memory'],
  );
  expect(stderr).toBe('');
  expect(status).toBe(0);
  const held = Math.floor(RECORDINGS * split);
  expect(ranIn('results/tusz_wsl2_100ep')).toMatchObject({
    trained: all.slice(held),
    validated: all.slice(0, held),
    resume: true,
  });
  const smoke = ranIn('results/smoke');
  expect([smoke.trained.length, smoke.validated.length]).toEqual([10 * (1 - split), 10 * split]);
  expect(emptyManifests('cache')).toEqual([]);
});

test.skipIf(!python)('every step on Modal', () => {
  corpus('data/edf/train');
  const { status, stderr } = launch(
    'modal/train_a100.yaml',
    'modal',
    withSplit(config('modal/train_a100.yaml'), 0.25),
  );
  expect(stderr).toBe('');
  expect(status).toBe(0);
  expect(ranIn('results/tusz_a100_100ep')).toMatchObject({
    trained: all.slice(10),
    validated: all.slice(0, 10),
    resume: true,
  });
  expect(ranIn('results/smoke').validated.length).toBeGreaterThan(0);
  expect(existsSync(join(root, 'results/cache/smoke/train/manifest.json'))).toBe(false);
  expect(emptyManifests('results')).toEqual([]);
});

test.skipIf(!python)('a smoke configuration by itself, and a cache of another split', () => {
  corpus('data_ext4/tusz/edf/train');
  expect(launch('local/smoke.yaml', 'local', config('local/smoke.yaml'))).toMatchObject({
    status: 0,
    stderr: '',
  });
  const text = withSplit(config('local/train.yaml'), 0.2);
  expect(launch('local/train.yaml', 'local', text).status).toBe(0);
  const other = launch('local/train.yaml', 'local', withSplit(text, 0.4));
  expect([other.status, other.stdout]).toEqual([
    1,
    expect.stringContaining('8 validation recordings lie in the training cache'),
  ]);
  // A smaller split only adds recordings.
  expect(launch('local/train.yaml', 'local', withSplit(text, 0.15)).status).toBe(0);
  expect(ranIn('results/tusz_wsl2_100ep').trained).toEqual(all.slice(6));
});

test.skipIf(!python)(
  'a smoke run without enough recordings, or in the folder of others, is not started',
  () => {
    const [text, folder] = [withSplit(config('local/train.yaml'), 0.4), 'data_ext4/tusz'];
    corpus(`${folder}/edf/train`, 12);
    const few = launch('local/train.yaml', 'local', text);
    expect([few.status, few.stdout]).toEqual([1, '']);
    expect(readdirSync(join(root, folder, 'smoke')).filter((file) => file.endsWith('.edf'))).toHaveLength(2);
    expect(existsSync(join(root, 'cache'))).toBe(false);
    corpus(`${folder}/edf/train`, 22);
    expect(launch('local/train.yaml', 'local', text).status).toBe(0);
    const into = config('local/smoke.yaml').replace(`${folder}/smoke`, `${folder}/edf/train`);
    const other = launch('local/smoke.yaml', 'local', into);
    expect([other.status, other.stdout]).toEqual([1, expect.stringContaining(name(0))]);
    expect(readdirSync(join(root, folder, 'edf/train')).filter((file) => /^\w+\.edf$/.test(file))).toEqual(
      [],
    );
  },
);

test.skipIf(!python)('without its folder, the launcher takes the mount', () => {
  corpus('data/edf');
  put('step.sh', '"$@"\n');
  put('configs/a.yaml', config('modal/train_a100.yaml'));
  const app = 'modal run deploy/modal/app.py --config configs/a.yaml';
  expect(run('step.sh', app.split(' '))).toMatchObject({ status: 0, stderr: '' });
  expect(ranIn('results/tusz_a100_100ep').validated).toEqual(all.slice(0, 2));
});

test.skipIf(!python)('the stub is as strict as the originals', () => {
  corpus('data/edf/train');
  put('step.sh', '"$@"\n');
  const codeOf = (command: string): number | null => run('step.sh', command.split(' ')).status;
  put('configs/a.yaml', config('local/train.yaml'));
  expect(codeOf('modal run deploy/modal/app.py --detach --config configs/a.yaml')).toBe(2);
  expect(codeOf('modal run --detach deploy/modal/app.py --config configs/a.yaml --resume true')).toBe(2);
  // With these the trainer itself ends so.
  for (const [command, code] of [
    ['validate configs/none.yaml', 1],
    ['validate', 1],
    ['validate configs/a.yaml --phase x', 1],
    ['train --foo configs/a.yaml', 1],
    ['train configs/a.yaml --resume=true', 1],
    ['train configs/a.yaml --device tpu', 1],
    ['build-cache --data-dir none --cache-dir c', 1],
    ['build-cache --data-dir', 1],
    ['build-cache --data-dir data --cache-dir c extra', 1],
    ['build-cache --data-dir data --cache-dir c --split test', 1],
    ['build-cache --data-dir data --cache-dir c --validation-split x', 1],
    ['build-cache --data-dir data --cache-dir c --validation-split 0.6', 1],
    ['build-cache --data-dir configs --cache-dir c', 2],
    ['build-cache --data-dir data --cache-dir c --validation-split 0.1 --split val', 2],
    ['scan-cache', 1],
    ['scan-cache --cache-dir none', 1],
    ['fly', 1],
  ] as const)
    expect([command, codeOf(`python -m src ${command}`)]).toEqual([command, code]);
  expect(codeOf('modal volume get brain-go-brr-results none/best.pt')).toBe(1);
});
