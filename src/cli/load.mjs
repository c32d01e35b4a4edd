// Runs the `main` of a TypeScript module in Node, in a thread of its own: kernels compile for up to a minute without a turn of the
// event loop, and a signal is answered at once all the same.
import { rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SHARE_ENV, Worker } from 'node:worker_threads';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** Loads `module`, a path from the root, and ends the process with the exit code that its main(args) returns. */
export async function runModule(module, args) {
  const worker = new Worker(new URL('./thread.mjs', import.meta.url), {
    // The Vulkan loader reads the environment of the process.
    env: SHARE_ENV,
    workerData: { smokescan: { module, args, root, terminal: Boolean(process.stderr.isTTY) } },
  });
  const code = new Promise((done) => {
    worker.on('exit', done);
    worker.on('error', (error) => {
      console.error(error);
      done(1);
    });
  });
  answerSignals(worker);
  const ended = await code;
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  // Dawn and the Vite server keep threads alive, so the process is ended rather than awaited.
  process.exit(ended);
}

/** The first signal stops the job that is under way, if it can be stopped; the next of any kind ends the process as the system does it. */
function answerSignals(worker) {
  /** What is said to the first signal; undefined while there is no job to stop. */
  let answer;
  const leftovers = new Set();
  worker.on('message', ({ stoppable, leftover, gone }) => {
    if (stoppable !== undefined) answer = stoppable || undefined;
    if (leftover !== undefined) leftovers.add(leftover);
    if (gone !== undefined) leftovers.delete(gone);
  });
  const signals = ['SIGINT', 'SIGTERM'];
  const handle = (signal) => {
    if (answer !== undefined) {
      // In place of the line of progress that stands there.
      console.error(process.stderr.isTTY ? `\r\x1b[K${answer}` : answer);
      answer = undefined;
      worker.postMessage({ signal });
      return;
    }
    for (const path of leftovers) rmSync(path, { recursive: true, force: true });
    for (const one of signals) process.removeAllListeners(one);
    process.kill(process.pid, signal);
  };
  for (const signal of signals) process.on(signal, () => handle(signal));
}

const flushed = (stream) => new Promise((done) => stream.write('', done));
