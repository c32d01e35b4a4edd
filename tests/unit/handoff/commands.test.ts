import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { commandsFor, scriptFor, type LaunchConfig } from '../../../src/handoff/commands';
import { exactly } from '../../../src/base/quantity';
import { planJobs } from '../../../src/config/launches';
import { pathWord, shellWord } from '../../../src/handoff/shell';
import { readConfig } from '../../../src/config/settings';
import { TARGETS } from '../../../src/config/targets';
import { forecast, planFor } from '../../../src/estimate/forecast';
import { FULL } from '../../full';

const read = (path: string): string =>
  readFileSync(join(import.meta.dirname, '../../../configs', path), 'utf8');

const NASTY = [
  'configs/plain.yaml',
  'configs/with space.yaml',
  "configs/it's.yaml",
  'configs/"double".yaml',
  'configs/$HOME/$(date)/`id`.yaml',
  'configs/back\\slash\\.yaml',
  '-rf.yaml',
  '--resume',
  'configs/Müller/脑电图/🧠.yaml',
  'configs/‘curly’ “quotes”.yaml',
  'configs/new\nline.yaml',
  'configs/tab\tand\rreturn.yaml',
  'configs/zero\u200bwidth\u00a0blank.yaml',
  'configs/!history!*?[a]{b,c}~;&|<>#.yaml',
  "configs/$'ansi'\\n\n'.yaml",
  ' leading and trailing ',
  '',
];

const launches = (name: string): LaunchConfig[] => [
  { name, text: read('local/train.yaml'), target: TARGETS.local },
  { name, text: read('local/train.yaml'), target: TARGETS.wsl2 },
  { name, text: read('local/smoke.yaml'), target: TARGETS.wsl2 },
  { name, text: read('modal/train_a100.yaml'), target: TARGETS.modal },
  { name, text: read('modal/smoke_a100.yaml'), target: TARGETS.modal },
];
const local: LaunchConfig = {
  name: 'configs/local/train.yaml',
  text: read('local/train.yaml'),
  target: TARGETS.wsl2,
};
const modal: LaunchConfig = {
  name: 'configs/modal/train_a100.yaml',
  text: read('modal/train_a100.yaml'),
  target: TARGETS.modal,
};
const texts = (config: LaunchConfig): string[] => commandsFor(config).map(({ text }) => text);

/** What bash makes of the words of each command: python and modal are functions that print their arguments. */
function wordsOf(commands: readonly string[]): string[][] {
  const stub = `print() { printf '%s\\0' "$@"; }; python() { print python "$@"; }; modal() { print modal "$@"; }; timeout() { shift; "$@"; }; free() { :; }; mkdir() { :; }; grep() { :; }; export TUSZ=x`;
  const script = [stub, ...commands.flatMap((command) => [command, `printf '\\1\\0'`])].join('\n');
  const out = execFileSync('bash', ['-s'], {
    input: script,
    env: {
      PATH: process.env['PATH'],
      LC_ALL: 'C',
      APP_ID: 'ap-1',
      AWS_ACCESS_KEY_ID: 'a',
      AWS_SECRET_ACCESS_KEY: 'b c',
      WANDB_API_KEY: 'd',
    },
  });
  return out
    .toString('utf8')
    .split('\x01\0')
    .slice(0, -1)
    .map((words) => words.split('\0').slice(0, -1));
}
const words = (command = ''): string[] => wordsOf([command])[0] ?? [];

describe('a word', () => {
  test.each(['C', 'C.UTF-8'])('is read back by bash in the locale %s', (locale) => {
    const input = NASTY.map((path) => `printf '%s\\0' ${shellWord(path)}`).join('\n');
    const out = execFileSync('bash', ['-s'], { input, env: { LC_ALL: locale } }).toString('utf8');
    expect(out.split('\0').slice(0, -1)).toEqual(NASTY);
    for (const path of NASTY) expect(shellWord(path)).not.toContain('\n');
  });

  test('that looks like an option becomes a path', () => {
    expect(pathWord('-rf.yaml')).toBe('./-rf.yaml');
    expect(pathWord('a b')).toBe("'a b'");
  });

  test.each(['a\0b', 'a\ud800b'])('that no argument can be is rejected', (path) => {
    expect(() => shellWord(path)).toThrow(/cannot stand in a command.*write or name it without/);
    expect(() => shellWord('\0\u202e')).toThrow(/^"\\u0000\\u202e" cannot/);
  });
});

