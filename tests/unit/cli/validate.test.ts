import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { applyPatch } from 'diff';
import type { Log, Region } from 'sarif';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { main } from '../../../src/cli/validate';
import { applyChanges } from '../../../src/config/edit';
import { fixed } from '../../../src/config/fixing';
import { inspect } from '../../../src/config/issues';
import { applyEdits } from '../../../src/config/pieces';
import { RULE_LIST } from '../../../src/config/rule_list';
import { TARGETS } from '../../../src/config/targets';
import { inspectRun } from '../../../src/estimate/forecast';

const BAD =
  'data: {num_workers: 4, validation_split: 0.04} # kept\r\nmodel: {}\r\npostprocessing: {}\r\ntraining:\r\n  optimizer: sgd\r\n  batchsize: 8\r\n';
const CLEAN =
  'data: {num_workers: 0, pin_memory: false, validation_split: 0.04}\nmodel: {mamba: {conv_kernel: 3}}\npostprocessing: {}\ntraining: {mixed_precision: false, learning_rate: 1.0e-4} # smokescan: ignore-file every-launch – known\n';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'smokescan-validate-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

async function run(...args: string[]) {
  const log = vi.spyOn(console, 'log').mockReturnValue(undefined);
  const error = vi.spyOn(console, 'error').mockReturnValue(undefined);
  let written = '';
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written += String(text);
    return true;
  });
  try {
    const code = await main([...(args.includes('--target') ? [] : ['--target', 'wsl2']), ...args]);
    return { code, out: written + log.mock.calls.join('\n'), errors: error.mock.calls.map(String) };
  } finally {
    for (const spy of [log, error, write]) spy.mockRestore();
  }
}

/** What the page's button makes of a text. */
function byThePage(text: string): string {
  const issuesOf = (made: string) => inspectRun(made, { name: 'train.yaml', target: TARGETS.wsl2 }).issues;
  return applyEdits(text, fixed(text, issuesOf).edits);
}

describe('fixes', () => {
  test('are written as the page writes them, and what is left is told', async () => {
    const path = file('train.yaml', BAD);
    const { code, out, errors } = await run('--fix', path);
    const text = readFileSync(path, 'utf8');
    expect(text).toBe(byThePage(BAD));
    expect(text).toContain('num_workers: 0, validation_split: 0.04} # kept\r\n');
    expect(text).toContain('batchsize: 8');
    expect(errors.join()).toMatch(/train\.yaml: \d values fixed: .*training\.optimizer: adamw/);
    expect(errors.at(-1)).toMatch(/train\.yaml: 2 issues left, for a person to decide$/);
    expect(out).toContain('unknown-key');
    expect(out).not.toContain('optimizer-crash');
    expect(code).toBe(0);
    expect((await run('--fix', path)).errors).toEqual([errors.at(-1)]);
    expect(readFileSync(path, 'utf8')).toBe(text);
  });

  test('are shown as a diff that leads to them, and then nothing is written', async () => {
    const path = file('train.yaml', BAD);
    const { code, out, errors } = await run('--diff', path);
    expect(errors.join('\n')).toMatch(/\d values that --fix writes: .*\n.*2 issues left.*\n.* unknown-key /s);
    expect(readFileSync(path, 'utf8')).toBe(BAD);
    expect(out).toContain(`--- ${path}\n+++ ${path}\n@@`);
    expect(applyPatch(BAD, out)).toBe(byThePage(BAD));
    expect(code).toBe(1);
  });

  test('that other fixes make necessary are said with them, before they are written', async () => {
    const path = file(
      'train.yaml',
      'data: {num_workers: 0, validation_split: 0.04}\nmodel: {mamba: {conv_kernel: 3}}\npostprocessing: {}\ntraining: {batch_size: 60, learning_rate: 1.0e-4}\n',
    );
    const on = ['--target', 'local', '--gpu', 'rtx4090'];
    const said = /: training\.mixed_precision: false; then, because of these, training\.batch_size: \d+$/;
    expect((await run(...on, '--diff', path)).errors[0]).toMatch(said);
    expect((await run(...on, '--fix', '--diff', path)).errors[0]).toMatch(said);
  });

  test.each(['data:', 'data: null', 'data: 3', 'data: [1]'])(
    'leave no section that is %s',
    async (section) => {
      const rest = CLEAN.slice(CLEAN.indexOf('\n'));
      const path = file('train.yaml', `${section}${rest}`);
      const [found] = JSON.parse((await run('--json', path)).out) as { path: string; fixable: boolean }[];
      expect(found).toMatchObject({ path: 'data', fixable: true });
      await run('--fix', path);
      expect(readFileSync(path, 'utf8')).toMatch(/^data: \{/);
      expect((await run('--json', path)).out).not.toContain('"invalid"');
    },
  );

  test('of an invalid file that a person has to decide: it is said, and none is called fixable', async () => {
    const path = file('train.yaml', CLEAN.replace('num_workers: 0', 'num_workers: 99'));
    const { code, errors } = await run('--fix', path);
    expect([code, errors[0]]).toEqual([
      1,
      `${path}: 1 issue left, for a person to decide; the trainer still rejects the file`,
    ]);
    expect((await run('--json', path)).out).not.toContain('"fixable": true');
  });

  test('of a link go into the file that it leads to', async () => {
    const path = file('real.yaml', BAD);
    const link = join(folder, 'link.yaml');
    symlinkSync(path, link);
    await run('--fix', link);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readFileSync(path, 'utf8')).not.toBe(BAD);
  });

  test('leave a file its rights, and one that cannot be written costs no other its fixes', async () => {
    const path = file('train.yaml', BAD);
    chmodSync(path, 0o640);
    const { code, errors } = await run('--fix', '/dev/null', path);
    expect([code, errors[0]]).toEqual([
      1,
      '/dev/null cannot be written: only a file can be; write what comes out of it into one',
    ]);
    expect(readFileSync(path, 'utf8')).toBe(byThePage(BAD));
    expect(statSync(path).mode & 0o777).toBe(0o640);
  });
});

