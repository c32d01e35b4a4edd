/** A worker that answers questions, each in time or not at all: a file from a stranger may keep a reader for ever. */
import { releaseProxy, wrap, type Remote } from 'comlink';

/** There was no answer in time. */
export class TooLong extends Error {
  override name = 'TooLong';
}

export class WorkerLink<T> {
  #worker: Worker | undefined;
  #remote: Remote<T> | undefined;

  /** `start` makes the worker, when it is first asked and after one took longer than `seconds`. */
  constructor(
    private readonly start: () => Worker,
    private readonly seconds: number,
  ) {}

  /**
   * Throws TooLong where there is no answer in time; the worker is ended then. An error of the answer keeps its name and
   * message. `seconds`: for this question.
   */
  async ask<A>(question: (worker: Remote<T>) => Promise<A>, seconds = this.seconds): Promise<A> {
    const remote = (this.#remote ??= wrap<T>((this.#worker = this.start())));
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        if (this.#remote === remote) this.#stop();
        reject(
          new TooLong(`it takes longer than ${Math.round(seconds)} seconds to read; choose another file`),
        );
      }, 1000 * seconds);
    });
    try {
      return await Promise.race([question(remote), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  #stop(): void {
    this.#remote?.[releaseProxy]();
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#remote = undefined;
  }
}
