/** The order in which windows are drawn: each epoch a new permutation, which seed and epoch alone decide. */
import { Random } from '../../base/random';

/** Plain data; a sampler made with it goes on where the other one stood. */
export interface SamplerState {
  readonly epoch: number;
  /** Windows of the epoch that are drawn. */
  readonly position: number;
}

export class Sampler {
  #epoch: number;
  #position: number;
  #order: Uint32Array;

  /** Draws from [0, count). Throws RangeError for a state that does not fit. */
  constructor(
    readonly count: number,
    readonly seed: number,
    { epoch, position }: SamplerState = { epoch: 0, position: 0 },
  ) {
    if (
      !Number.isInteger(epoch) ||
      epoch < 0 ||
      !Number.isInteger(position) ||
      position < 0 ||
      position > count
    )
      throw new RangeError(`window ${position} of epoch ${epoch} is no place among ${count} windows`);
    this.#epoch = epoch;
    this.#position = position;
    this.#order = this.#permutation();
  }

  get state(): SamplerState {
    return { epoch: this.#epoch, position: this.#position };
  }

  /** Up to `size` of what is left of the epoch; nothing at its end. */
  next(size: number): number[] {
    const drawn = [...this.#order.subarray(this.#position, this.#position + size)];
    this.#position += drawn.length;
    return drawn;
  }

  /** Begins the next epoch. */
  advance(): void {
    this.#epoch++;
    this.#position = 0;
    this.#order = this.#permutation();
  }

  #permutation(): Uint32Array {
    const order = Uint32Array.from({ length: this.count }, (_, i) => i);
    new Random(this.seed, `epoch ${this.#epoch}`).shuffle(order);
    return order;
  }
}