test('the commands name the file, whatever it is called', () => {
  const named = NASTY.flatMap((path) =>
    launches(path).flatMap((config) =>
      commandsFor(config)
        .filter(({ id }) => ['validate', 'train', 'resume'].includes(id))
        .map(({ text }) => ({ path: path.startsWith('-') ? `./${path}` : path, text })),
    ),
  );
  expect(named.length).toBeGreaterThan(10 * NASTY.length);
  const read = wordsOf(named.map(({ text }) => text));
  expect(read).toHaveLength(named.length);
  named.forEach(({ path }, i) => expect(read[i]).toContain(path));
});

test('folders of the file are quoted too', () => {
  const text = `data: {data_dir: "my data/$x", cache_dir: "it's/-c"}\nexperiment: {output_dir: "/results/-a b"}\nmodel: {}\ntraining: {}\npostprocessing: {}\n`;
  const build = commandsFor({ ...local, text }).find(({ id }) => id === 'build_train');
  expect(words(build?.text)).toEqual(
    "python|-m|src|build-cache|--data-dir|my data/$x|--cache-dir|it's/-c/train|--validation-split|0.2|--split|train".split(
      '|',
    ),
  );
  const onModal = commandsFor({ ...modal, text });
  const scan = words(onModal.find(({ id }) => id === 'scan')?.text);
  expect(scan.slice(0, -1)).toEqual('modal shell deploy/modal/app.py::train --cmd'.split(' '));
  // Modal's client splits what stands after --cmd once more, as a shell does.
  expect(words(scan.at(-1))).toEqual(['python', '-m', 'src', 'scan-cache', '--cache-dir', "it's/-c/train"]);
  expect(words(onModal.find(({ id }) => id === 'fetch')?.text).at(-1)).toBe('/-a b/checkpoints/best.pt');
});

describe.each([0, 1e-7, 0.05, 0.4, 0.5])('with the split %d', (split) => {
  test.each([
    [local, TARGETS.local],
    [local, TARGETS.wsl2],
    [modal, TARGETS.modal],
  ])('every build of a cache says so', (config, target) => {
    const text = config.text.replace(/validation_split: .*/, `validation_split: ${split}`);
    const builds = texts({ ...config, text, target }).filter(
      (one) => one.includes('build-cache') && !one.includes('smoke'),
    );
    expect(builds.length).toBeGreaterThan(0);
    for (const build of builds) expect(build).toContain(` --validation-split ${split} `);
  });
});

test.each([
  [/validation_split: .*/, 'validation_split: 0.9', /data\.validation_split: 0\.9 is not.*Fix/],
  [/epochs: .*/, 'epochs: 300', /training\.epochs: 300 is not.*Fix/],
  [/^postprocessing:(\n .*)+\n/m, '', /postprocessing: this section is missing.*Fix/],
  [/[^]*/, 'services: {}\n', /cannot be run: it is no configuration of the trainer\.$/],
])('a file that production rejects has no commands %#', (from, to, said) => {
  const text = local.text.replace(from, to);
  expect(() => commandsFor({ ...local, text })).toThrow(said);
  expect(() => commandsFor({ ...local, smoke: { name: 'configs/smoke.yaml', text } })).toThrow(said);
});

test('a smoke run may take longer than its windows are read first', () => {
  const { name } = local;
  const smoke = { name: 'configs/local/smoke.yaml', text: read('local/smoke.yaml') };
  const secondsOf = (text: string): number => {
    const run = commandsFor({ ...local, name, smoke: { ...smoke, text } }).find(({ id }) => id === 'smoke');
    const seconds = Number(/^timeout (\d+) python -m src train/.exec(run?.text ?? '')?.[1]);
    expect(run?.caution).toContain(`124: it was still running after ${seconds / 60},`);
    return seconds;
  };
  const { settings } = readConfig(smoke.text);
  const { statistics } = forecast(planFor(settings, smoke.name, TARGETS.wsl2));
  expect(secondsOf(smoke.text)).toBeGreaterThan(2 * 3600 * statistics.high);
  // Every epoch reads them anew.
  expect(secondsOf(smoke.text.replace('epochs: 1\n', 'epochs: 3\n'))).toBeGreaterThan(
    2.5 * secondsOf(smoke.text),
  );
  const onCpu = smoke.text.replace('device: auto', 'device: cpu');
  const run = commandsFor({ ...local, smoke: { ...smoke, text: onCpu } }).find(({ id }) => id === 'smoke');
  expect(run).toMatchObject({
    text: 'python -m src train configs/local/smoke.yaml',
    caution: expect.stringContaining('not predicted') as string,
  });
});

