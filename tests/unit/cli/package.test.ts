/** The package as somebody installs it: built, outside this repository, without its tools. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { FULL, fullTest } from '../../full';

const ROOT = join(import.meta.dirname, '../../..');
const exec = promisify(execFile);

let folder: string;
beforeAll(async () => {
  if (!FULL) return;
  folder = mkdtempSync(join(tmpdir(), 'smokescan-package-'));
  // npm's script builds what is packed.
  await exec('npm', ['pack', '--pack-destination', folder], { cwd: ROOT });
  const [archive = ''] = readdirSync(folder);
  await exec('npm', ['init', '-y'], { cwd: folder });
  await exec('npm', ['install', '--offline', '--no-audit', '--no-fund', `./${archive}`], { cwd: folder });
});
afterAll(() => {
  if (FULL) rmSync(folder, { recursive: true });
});

async function run(...args: string[]): Promise<{ code: number; out: string; errors: string }> {
  try {
    const { stdout, stderr } = await exec('npx', ['--offline', 'smokescan', ...args], { cwd: folder });
    return { code: 0, out: stdout, errors: stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, out: stdout, errors: stderr };
  }
}

describe('the package, installed', () => {
  fullTest('has neither tests nor tools, and no dependency', () => {
    expect(readdirSync(join(folder, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual([
      'smokescan',
    ]);
    const own = readdirSync(join(folder, 'node_modules/smokescan')).sort();
    expect(own).toEqual(['LICENSE', 'README.md', 'configs', 'dist', 'dist-cli', 'package.json', 'src']);
  });

  fullTest('helps, validates, estimates and scores', async () => {
    expect((await run('--help')).out).toContain('validate');
    mkdirSync(join(folder, 'configs'));
    const config = join(folder, 'configs/train.yaml');
    copyFileSync(join(ROOT, 'configs/local/train.yaml'), config);
    const validated = await run('validate', '--format', 'sarif', config);
    expect(JSON.parse(validated.out)).toMatchObject({ version: '2.1.0' });
    const estimated = await run('estimate', config, '--gpu', 'a100-80', '--ram', '256', '--json');
    expect(Object.keys(JSON.parse(estimated.out) as object).length).toBeGreaterThan(3);
    const events = join(folder, 'a.csv_bi');
    writeFileSync(
      events,
      '# version = csv_v1.0.0\n# bname = a\n# duration = 600.0000 secs\nchannel,start_time,stop_time,label,confidence\nTERM,10.0000,20.0000,seiz,1.0000\n',
    );
    const scored = await run('score', events, events);
    expect([scored.code, scored.errors]).toEqual([0, '']);
    expect(scored.out).toMatch(/SzCORE events +1\.0000/);
  });

  fullTest('serves the app until Ctrl-C', async () => {
    const bin = join(folder, 'node_modules/smokescan/src/cli/run.mjs');
    const child = spawn(process.execPath, [bin, 'app', '--port', '41730'], { cwd: folder });
    const exit = once(child, 'exit');
    await once(child.stdout, 'data');
    expect(await (await fetch('http://localhost:41730/')).text()).toContain('<title>Smokescan');
    child.kill('SIGINT');
    expect(await exit).toEqual([0, null]);
  });

  fullTest('says what a command that computes on a GPU needs', async () => {
    const { code, errors } = await run('bench');
    expect(code).toBe(1);
    expect(errors).toContain('npm install webgpu');
  });
});
