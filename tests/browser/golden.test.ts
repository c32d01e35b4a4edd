import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { chromiumEngine } from '../golden/runner/engines';
import { CASES, golden, NAMES } from '../golden/cases';
import { fullTest } from '../full';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'smokescan-golden-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A folder with these cases alone. */
function folderOf(names: readonly string[]): string {
  for (const name of names)
    copyFileSync(join(CASES, `${name}.safetensors`), join(folder, `${name}.safetensors`));
  return folder;
}

fullTest('all golden cases in Chromium', async () => {
  const { code, lines, errors } = await golden(CASES, '--browser');
  expect(lines.filter((line) => !line.endsWith('pass'))).toEqual([`${NAMES.length} passed, 0 failed`]);
  expect(errors).toEqual([]);
  expect(code).toBe(0);
});

// Chromium runs the shaders that Node runs, and the app's own tests train in it.
fullTest('ops in Chromium that the trainings of the other tests do without', async () => {
  const names = ['ssd_scan.small', 'selective_scan.small', 'layer_norm.512', 'loss.focal_alpha'];
  const { code, lines, errors } = await golden(folderOf(names), '--browser');
  expect(lines.filter((line) => !line.endsWith('pass'))).toEqual([`${names.length} passed, 0 failed`]);
  expect(errors).toEqual([]);
  expect(code).toBe(0);
});

test('golden cases in Chromium on default limits only, and one that fails there', async () => {
  folderOf(['linear.nobias', 'selective_scan.small']);
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
