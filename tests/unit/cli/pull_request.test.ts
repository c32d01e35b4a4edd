/** What other repositories take from this one to check their configurations: hooks, a workflow, the schema. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Log } from 'sarif';
import { describe, expect, test, vi } from 'vitest';
import { parse } from 'yaml';
import { bin } from '../../../package.json';
import { main } from '../../../src/cli/main';
import { CORRECTED } from '../../../src/config/presets';
import { TARGETS } from '../../../src/config/targets';
import { bundleOf } from '../../../src/handoff/bundle';
import { derive, variantText, VARIANTS, type Variant } from '../../../src/handoff/derive';

const ROOT = join(import.meta.dirname, '../../..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const GOOD = 'configs/local/train.yaml';
const BAD = 'configs/review/tusz_train.yaml';

/** Runs a command line that starts with the name of the package's command. */
async function run(line: string, ...files: string[]) {
  const [name = '', ...args] = line.split(' ');
  expect(Object.keys(bin)).toContain(name);
  const log = vi.spyOn(console, 'log').mockReturnValue(undefined);
  const error = vi.spyOn(console, 'error').mockReturnValue(undefined);
  const code = await main([...args, ...files.map((file) => join(ROOT, file))]);
  const said = { code, out: log.mock.calls.join('\n'), errors: error.mock.calls.join('\n') };
  vi.restoreAllMocks();
  return said;
}

interface Hook {
  id: string;
  name: string;
  entry: string;
  language: string;
  types: string[];
  files: string;
}

describe.each((parse(read('.pre-commit-hooks.yaml')) as Hook[]).map((hook) => [hook.id, hook] as const))(
  'the hook %s',
  (_, { entry, language, types, files }) => {
    test('takes configurations, and nothing else', () => {
      expect([language, types]).toEqual(['node', ['yaml']]);
      const taken = new RegExp(files);
      for (const { name } of CORRECTED) expect(name).toMatch(taken);
      for (const other of ['mkdocs.yml', '.github/workflows/configs.yml']) expect(other).not.toMatch(taken);
    });

    test('is a command that there is', async () => {
      expect(await run(entry, GOOD)).toMatchObject({ code: 0 });
      // --fix would write into the files of this repository.
      if (!entry.includes('--fix')) expect(await run(entry, GOOD, BAD)).toMatchObject({ code: 1 });
    });
  },
);

describe('the workflow', () => {
  const workflow = parse(read('docs/pull-request.yml')) as {
    jobs: { validate: { steps: { run?: string; with?: Record<string, string> }[] } };
  };
  const { steps } = workflow.jobs.validate;
  const scripts = steps.flatMap(({ run: script }) => script ?? []);
  const commands = scripts.flatMap((script) => /smokescan validate [^>|]*/.exec(script)?.[0].trim() ?? []);

  test('is of scripts that bash reads', () => {
    expect(spawnSync('bash', ['-n'], { input: scripts.join('\n'), encoding: 'utf8' })).toMatchObject({
      status: 0,
      stderr: '',
    });
  });

  test('runs commands that there are, on all configurations', async () => {
    expect(commands).toEqual(['smokescan validate --format sarif', 'smokescan validate --format github']);
    const sarif = await run(commands[0] ?? '', GOOD, BAD);
    const github = await run(commands[1] ?? '', GOOD, BAD);
    expect(sarif).toMatchObject({ code: 1, errors: '' });
    expect((JSON.parse(sarif.out) as Log).runs[0]?.results?.length).toBeGreaterThan(5);
    expect(steps.find((step) => step.with?.['sarif_file'])?.with?.['sarif_file']).toBe(
      scripts.find((script) => script.includes('sarif'))?.split('> ')[1],
    );
    expect(github).toMatchObject({ code: 1, errors: '' });
    expect(github.out).toMatch(/^::error file=configs\/review\/tusz_train\.yaml,line=\d+/m);
    const listing = /git ls-files -z [^|]*/.exec(scripts.at(-1) ?? '')?.[0] ?? '';
    const { stdout } = spawnSync('bash', ['-c', listing.replace(' -z', '')], { cwd: ROOT, encoding: 'utf8' });
    for (const { name } of CORRECTED) expect(stdout.split('\n')).toContain(name);
  });
});

const SCHEMA_LINE = /^# yaml-language-server: \$schema=(.*)$/m;

describe('the schema that editors are told of', () => {
  const schemaOf = (path: string, text: string): string =>
    resolve('/', dirname(path), SCHEMA_LINE.exec(text.replaceAll('\r', ''))?.[1] ?? 'none');

  test.each(CORRECTED)('$name', ({ name, text }) => {
    expect(schemaOf(name, text)).toBe('/configs/schema.json');
  });

  test.each(Object.keys(VARIANTS) as Variant[])('a variant: %s', (variant) => {
    const made = derive(read(BAD), variant);
    const text = variantText(read(BAD), made);
    expect(schemaOf(made.name, text)).toBe('/configs/schema.json');
    expect(variantText(text, made).match(new RegExp(SCHEMA_LINE, 'gm'))).toHaveLength(1);
    expect(variantText(read(BAD).replaceAll('\n', '\r\n'), made).split('\r\n')[0]).toMatch(SCHEMA_LINE);
  });

  test('is in launch.zip where its files look for it', () => {
    const files = bundleOf([{ name: GOOD, text: read(GOOD), target: TARGETS.wsl2 }]);
    const named = files.filter(({ text }) => SCHEMA_LINE.test(text));
    expect(named.length).toBeGreaterThan(1);
    for (const { path, text } of named)
      expect(files.map((file) => `/${file.path}`)).toContain(schemaOf(path, text));
    expect(files.find(({ path }) => path === 'configs/schema.json')?.text).toBe(read('configs/schema.json'));
  });
});