describe('the commands', () => {
  test('of WSL2', () => {
    expect(texts(local)).toEqual([
      'free -h',
      'python -m src validate configs/local/train.yaml',
      expect.stringMatching(
        /^mkdir -p data_ext4\/tusz\/smoke && .*; else grep .* data_ext4\/tusz\/edf\/train \| .*1,10p/,
      ),
      'python -m src build-cache --data-dir data_ext4/tusz/smoke --cache-dir cache/smoke/train --validation-split 0.2 --split train',
      'python -m src build-cache --data-dir data_ext4/tusz/smoke --cache-dir cache/smoke/val --validation-split 0.2 --split val',
      expect.stringMatching(/^timeout \d+ python -m src train configs\/local\/smoke\.yaml$/),
      expect.stringMatching(/^python -c 'import .*' data_ext4\/tusz\/edf\/train cache\/tusz\/train 0\.04 /),
      'python -m src build-cache --data-dir data_ext4/tusz/edf/train --cache-dir cache/tusz/train --validation-split 0.04 --split train',
      'python -m src build-cache --data-dir data_ext4/tusz/edf/train --cache-dir cache/tusz/val --validation-split 0.04 --split val',
      'python -m src scan-cache --cache-dir cache/tusz/train',
      'python -m src train configs/local/train.yaml',
      'python -m src train configs/local/train.yaml --resume',
    ]);
    expect(texts({ ...local, target: TARGETS.local })).toEqual(texts(local).slice(1));
  });

  test('of Modal', () => {
    const all = texts(modal);
    expect(all).toEqual(
      expect.arrayContaining([
        'modal secret list',
        'modal run deploy/modal/app.py --action train --config configs/modal/smoke_a100.yaml',
        'modal run --detach deploy/modal/app.py --action train --config configs/modal/train_a100.yaml --resume',
        'modal app list',
        'modal volume get brain-go-brr-results tusz_a100_100ep/checkpoints/best.pt',
      ]),
    );
    const ids = commandsFor(modal).map(({ id }) => id);
    expect(ids).toEqual([
      'validate',
      'secrets',
      'secret_aws',
      'secret_wandb',
      'smoke',
      'cached',
      'build_train',
      'build_val',
      'scan',
      'train',
      'resume',
      'apps',
      'logs',
      'fetch',
    ]);
    expect(all.find((text) => text.startsWith('modal secret create aws-s3-secret'))).toBeDefined();
    expect(all.find((text) => text.startsWith('modal secret create wandb-secret'))).toBeDefined();
    for (const text of all) {
      expect(text).not.toMatch(/--resume[= ](?:true|\S)/);
      if (text.includes('--detach')) expect(text).toMatch(/^modal run --detach deploy\/modal\/app\.py/);
    }
  });

  test('the plan names the jobs', () => {
    const resume = commandsFor(modal).find(({ id }) => id === 'resume');
    expect(resume?.purpose).toContain('33 jobs of 24 h, with the epochs 1–4, 4–7, 7–10, …, 97–100.');
    const purposeAt = (hours: number) =>
      commandsFor({
        ...modal,
        target: { ...TARGETS.modal, hoursPerEpoch: exactly(hours, 'assumed', '') },
      }).find(({ id }) => id === 'resume')?.purpose;
    expect(purposeAt(1.15)).toContain(
      '6 jobs of 24 h, with the epochs 1–20, 20–39, 39–58, 58–77, 77–96, 96–100',
    );
    expect(purposeAt(13)).toContain('no number of jobs completes the run');
  });

  test('without balanced sampling nothing is scanned; a smoke run is not resumed', () => {
    const text = local.text.replace('use_balanced_sampling: true', 'use_balanced_sampling: no');
    expect(texts({ ...local, text }).join('\n')).not.toContain('scan-cache');
    // Such a run lists its files, whatever else is cached.
    expect(commandsFor({ ...local, text }).map(({ id }) => id)).not.toContain('cached');
    const smoke = { ...modal, name: 'configs/modal/smoke_a100.yaml', text: read('modal/smoke_a100.yaml') };
    expect(texts(smoke).join('\n')).not.toContain('--resume');
    expect(texts(smoke)).toContain(
      'modal run deploy/modal/app.py --action train --config configs/modal/smoke_a100.yaml',
    );
  });

  test('a file that cannot be read has none', () => {
    expect(() => commandsFor({ ...local, text: 'a: [' })).toThrow(
      /cannot be run, because it cannot be read.*Fix/,
    );
  });
});

