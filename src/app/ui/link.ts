import { messageOf } from '../../base/text';
import { wrap, type Remote } from 'comlink';
import type { Failure } from '../../run/protocol';

/** The training worker itself is missing or broke; what it says of the GPU comes as other errors. */
export class LinkError extends Error {
  override name = 'LinkError';
}

interface Connection<Api> {
  readonly remote: Remote<Api>;
  /** Rejects when the worker does not load or throws where nobody catches; never resolves. */
  readonly broken: Promise<never>;
}

/** The way to a worker. It is started by the first call, and anew by the first call after it broke. */
export class Link<Api> {
  #connection: Connection<Api> | null = null;

  constructor(private readonly create: () => Worker) {}

  /** The worker's answer, or LinkError: a call to a worker that did not load would wait for ever. */
  async call<T>(ask: (worker: Remote<Api>) => Promise<T>): Promise<T> {
    const { remote, broken } = (this.#connection ??= this.#connect());
    return Promise.race([ask(remote), broken]);
  }

  #connect(): Connection<Api> {
    const worker = this.create();
    const broken = new Promise<never>((_, reject) => {
      worker.addEventListener('error', (event) => {
        event.preventDefault();
        this.#connection = null;
        worker.terminate();
        reject(new LinkError(event.message || 'its script could not be loaded'));
      });
    });
    // It is delivered by call(); between calls nobody listens.
    broken.catch(() => undefined);
    return { remote: wrap<Api>(worker), broken };
  }
}

export function failureOf(error: unknown): Failure {
  const message = messageOf(error);
  if (error instanceof LinkError)
    return {
      kind: 'worker',
      message: `The training worker broke: ${message}.`,
      advice: 'Check the connection, reload the page and start again.',
    };
  return { kind: 'rejected', message, advice: 'Start again. If it happens again, reload the page.' };
}
