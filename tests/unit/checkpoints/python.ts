import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Debian's interpreter, which has python3-torch, may not be the first on the path. */
const CANDIDATES = ['python3', '/usr/bin/python3'];

const HAS_TORCH = 'import importlib.util, sys; sys.exit(importlib.util.find_spec("torch") is None)';

/** A Python that has PyTorch; says aloud where there is none. */
export const pythonWithTorch = CANDIDATES.find((python) => spawnSync(python, ['-c', HAS_TORCH]).status === 0);

if (pythonWithTorch === undefined)
  console.warn(
    'Tests against PyTorch are skipped: no python3 here can import torch (on Debian: python3-torch).',
  );

/** Imports PyTorch, which takes two seconds, once, and runs each script in a fork of itself; ends when stdin does. */
const SERVER = `
import contextlib, io, json, os, select, signal, socket, sys, traceback
import torch
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen()
def answer(connection):
    script, *args = json.loads(connection.makefile().read())
    sys.argv = ['-c', *args]
    out, err, status = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            exec(compile(script, '<script>', 'exec'), {'__name__': '__main__'})
        except BaseException:
            traceback.print_exc()
            status = 1
    connection.sendall(json.dumps([status, out.getvalue(), err.getvalue()]).encode())
while True:
    ready, _, _ = select.select([server, sys.stdin], [], [])
    if sys.stdin in ready: break
    connection, _ = server.accept()
    if os.fork() == 0:
        answer(connection)
        connection.close()
        os._exit(0)
    connection.close()
`;

/** Hands its input to the server, for which it waits until it is there, and prints the answer. */
const CLIENT = `
import socket, sys, time
connection = socket.socket(socket.AF_UNIX)
while True:
    try:
        connection.connect(sys.argv[1])
        break
    except OSError:
        time.sleep(0.02)
connection.sendall(sys.stdin.buffer.read())
connection.shutdown(socket.SHUT_WR)
sys.stdout.write(connection.makefile().read())
`;

let address: string | undefined;

/** Starts the server of this process. */
function startServer(python: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'smokescan-torch-'));
  const path = join(folder, 'socket');
  const server = spawn(python, ['-c', SERVER, path], { stdio: ['pipe', 'ignore', 'inherit'] });
  server.unref();
  (server.stdin as unknown as { unref(): void }).unref();
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return path;
}

/** Runs a script with PyTorch and returns the JSON that it prints. */
export function torch(script: string, ...args: string[]): unknown {
  if (pythonWithTorch === undefined) throw new Error('there is no PyTorch here');
  address ??= startServer(pythonWithTorch);
  const { status, stdout, stderr } = spawnSync(pythonWithTorch, ['-S', '-c', CLIENT, address], {
    input: JSON.stringify([script, ...args]),
    encoding: 'utf8',
    timeout: 120_000,
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(`the way to PyTorch ended with ${status}:\n${stderr}`);
  const [ended, out, errors] = JSON.parse(stdout) as [number, string, string];
  if (ended !== 0) throw new Error(`python3 ended with an error:\n${errors}`);
  return JSON.parse(out);
}
