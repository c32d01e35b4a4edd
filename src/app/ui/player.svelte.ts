/** Plays over a span: of simulated seconds, of steps of a run. */

/** Real seconds for the whole span. */
const REAL_SECONDS = 12;
/** Without motion the picture jumps from place to place instead. */
const JUMPS = 12;

export class Player {
  /** Within the span. */
  at = $state(0);
  playing = $state(false);
  span = $state(0);
  readonly #calm = matchMedia('(prefers-reduced-motion: reduce)');
  #frame = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Begins a new span; plays at once where motion is welcome, otherwise shows its end. */
  start(span: number): void {
    this.pause();
    this.span = span;
    this.at = this.#calm.matches ? span : 0;
    if (!this.#calm.matches) this.play();
  }

  play(): void {
    if (this.playing) return;
    if (this.at >= this.span) this.at = 0;
    this.playing = true;
    if (this.#calm.matches) this.#jump();
    else this.#run(performance.now());
  }

  pause(): void {
    this.playing = false;
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#timer);
  }

  toggle(): void {
    if (this.playing) this.pause();
    else this.play();
  }

  seek(to: number): void {
    this.pause();
    this.at = Math.min(this.span, Math.max(0, to));
  }

  #run(last: number): void {
    this.#frame = requestAnimationFrame((now) => {
      if (this.#advance((Math.max(0, now - last) / 1000 / REAL_SECONDS) * this.span)) this.#run(now);
    });
  }

  #jump(): void {
    this.#timer = setTimeout(() => {
      if (this.#advance(this.span / JUMPS)) this.#jump();
    }, 1000);
  }

  /** False where the end is reached. */
  #advance(by: number): boolean {
    this.at = Math.min(this.span, this.at + by);
    if (this.at >= this.span) this.playing = false;
    return this.playing;
  }
}
