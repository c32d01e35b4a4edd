import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { kernelsVersion as versionOf } from '../../../kernels_version.mjs';
import { kernelsVersion } from '../../../src/engine/kernels_version';

const ROOT = join(import.meta.dirname, '../../..');

let copy: string;
beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'smokescan-version-'));
  mkdirSync(join(copy, 'src'));
  for (const folder of ['shaders', 'src/engine'])
    cpSync(join(ROOT, folder), join(copy, folder), { recursive: true });
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

test('the version is that of the sources', () => {
  expect(kernelsVersion).toMatch(/^[0-9a-f]{12}$/);
  expect(kernelsVersion).toBe(versionOf(copy));
});

test('another shader, another tiling in an op and another expansion are other kernels; the rest of the engine is not', () => {
  const changed = (path: string): string => {
    const file = join(copy, path);
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, `${text}\n// changed`);
    const version = versionOf(copy);
    writeFileSync(file, text);
    return version;
  };
  const versions = ['shaders/matmul.wgsl', 'src/engine/ops/gemm.ts', 'src/engine/wgsl.ts'].map(changed);
  expect(new Set([kernelsVersion, ...versions]).size).toBe(4);
  expect(changed('src/engine/profile.ts')).toBe(kernelsVersion);
});
