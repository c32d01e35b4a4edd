/**
 * Seeded random numbers for initial weights, sampling, synthetic data and simulations: sfc32 (Chris Doty-Humphrey's PractRand, "small fast
 * counting", 128 bits of state), keyed by a hash of a seed and a name, so that each parameter, recording, channel and
 * epoch draws its own numbers whatever was drawn before. Stored runs resume with the numbers they started with only while
 * this file's arithmetic stays as it is.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** `seed`: a whole number within ±2⁵³; `name`: what the numbers are for. */
  constructor(
    readonly seed: number,
    readonly name = '',
  ) {
    if (!Number.isSafeInteger(seed))
      throw new RangeError(`a seed is a whole number within ±2⁵³; it is ${seed}`);
    const key = `${seed} ${name}`;
    this.#a = fnv1a(key, 0x811c9dc5);
    this.#b = fnv1a(key, 0x9e3779b9);
    this.#c = fnv1a(key, 0x85ebca6b);
    for (let i = 0; i < 15; i++) this.bits();
  }

  /** Numbers of their own for a part of what this one is for; asking twice gives the same numbers twice. */
  stream(name: string): Random {
    return new Random(this.seed, `${this.name}/${name}`);
  }

  /** A whole number in [0, 2³²). */
  bits(): number {
    const result = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + result) | 0;
    return result >>> 0;
  }

  /** Uniform in [low, high). */
  uniform(low = 0, high = 1): number {
    return low + (high - low) * (this.bits() / 2 ** 32);
  }

  /** A whole number in [0, bound), for bounds from 1 to 2³². The bias is below bound · 2⁻³². */
  integer(bound: number): number {
    if (!Number.isInteger(bound) || bound < 1 || bound > 2 ** 32)
      throw new RangeError(`integer() needs a whole bound from 1 to 2³²; it is ${bound}`);
    return Math.floor(this.uniform() * bound);
  }

  /** Normal by Box & Muller (1958): √(−2 ln u) · cos(2πv), u in (0, 1]. Takes two draws. */
  normal(mean = 0, deviation = 1): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return mean + deviation * radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Fisher–Yates in place. */
  shuffle(values: { [index: number]: number; readonly length: number }): void {
    for (let i = values.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const kept = values[i] ?? 0;
      values[i] = values[j] ?? 0;
      values[j] = kept;
    }
  }

  /** `count` different whole numbers of [0, bound), or all of them where there are fewer, in rising order. */
  choose(count: number, bound: number): number[] {
    const all = Uint32Array.from({ length: bound }, (_, i) => i);
    this.shuffle(all);
    return [...all.subarray(0, Math.max(0, count))].sort((a, b) => a - b);
  }
}

/** 32-bit FNV-1a (Fowler, Noll & Vo) over UTF-16 code units, with the final mixing of MurmurHash3. */
function fnv1a(text: string, basis: number): number {
  let hash = basis | 0;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
