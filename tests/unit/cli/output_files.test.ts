import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { OutputFolder, writeWhole } from '../../../src/cli/output_files';

let folder: string;
const at = (...names: string[]): string => join(folder, ...names);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'smokescan-output-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

test('one process has a folder at a time, and another is told who', async () => {
  const first = await OutputFolder.open(at('locked'));
  await expect(OutputFolder.open(at('locked'))).rejects.toThrow(
    new RegExp(`--out .*locked is in use by process ${process.pid} on `),
  );
  await first.write('a/b.txt', ['kept']);
  await first.close();
  const second = await OutputFolder.open(at('locked'));
  await second.close();
  expect(readdirSync(at('locked'))).toEqual(['a']);
});

test('the lock of a process that was killed is taken over', async () => {
  mkdirSync(at('killed'));
  const { pid } = spawnSync(process.execPath, ['--version']);
  const { hostname } = await import('node:os');
  writeFileSync(
    at('killed', '.smokescan.lock'),
    JSON.stringify({ process: pid, host: hostname(), started: '1' }),
  );
  const out = await OutputFolder.open(at('killed'));
  await out.close();
  writeFileSync(
    at('killed', '.smokescan.lock'),
    JSON.stringify({ process: pid, host: 'elsewhere', started: '1' }),
  );
  await expect(OutputFolder.open(at('killed'))).rejects.toThrow(/on elsewhere; .* If it has ended, delete /);
});

test('a folder that was made and got nothing is gone again', async () => {
  const out = await OutputFolder.open(at('made', 'below'));
  await out.close();
  expect(existsSync(at('made'))).toBe(false);
});

test('foreign files, links out of the folder and files in the way of folders are found before anything is written', async () => {
  mkdirSync(at('mixed'));
  mkdirSync(at('target'));
  writeFileSync(at('mixed', 'best.pt'), 'mine');
  writeFileSync(at('mixed', 'file'), 'mine');
  symlinkSync(at('target'), at('mixed', 'away'));
  symlinkSync(at('nowhere'), at('mixed', 'dangling.json'));
  const out = await OutputFolder.open(at('mixed'));
  await expect(out.checkFree(['new/a', 'b'])).resolves.toBeUndefined();
  await expect(out.checkFree(['b', 'best.pt', 'dangling.json'])).rejects.toThrow(
    /has best.pt, dangling.json already, which would be overwritten/,
  );
  await expect(out.checkFree(['away/a'])).rejects.toThrow(/away is a link, and nothing is written through/);
  await expect(out.write('away/a', ['x'])).rejects.toThrow(/away is a link/);
  await expect(out.write('file/a', ['x'])).rejects.toThrow(/file is a file where a folder is needed/);
  // A link itself is replaced; what it leads to stays as it is.
  await out.write('dangling.json', ['x']);
  expect(existsSync(at('nowhere'))).toBe(false);
  expect(readFileSync(at('mixed', 'dangling.json'), 'utf8')).toBe('x');
  expect(readdirSync(at('target'))).toEqual([]);
  await out.close();
});

test('nothing is written through a link that lies where the new file is made', async () => {
  writeFileSync(at('victim'), 'as it was');
  symlinkSync(at('victim'), at('new.txt.part'));
  await writeWhole(at('new.txt'), ['fresh']);
  expect(readFileSync(at('victim'), 'utf8')).toBe('as it was');
  expect(readFileSync(at('new.txt'), 'utf8')).toBe('fresh');
});

test('a file that changed after it was written is named', async () => {
  const out = await OutputFolder.open(at('verified'));
  await out.write('a.bin', [new Uint8Array(1000)]);
  await out.write('b.bin', ['first']);
  await out.write('b.bin', ['second'], 'before.bin');
  await expect(out.verify()).resolves.toBeUndefined();
  expect(readFileSync(at('verified', 'before.bin'), 'utf8')).toBe('first');
  writeFileSync(at('verified', 'a.bin'), new Uint8Array(999));
  await expect(out.verify()).rejects.toThrow(/a.bin does not read back as it was written/);
  rmSync(at('verified', 'before.bin'));
  rmSync(at('verified', 'a.bin'));
  await expect(out.verify()).rejects.toThrow(
    /a.bin was written and cannot be read back: there is no such file/,
  );
  expect(() => out.checkRoom(1e18, [])).toThrow(/has room for \d+ MB, and the files of this run take up to/);
  await out.close();
});

test.skipIf(process.platform === 'win32')(
  'where the system takes no more, the old file stays, nothing lies beside it, and the sentence names it',
  () => {
    const path = at('full.bin');
    writeFileSync(path, 'as it was');
    const limited = `ulimit -f 100; exec "$0" tests/load.mjs unit/cli/write_large.ts "$1"`;
    const { stderr, status } = spawnSync('bash', ['-c', limited, process.execPath, path], {
      encoding: 'utf8',
    });
    expect(stderr.trim()).toBe(
      `${path}: the file is larger than the system allows this account (ulimit -f); raise that limit, or use another path`,
    );
    expect(status).toBe(1);
    expect(readFileSync(path, 'utf8')).toBe('as it was');
    expect(existsSync(`${path}.part`)).toBe(false);
    expect(statSync(path).size).toBe(9);
  },
);
