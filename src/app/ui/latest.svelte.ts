import type { Answer } from './answer';

/**
 * Asks a worker. It may call `show` with values so far; false says that nobody waits for more of them. Undefined: there is no
 * answer, and the reason has been shown.
 */
export type Question<T> = (show: (value: T) => boolean) => Promise<Answer<T> | undefined>;

/**
 * The newest answer to a question that is asked again and again, such as while a slider moves. One question is under way at
 * a time; of those that come meanwhile only the last is asked after it.
 */
export class Latest<T> {
  value = $state.raw<T | undefined>();
  /** Why there is no value. */
  problem = $state<string | undefined>();
  /** Whether a question is under way, so that `value` is of an earlier one. */
  busy = $state(false);
  // Not reactive: an effect that asks must not run again when the answer comes.
  #working = false;
  #next: Question<T> | undefined;
  #cleared = 0;

  /** The value of the last question stays until there is an answer to this one. */
  ask(question: Question<T>): void {
    this.#next = question;
    if (!this.#working) void this.#work();
  }

  /** Forgets the value, and drops what is under way. */
  clear(): void {
    this.#next = undefined;
    this.#cleared++;
    this.value = undefined;
    this.problem = undefined;
  }

  async #work(): Promise<void> {
    this.#working = this.busy = true;
    try {
      for (let question = this.#next; question; question = this.#next) {
        this.#next = undefined;
        await this.#one(question);
      }
    } finally {
      this.#working = this.busy = false;
    }
  }

  async #one(question: Question<T>): Promise<void> {
    const cleared = this.#cleared;
    const answer = await question((value) => {
      if (cleared !== this.#cleared) return false;
      this.#take({ value });
      return this.#next === undefined;
    });
    if (answer && cleared === this.#cleared) this.#take(answer);
  }

  #take(answer: Answer<T>): void {
    this.value = 'value' in answer ? answer.value : undefined;
    this.problem = 'problem' in answer ? answer.problem : undefined;
  }
}
