import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { Signals, stoppable, StoppedError } from '../../../src/cli/signals';

test.skipIf(process.platform === 'win32').each(['SIGINT', 'SIGTERM'] as const)(
  'a busy command answers the first %s, and the second ends it at once and leaves nothing',
  async (signal) => {
    const folder = mkdtempSync(join(tmpdir(), 'smokescan-signals-'));
    const scratch = join(folder, 'scratch');
    const child = spawn(process.execPath, ['tests/load.mjs', 'unit/cli/endless.ts', scratch]);
    const ended = once(child, 'exit');
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    const errors = createInterface(child.stderr)[Symbol.asyncIterator]();
    expect((await lines.next()).value).toBe('running');
    expect(existsSync(scratch)).toBe(true);
    child.kill(signal);
    expect((await errors.next()).value).toMatch(/^Stopping after what is under way/);
    child.kill(signal);
    expect(await ended).toEqual([null, signal]);
    expect(existsSync(scratch)).toBe(false);
    rmSync(folder, { recursive: true });
  },
);

test('a signal before a job stops it before it runs', async () => {
  const signals = new Signals();
  signals.stop();
  expect(signals.check).toThrow(StoppedError);
  let ran = false;
  await expect(signals.run({ run: async () => void (ran = true), stop: () => undefined })).rejects.toThrow(
    StoppedError,
  );
  expect(ran).toBe(false);
  const code = await stoppable((late) => {
    process.emit('SIGINT');
    late.check();
    return Promise.resolve(0);
  });
  expect(code).toBe(1);
});

test.skipIf(process.platform === 'win32')('a reader that stops before the end is no success', async () => {
  const child = spawn(process.execPath, ['src/cli/run.mjs', '--help']);
  child.stdout.destroy();
  expect(await once(child, 'exit')).toEqual([141, null]);
});
