/** Minimum time between two announcements of progress. */
const MILLISECONDS = 10_000;

/** What screen readers say: each change of phase at once, progress only now and then. */
export class Announcer {
  text = $state('');
  #phase = '';
  #last = 0;

  hear(phase: string, sentence: string): void {
    const now = performance.now();
    if (phase === this.#phase && now - this.#last < MILLISECONDS) return;
    this.#phase = phase;
    this.#last = now;
    this.text = sentence;
  }
}
