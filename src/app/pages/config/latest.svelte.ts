import type { Remote } from 'comlink';
import type { Answer, Inspector } from './worker';
import type { Workspace } from './workspace.svelte';

/** The worker's answer to the last question; those to earlier ones are dropped. */
export class Latest<T> {
  value = $state.raw<T | undefined>();
  problem = $state<string | undefined>();
  busy = $state(false);
  #asked = 0;

  constructor(private readonly work: Workspace) {}

  async ask(about: string, question: (inspector: Remote<Inspector>) => Promise<Answer<T>>): Promise<void> {
    const number = ++this.#asked;
    this.busy = true;
    const answer = await this.work.ask(about, question);
    if (number !== this.#asked) return;
    this.busy = false;
    if (!answer) return;
    this.value = 'value' in answer ? answer.value : undefined;
    this.problem = 'problem' in answer ? answer.problem : undefined;
  }

  clear(): void {
    this.#asked++;
    this.busy = false;
    this.value = undefined;
    this.problem = undefined;
  }
}
