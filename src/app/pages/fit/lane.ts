/** One question at a time: while one is under way, of those that come only the last is asked after it. */
export class Lane {
  #busy = false;
  #next: (() => Promise<void>) | undefined;

  ask(question: () => Promise<void>): void {
    this.#next = question;
    if (!this.#busy) void this.#work();
  }

  async #work(): Promise<void> {
    this.#busy = true;
    for (let question = this.#next; question; question = this.#next) {
      this.#next = undefined;
      await question();
    }
    this.#busy = false;
  }
}
