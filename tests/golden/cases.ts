import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { vi } from 'vitest';
import { main } from './main';

/** The folder of golden cases that belong to what the engine can do, and their names. */
export const CASES = join(import.meta.dirname, 'cases');
export const NAMES = readdirSync(CASES)
  .map((file) => file.replace('.safetensors', ''))
  .sort();

/** Runs `npm run golden -- ARGS` in this process. */
export async function golden(
  ...args: string[]
): Promise<{ code: number; lines: string[]; errors: string[] }> {
  const log = vi.spyOn(console, 'log').mockReturnValue(undefined);
  const error = vi.spyOn(console, 'error').mockReturnValue(undefined);
  try {
    const code = await main(args);
    return { code, lines: log.mock.calls.map(String), errors: error.mock.calls.map(String) };
  } finally {
    log.mockRestore();
    error.mockRestore();
  }
}
