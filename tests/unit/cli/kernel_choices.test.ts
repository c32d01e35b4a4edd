import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fileChoices } from '../../../src/cli/kernel_choices';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'smokescan-choices-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('choices are found again, those of other kernels and of a damaged file are not', async () => {
  const path = join(folder, 'deep', 'kernels.json');
  const first = await fileChoices(path);
  first.set('a key', 'a variant');
  first.set('another', 'b variant');
  await expect.poll(async () => (await fileChoices(path)).get('another')).toBe('b variant');
  expect((await fileChoices(path)).get('a key')).toBe('a variant');

  const text = readFileSync(path, 'utf8');
  writeFileSync(path, text.replace(/"version":"\w+"/, '"version":"other"'));
  expect((await fileChoices(path)).get('a key')).toBe(undefined);
  writeFileSync(path, text.slice(0, 20));
  expect((await fileChoices(path)).get('a key')).toBe(undefined);
});

test('two commands that choose at once keep the choices of both', async () => {
  const path = join(folder, 'two.json');
  const [one, other] = [await fileChoices(path), await fileChoices(path)];
  one.set('a key', 'a variant');
  await expect.poll(async () => (await fileChoices(path)).get('a key')).toBe('a variant');
  other.set('another', 'b variant');
  await expect.poll(async () => (await fileChoices(path)).get('another')).toBe('b variant');
  expect((await fileChoices(path)).get('a key')).toBe('a variant');
});

test('where the file cannot be written, choices last as long as the command', async () => {
  writeFileSync(join(folder, 'file'), '');
  const choices = await fileChoices(join(folder, 'file', 'kernels.json'));
  choices.set('a key', 'a variant');
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(choices.get('a key')).toBe('a variant');
});
