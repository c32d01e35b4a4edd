/** `smokescan app`, which `npm start` runs, in a process of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { HEADERS } from '../../security_headers';
import { startApp } from './app';

const run = (port: number) => {
  const bin = join(import.meta.dirname, '../../src/cli/run.mjs');
  return spawn(process.execPath, [bin, 'app', '--port', `${port}`], { stdio: ['ignore', 'pipe', 'pipe'] });
};

test('the app is served with its headers until Ctrl-C; on a port in use a sentence ends the command', async () => {
  // Which also builds it.
  await startApp();
  const taken = createServer().listen(0, 'localhost');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const rejected = run(port);
  const exit = once(rejected, 'exit');
  expect((await rejected.stderr.toArray()).join('')).toMatch(
    new RegExp(`^Port ${port} is in use, .* smokescan app --port \\d+, or npm start -- --port N\\.\n$`),
  );
  expect(await exit).toEqual([1, null]);
  taken.close();
  await once(taken, 'close');

  const child = run(port);
  const ended = once(child, 'exit');
  for await (const line of createInterface(child.stdout)) {
    expect(line).toBe(`The app is at http://localhost:${port}/. Ctrl-C ends it.`);
    const answer = await fetch(`http://localhost:${port}/`);
    expect(answer.headers.get('content-security-policy')).toBe(HEADERS['Content-Security-Policy']);
    child.kill('SIGINT');
  }
  expect(await ended).toEqual([0, null]);
});
