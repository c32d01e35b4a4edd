/** Things to be given back, the last one first. */
export class Held {
  readonly #things: { destroy(): void }[] = [];

  add<T extends { destroy(): void }>(thing: T): T {
    this.#things.push(thing);
    return thing;
  }

  destroy(): void {
    for (const thing of this.#things.reverse()) thing.destroy();
  }
}
