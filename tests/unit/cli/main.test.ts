import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { version } from '../../../package.json';
import { main } from '../../../src/cli/main';

async function run(...args: string[]) {
  const log = vi.spyOn(console, 'log').mockReturnValue(undefined);
  const error = vi.spyOn(console, 'error').mockReturnValue(undefined);
  const code = await main(args);
  const said = { code, out: log.mock.calls.join('\n'), errors: error.mock.calls.join('\n') };
  vi.restoreAllMocks();
  return said;
}

/** Names of all modules that describe a command. */
const COMMANDS = readdirSync(join(import.meta.dirname, '../../../src/cli'))
  .filter((file) => file.endsWith('.ts'))
  .flatMap((file) => {
    const text = readFileSync(join(import.meta.dirname, '../../../src/cli', file), 'utf8');
    return /^ {2}name: '(\w+)',\n {2}takes:/m.exec(text)?.[1] ?? [];
  });

test.each([[[]], [['help']], [['--help']], [['-h']]])('%j lists every command', async (args) => {
  const { code, out, errors } = await run(...args);
  expect([code, errors]).toEqual([0, '']);
  expect(COMMANDS.length).toBeGreaterThan(8);
  for (const name of COMMANDS) expect(out).toMatch(new RegExp(`^ {2}${name} +\\w`, 'm'));
});

test.each(COMMANDS)('%s says what it takes, and what its exit codes mean', async (name) => {
  const { code, out } = await run(name, '--help');
  expect(code).toBe(0);
  expect(out).toMatch(new RegExp(`^Usage: smokescan ${name}\\b`));
  expect(out).toMatch(/Exit code 0/);
  expect((await run('help', name)).out).toBe(out);
});

test('the version is the package’s', async () => {
  expect(await run('--version')).toEqual({ code: 0, out: version, errors: '' });
});

test.each([
  ['valdate', 'There is no command valdate; the nearest is validate. smokescan --help lists all.'],
  ['--', 'There is no option --; the nearest is --help. smokescan --help lists all.'],
  ['--hlep', 'There is no option --hlep; the nearest is --help. smokescan --help lists all.'],
  ['toString', 'There is no command toString. smokescan --help lists all.'],
  ['\u001b[31mx', 'There is no command \\u001b[31mx. smokescan --help lists all.'],
])('%s is none', async (name, message) => {
  expect(await run(name)).toEqual({ code: 2, out: '', errors: message });
});
