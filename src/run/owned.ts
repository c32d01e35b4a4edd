/** Collects resources, and frees them in the reverse order. */
export class Owned {
  readonly #things: { destroy(): void }[] = [];

  add<T extends { destroy(): void }>(thing: T): T {
    this.#things.push(thing);
    return thing;
  }

  destroy(): void {
    for (const thing of this.#things.reverse()) thing.destroy();
  }
}
