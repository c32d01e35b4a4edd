import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { HEADERS } from '../../../security_headers';
import { serve, type Served } from '../../../src/cli/app';

let folder: string;
let served: Served;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'smokescan-app-'));
  mkdirSync(join(folder, 'dist/assets'), { recursive: true });
  writeFileSync(join(folder, 'secret'), 'secret');
  writeFileSync(join(folder, 'dist/index.html'), '<p>ä</p>');
  writeFileSync(join(folder, 'dist/assets/a worker.js'), 'onmessage = null;');
  served = await serve(join(folder, 'dist'), { port: 0, host: '127.0.0.1' });
});
afterAll(async () => {
  await served.close();
  rmSync(folder, { recursive: true });
});

/** A request as it is written: fetch would tidy its address. */
async function ask(path: string, method = 'GET') {
  const { hostname, port } = new URL(served.url);
  const sent = request({ host: hostname, port, path, method }).end();
  const [response] = (await once(sent, 'response')) as [import('node:http').IncomingMessage];
  const body = (await response.toArray()).join('');
  return { status: response.statusCode, headers: response.headers, body };
}

test.each([
  ['/', 200, '<p>ä</p>', 'text/html; charset=utf-8'],
  ['/?open', 200, '<p>ä</p>', 'text/html; charset=utf-8'],
  ['/assets/a%20worker.js', 200, 'onmessage = null;', 'text/javascript; charset=utf-8'],
  ['/assets', 404, 'There is no such file.\n', 'text/plain'],
  ['/none.js', 404, 'There is no such file.\n', 'text/plain'],
  ['/../secret', 404, 'There is no such file.\n', 'text/plain'],
  ['/..%2fsecret', 404, 'There is no such file.\n', 'text/plain'],
  ['/%2e%2e/secret', 404, 'There is no such file.\n', 'text/plain'],
  ['/%', 404, 'There is no such file.\n', 'text/plain'],
  ['/index.html%00', 404, 'There is no such file.\n', 'text/plain'],
])('%s is answered with %i, and with every header of security', async (path, status, body, type) => {
  const answer = await ask(path);
  expect(answer).toMatchObject({ status, body });
  const lower = Object.entries(HEADERS).map(([name, value]) => [name.toLowerCase(), value]);
  expect(answer.headers).toMatchObject({ ...Object.fromEntries(lower), 'content-type': type });
});

test('nothing is written', async () => {
  expect(await ask('/', 'POST')).toMatchObject({ status: 405 });
  expect(await ask('/', 'HEAD')).toMatchObject({ status: 200, body: '' });
});

test('a port in use is a sentence that says how to choose another', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  await expect(serve(folder, { port, host: '127.0.0.1' })).rejects.toThrow(
    `Port ${port} is in use, perhaps by this app: open http://127.0.0.1:${port}/, or end what has it. Runs are kept for each port, so another one has runs of its own: smokescan app --port ${port < 65_535 ? port + 1 : 4173}`,
  );
  taken.close();
});
