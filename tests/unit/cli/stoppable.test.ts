import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';

test.skipIf(process.platform === 'win32').each(['SIGINT', 'SIGTERM'] as const)(
  'the first %s stops a job, the second ends the process at once',
  async (signal) => {
    const child = spawn(process.execPath, ['tests/load.mjs', 'unit/cli/endless.ts']);
    const ended = once(child, 'exit');
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    const errors = createInterface(child.stderr)[Symbol.asyncIterator]();
    expect((await lines.next()).value).toBe('running');
    child.kill(signal);
    expect((await errors.next()).value).toMatch(/^Stopping after what is under way/);
    expect((await lines.next()).value).toBe('told to stop');
    child.kill(signal);
    expect(await ended).toEqual([null, signal]);
  },
);
