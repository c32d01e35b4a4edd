/** Collects resources, and frees them in the reverse order. */
export class Owned {
  readonly #things: { destroy(): void }[] = [];
  #destroyed = false;

  /** What comes too late is freed at once. */
  add<T extends { destroy(): void }>(thing: T): T {
    if (this.#destroyed) thing.destroy();
    else this.#things.push(thing);
    return thing;
  }

  destroy(): void {
    this.#destroyed = true;
    for (const thing of this.#things.reverse()) thing.destroy();
  }
}
