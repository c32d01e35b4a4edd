import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { chromiumEngine } from '../golden/runner/engines';
import { CASES, golden, NAMES } from '../golden/cases';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'smokescan-golden-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

// A software adapter compiles for long.
test('golden cases in Chromium', { timeout: 600_000 }, async () => {
  const { code, lines, errors } = await golden(CASES, '--browser');
  expect(lines.filter((line) => !line.endsWith('pass'))).toEqual([`${NAMES.length} passed, 0 failed`]);
  expect(errors).toEqual([]);
  expect(code).toBe(0);
});

test('golden cases in Chromium on default limits only, and one that fails there', async () => {
  for (const name of ['linear.nobias', 'selective_scan.small'])
    copyFileSync(join(CASES, `${name}.safetensors`), join(folder, `${name}.safetensors`));
  copyFileSync(join(CASES, '../cases.ts'), join(folder, 'z.safetensors'));
  const { code, lines } = await golden(folder, '--browser', '--defaults');
  expect(lines).toEqual([
    expect.stringMatching(/^linear\.nobias .* pass$/),
    expect.stringMatching(/^selective_scan\.small .* pass$/),
    expect.stringMatching(/^z +the header has .* FAIL$/),
    '2 passed, 1 failed',
  ]);
  expect(code).toBe(1);
});

test('a page that does not load is an error', async () => {
  await expect(chromiumEngine(folder, {})).rejects.toThrow(/The page does not load:\nconsole: .*404/);
});