/** The offset of a place in lines that end in LF or CRLF. */
const offsetOf = (text: string, line = 1, column = 1): number =>
  text
    .split('\n')
    .slice(0, line - 1)
    .reduce((sum, one) => sum + one.length + 1, column - 1);

/** What Microsoft’s SARIF Multitool finds in logs: file, level, rule and place, without its sentences. */
function judged(files: readonly string[]): string[] {
  const tool = createRequire(import.meta.url)('@microsoft/sarif-multitool') as string;
  const { stdout, stderr, status } = spawnSync(tool, ['validate', ...files, '--rule-kind', 'Sarif;Ghas'], {
    encoding: 'utf8',
    // Without it .NET asks for ICU, which not every machine has.
    env: { ...process.env, DOTNET_SYSTEM_GLOBALIZATION_INVARIANT: '1' },
  });
  if (status !== 0) throw new Error(stderr || stdout);
  return [...stdout.matchAll(/([^/\\\s]+\.sarif)\(\d+(?:,\d+)?\): (\w+) (\w+): (\S+?): /g)]
    .map(([, name, level, rule, place]) => `${name} ${level} ${rule} ${place}`)
    .sort();
}

describe('SARIF', () => {
  test('has rules with help, results with their places, and fixes that are the edits', async () => {
    const path = file('train.yaml', BAD);
    const { code, out } = await run('--format', 'sarif', path);
    expect(code).toBe(1);
    const log = JSON.parse(out) as Log;
    const [{ tool, results = [] }] = log.runs as [Log['runs'][number]];
    const { rules = [] } = tool.driver;
    const found = new Set(results.map(({ ruleId }) => ruleId));
    expect(rules.map(({ id }) => id)).toEqual(RULE_LIST.map(({ id }) => id).filter((id) => found.has(id)));
    for (const { shortDescription, help } of rules) {
      expect(shortDescription?.text).toMatch(/\.$/);
      expect(help?.markdown).toContain('# ');
    }
    const { issues } = inspectRun(BAD, { name: 'train.yaml', target: TARGETS.wsl2 });
    expect(results.map(({ ruleId }) => ruleId)).toEqual(issues.map(({ id }) => id));
    const cut = ({ startLine, startColumn, endLine, endColumn }: Region): [number, number] => [
      offsetOf(BAD, startLine, startColumn),
      offsetOf(BAD, endLine, endColumn),
    ];
    for (const [i, { ruleIndex, level, locations, fixes = [] }] of results.entries()) {
      const { place, id, fix, severity } = issues[i]!;
      expect(rules[ruleIndex ?? -1]?.id).toBe(id);
      expect(level).toBe(severity === 'high' ? 'error' : severity === 'medium' ? 'warning' : 'note');
      const { artifactLocation, region } = locations?.[0]?.physicalLocation ?? {};
      expect(artifactLocation?.uri).toBe(pathToFileURL(path).href);
      expect(cut(region ?? {})).toEqual([place.from, place.to]);
      const [first] = fixes;
      expect(first === undefined).toBe(fix === undefined);
      if (!first || !fix) continue;
      const edits = (first.artifactChanges[0]?.replacements ?? []).map(
        ({ deletedRegion, insertedContent }) => {
          const [from, to] = cut(deletedRegion);
          return { from, to, insert: insertedContent?.text ?? '' };
        },
      );
      expect(applyEdits(BAD, edits)).toBe(applyChanges(BAD, fix));
    }
  });

  test('of a clean file has no results but those that a comment silences, with its reason', async () => {
    const path = file('train.yaml', CLEAN);
    const { code, out, errors } = await run('--format', 'sarif', path);
    expect([code, errors]).toEqual([0, []]);
    const results = (JSON.parse(out) as Log).runs[0]?.results;
    expect(results?.map(({ ruleId, suppressions }) => [ruleId, suppressions?.[0]?.justification])).toEqual([
      ['every-launch', 'known'],
    ]);
    const browser = await run(
      '--target',
      'browser',
      '--format',
      'sarif',
      file('b.yaml', CLEAN.replace(/#.*/, '')),
    );
    expect((JSON.parse(browser.out) as Log).runs[0]?.results).toEqual([]);
  });

  // Microsoft’s validator is built for x64.
  test.runIf(process.arch === 'x64')(
    'is what its validator takes, schema and rules: nothing is missing but the tool’s address',
    async () => {
      const made = [
        ['bad', await run('--format', 'sarif', file('train.yaml', BAD))],
        ['clean', await run('--format', 'sarif', file('clean.yaml', CLEAN))],
        ['missing', await run('--format', 'sarif', join(folder, 'nowhere.yaml'))],
      ] as const;
      const missing = (JSON.parse(made[2][1].out) as Log).runs[0];
      expect(missing?.invocations?.[0]).toMatchObject({
        executionSuccessful: false,
        toolExecutionNotifications: [
          { message: { text: expect.stringContaining('no such file') as string } },
        ],
      });
      const logs = made.map(([name, { out }]) => file(`${name}.sarif`, out));
      const bad = readFileSync(logs[0] ?? '', 'utf8');
      const wrong = file('wrong.sarif', bad.replace('"ruleIndex": 0', '"ruleIndex": 99, "other": 1'));
      // Where it cannot read a log it may say nothing at all of it: so its remark on a whole one is asked for.
      expect(judged([...logs, wrong])).toEqual([
        ...made.map(([name]) => `${name}.sarif warning SARIF2005 runs[0].tool.driver`),
        'wrong.sarif error JSON1005 runs[0].results[0].other',
        'wrong.sarif error SARIF1009 runs[0].results[0]',
        'wrong.sarif warning SARIF2005 runs[0].tool.driver',
      ]);
    },
  );
});

test('a workflow of GitHub gets a line an issue, with what would end it early escaped', async () => {
  const path = file('100%,a.yaml', BAD);
  const { out } = await run('--format', 'github', path);
  const { issues } = inspect(BAD, { name: 'x', target: TARGETS.wsl2 });
  const lines = out.split('\n');
  expect(lines.length).toBeGreaterThanOrEqual(issues.length);
  for (const line of lines)
    expect(line).toMatch(
      /^::(error|warning|notice) file=[^,:]*100%25%2Ca\.yaml,line=\d+,col=\d+,title=\w+%3A [\w.-]+::\S/,
    );
  expect(lines.filter((line) => line.startsWith('::error'))).toEqual([
    expect.stringContaining('optimizer-crash'),
  ]);
});

test.each([
  [['--json', '--format', 'sarif'], '--json and --format sarif exclude each other; leave one out'],
  [['--diff', '--json'], '--diff prints a diff and nothing else; leave out --format json'],
  [['--format', 'xml'], /--format is xml; it must be one of text, json, sarif, github/],
])('%s is no way to ask', async (args, message) => {
  const { code, errors } = await run(...args, file('a.yaml', CLEAN));
  expect(code).toBe(2);
  expect(errors[0]).toEqual(typeof message === 'string' ? message : expect.stringMatching(message));
});

test.each([
  ['outside --root', () => file('b.yaml', CLEAN), /b\.yaml is not below --root/],
  ['empty', () => '', /^argument 2 is empty; give FILE$/],
])('a file that is %s hides no issue of the others: 2', async (_, other, message) => {
  const root = join(folder, 'here');
  mkdirSync(root);
  const path = file('here/a.yaml', BAD);
  const { code, out, errors } = await run('--root', root, path, other());
  expect(code).toBe(2);
  expect(errors).toEqual([expect.stringMatching(message)]);
  expect(out).toContain('optimizer-crash');
});

test('a line end in a path is written as one, so that each issue has its line', async () => {
  const { out, errors } = await run('--fix', file('a\nb.yaml', BAD), join(folder, 'c\nd.yaml'));
  for (const line of out.split('\n')) expect(line).toMatch(/a\\nb\.yaml:\d+:\d+ |^ {4}/);
  expect(errors.find((line) => line.includes('c\\nd.yaml'))).toMatch(/cannot be read: there is no such file/);
});

test('a named pipe is not waited for', async () => {
  const path = join(folder, 'pipe.yaml');
  execFileSync('mkfifo', [path]);
  const { code, errors } = await run(path);
  expect([code, errors]).toEqual([
    1,
    [expect.stringMatching(/cannot be read: this is a named pipe, not a file/)],
  ]);
});

test('where characters stand that no YAML has is said by line and column', async () => {
  const { out } = await run(file('a.yaml', 'data: {}\r\nmodel: {}\n# \u0085\n'));
  expect(out).toMatch(/a\.yaml:3:3 invalid yaml /);
});
