/** `npx smokescan app`: the built app, served to this machine's browser with the headers that keep it from any other origin. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, extname, join, resolve, sep } from 'node:path';
import { HEADERS } from '../../security_headers';
import { SettingsError } from '../run/failure';
import { number, runCommand } from './command_line';
import { isFileError } from './file_error';
import { complain, print } from './print';
import { stoppable } from './signals';

/** Runs and checkpoints are stored per origin: on another port they would seem lost. */
const PORT = 4173;

/** Of all files that a build has; of others a browser does not sniff. */
const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/manifest+json',
};

export interface Served {
  /** With a slash at its end. */
  readonly url: string;
  close(): Promise<void>;
}

interface Where {
  /** 0 for any that is free. */
  readonly port: number;
  readonly host?: string;
}

/**
 * Serves the files of a folder, read anew at each request, with the headers of security_headers.ts on every answer. Throws
 * SettingsError where the port cannot be had.
 */
export async function serve(folder: string, { port, host = 'localhost' }: Where): Promise<Served> {
  const server = createServer((request, response) => {
    answer(folder, request, response).catch((error: unknown) => {
      complain(`${request.url ?? ''} could not be served: ${String(error)}`);
      response.destroy();
    });
  });
  try {
    // Rejects where the server reports an error instead.
    await once(server.listen(port, host), 'listening');
  } catch (error) {
    throw isFileError(error) ? new SettingsError(portSentence(port, host, error)) : error;
  }
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}/`,
    async close() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

/** Why a port cannot be had, and what to do. */
function portSentence(port: number, host: string, { code, message }: NodeJS.ErrnoException): string {
  const other = `Runs are kept for each port, so another one has runs of its own: smokescan app --port ${port < 65_535 ? port + 1 : PORT}, or npm start -- --port N.`;
  if (code === 'EADDRINUSE')
    return `Port ${port} is in use, perhaps by this app: open http://${host}:${port}/, or end what has it. ${other}`;
  if (code === 'EACCES') return `This account may not have port ${port}; choose one from 1024. ${other}`;
  return `Port ${port} cannot be had: ${message}. ${other}`;
}

async function answer(folder: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const finish = (status: number, type: string, body: string | Uint8Array): void => {
    // What was kept of an older build would be mixed with this one.
    response.writeHead(status, {
      ...HEADERS,
      'Cache-Control': 'no-cache',
      'Content-Type': type,
      'Content-Length': Buffer.byteLength(body),
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  };
  const reject = (status: number, sentence: string): void => finish(status, 'text/plain', `${sentence}\n`);
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return reject(405, 'Files are read here, and nothing else.');
  const path = pathIn(folder, request.url ?? '/');
  if (path === undefined) return reject(404, 'There is no such file.');
  let bytes;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if (!isFileError(error)) throw error;
    return reject(404, 'There is no such file.');
  }
  finish(200, TYPES[extname(path)] ?? 'application/octet-stream', bytes);
}

/** The file that an address means; undefined where it would be outside the folder, or the address is none. */
function pathIn(folder: string, url: string): string | undefined {
  try {
    const { pathname } = new URL(url, 'http://localhost');
    const path = resolve(
      folder,
      `.${decodeURIComponent(pathname)}${pathname.endsWith('/') ? 'index.html' : ''}`,
    );
    return path.startsWith(resolve(folder) + sep) && !path.includes('\0') ? path : undefined;
  } catch (error) {
    if (error instanceof TypeError || error instanceof URIError) return undefined;
    throw error;
  }
}

/** The folder of the repository or of the package: what is built lies in it, whether this file is built or not. */
function ownFolder(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'package.json')) && folder !== dirname(folder)) folder = dirname(folder);
  return folder;
}

const COMMAND = {
  name: 'app',
  takes: [],
  about: 'Serves the app to the browser of this machine, and to no other, until Ctrl-C.',
  options: {
    port: number('N', `the port, ${PORT} unless told; the browser keeps runs for each`, {
      whole: true,
      min: 1,
      max: 65_535,
    }),
  },
  notes:
    'Exit code 0 after Ctrl-C; 1 where the port is in use or the app is not built; 2 for wrong arguments.',
};

/** Command `app`. */
export const main = (args: readonly string[]): Promise<number> =>
  runCommand(COMMAND, args, async ({ values: { port = PORT } }) =>
    stoppable(async (signals) => {
      const built = join(ownFolder(), 'dist');
      if (!existsSync(join(built, 'index.html')))
        throw new SettingsError(`${built} has no built app; build it with npx vite build, or use npm start`);
      const served = await serve(built, { port });
      print(`The app is at ${served.url}. Ctrl-C ends it.`);
      let stop = (): void => undefined;
      const ended = new Promise<void>((done) => (stop = done));
      await signals.run({ run: () => ended, stop });
      await served.close();
      return 0;
    }),
  );