test.each([
  [100, 1, 5, 104],
  [100, 0.25, 2, 25.25],
  [24, 1, 1, 24],
  [96, 1, 5, 100],
  [1, 20, 1, 20],
  [2, 20, undefined, undefined],
  [1, 30, undefined, undefined],
])('%i epochs of %d h take %i jobs', (epochs, each, count, hours) => {
  const jobs = planJobs(epochs, each);
  expect(jobs?.count).toBe(count);
  expect(jobs?.hours).toBe(hours);
  if (jobs) expect(jobs.spans).toHaveLength(jobs.count);
  for (const { first, last } of jobs?.spans ?? []) expect((last - first + 1) * each).toBeLessThanOrEqual(24);
  if (jobs) expect(jobs.spans.at(-1)?.last).toBe(epochs);
});

describe('the script', () => {
  const bash = (script: string, steps: string[], env: Record<string, string> = {}) =>
    spawnSync('bash', ['-s', '--', ...steps], {
      input: script.replace(
        'set -euo pipefail',
        `set -euo pipefail\npython() { printf '%s\\n' "python $*"; [[ "$*" != *" train "* ]] || return "\${CODE:-0}"; }\nmodal() { printf '%s\\n' "modal $*"; }\ntimeout() { shift; "$@"; }`,
      ),
      env: { PATH: process.env['PATH'], ...env },
      encoding: 'utf8',
    });

  test('runs the named steps', () => {
    const { stdout, status } = bash(scriptFor(local), ['validate', 'scan']);
    expect(stdout.trim().split('\n')).toEqual([
      'python -m src validate configs/local/train.yaml',
      'python -m src scan-cache --cache-dir cache/tusz/train',
    ]);
    expect(status).toBe(0);
  });

  test('lists its steps', () => {
    const none = bash(scriptFor(modal), []);
    expect(none.status).toBe(2);
    for (const { id } of commandsFor(modal)) expect(none.stderr).toContain(`  ${id} `);
    expect(bash(scriptFor(modal), ['fly'])).toMatchObject({ status: 2, stderr: 'Unknown step “fly”.\n' });
  });

  test('stops with a sentence where a placeholder is not set', () => {
    const { status, stderr, stdout } = bash(scriptFor(modal), ['secret_aws', 'apps']);
    expect(status).not.toBe(0);
    expect(stderr).toContain('AWS_ACCESS_KEY_ID is not set.');
    expect(stdout).toBe('');
    expect(bash(scriptFor(modal), ['logs'], { APP_ID: 'ap-1' }).stdout).toBe('modal app logs -f ap-1\n');
  });

  test('stops at a step that fails', () => {
    const failed = bash(scriptFor(local), ['smoke', 'validate'], { CODE: '1' });
    expect(failed.status).not.toBe(0);
    expect(failed.stdout).not.toContain('validate');
    expect(bash(scriptFor(local), ['smoke'], { CODE: '124' }).status).toBe(124);
    expect(bash(scriptFor(local), ['train'], { CODE: '124' }).status).toBe(124);
  });
});

const shellcheck = spawnSync('shellcheck', ['--version']).error === undefined;
if (!shellcheck) console.warn('shellcheck is not installed: the commands are not checked with it.');

test.skipIf(!shellcheck)(
  'every command and every script passes shellcheck',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'commands-'));
    try {
      const files = NASTY.flatMap((name, i) =>
        launches(name).flatMap((config, j, { length }) => {
          // Each name with one launch, each launch with several names; shellcheck takes long for all of them.
          if (!FULL && j !== i % length) return [];
          const texts = commandsFor(config).map(({ text }) => text);
          return [
            { path: join(folder, `${i}-${j}.sh`), script: scriptFor(config) },
            {
              path: join(folder, `${i}-${j}-lines.sh`),
              script: `#!/usr/bin/env bash\n${texts.join('\n')}\n`,
            },
          ];
        }),
      );
      expect(files.length).toBeGreaterThanOrEqual(2 * NASTY.length);
      for (const { path, script } of files) writeFileSync(path, script);
      const found = spawnSync('shellcheck', ['--format=gcc', ...files.map(({ path }) => path)], {
        encoding: 'utf8',
      });
      expect(found.stdout).toBe('');
      expect(found.status).toBe(0);
      expect(spawnSync('shellcheck', ['-'], { input: '#!/bin/bash\necho $1\n' }).status).toBe(1);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
  120_000,
);
