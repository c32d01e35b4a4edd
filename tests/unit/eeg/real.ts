/** Real recordings that lie beside the repository, where they do. Tests say aloud what they skip. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'vitest';

const folder = fileURLToPath(new URL('../../../../shared/data/', import.meta.url));

export const realBytes = (name: string): Uint8Array => new Uint8Array(readFileSync(folder + name));
export const realText = (name: string): string => readFileSync(folder + name, 'utf8');

/** A test that needs `files` of the folder; skipped with a message where one is missing. */
export function testWithReal(name: string, files: readonly string[], body: () => void | Promise<void>): void {
  const missing = files.filter((file) => !existsSync(folder + file));
  if (missing.length > 0) console.warn(`skipped "${name}": ${missing.join(', ')} not in ${folder}`);
  test.skipIf(missing.length > 0)(name, body);
}
