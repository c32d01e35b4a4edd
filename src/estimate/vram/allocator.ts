/**
 * PyTorch's caching allocator, c10/cuda/CUDACachingAllocator.cpp at 2.2 with its default settings (nothing in
 * PYTORCH_CUDA_ALLOC_CONF): what it allocates, what it requests from CUDA, and what is unused in between. One stream.
 */
import { MIB } from '../../base/units';

/** kMinBlockSize: every request is rounded up to a multiple. */
const ROUNDING = 512;
/** kSmallSize: up to here a request is served from the small pool. */
const SMALL = MIB;
/** kSmallBuffer, kLargeBuffer, kMinLargeAlloc and kRoundLarge: what is requested from CUDA. */
const SMALL_SEGMENT = 2 * MIB;
const LARGE_SEGMENT = 20 * MIB;
const OWN_SEGMENT = 10 * MIB;
const SEGMENT_ROUNDING = 2 * MIB;

const roundUp = (bytes: number, to: number): number => Math.ceil(bytes / to) * to;

/** `round_size`: what a request of so many bytes counts as. */
export const roundSize = (bytes: number): number => Math.max(ROUNDING, roundUp(bytes, ROUNDING));

/**
 * `get_allocation_size`: what is requested from CUDA when no cached block serves a rounded request.
 * Exported for its tests.
 */
export function segmentSize(rounded: number): number {
  if (rounded <= SMALL) return SMALL_SEGMENT;
  return rounded < OWN_SEGMENT ? LARGE_SEGMENT : roundUp(rounded, SEGMENT_ROUNDING);
}

export interface Block {
  /** Where it lies; segments are given rising addresses, far apart. */
  readonly address: number;
  bytes: number;
  readonly small: boolean;
  free: boolean;
  previous: Block | undefined;
  next: Block | undefined;
}

/** CUDA has no memory left, although every cached segment was released. */
export class OutOfMemory extends Error {
  override name = 'OutOfMemory';
}

export class CachingAllocator {
  /** Bytes of the allocated blocks: `torch.cuda.memory_allocated`. */
  allocated = 0;
  /** Bytes of all segments: `torch.cuda.memory_reserved`. */
  reserved = 0;
  /** Free blocks, smallest first and lowest address first among equals. */
  readonly #free = { small: [] as Block[], large: [] as Block[] };
  #address = 0;

  /** `capacity`: bytes that CUDA has for segments. */
  constructor(readonly capacity = Infinity) {}

  /** `malloc`. Throws OutOfMemory where segments would exceed the capacity. */
  allocate(bytes: number): Block {
    const size = roundSize(bytes);
    const small = size <= SMALL;
    const block = this.#bestFit(size, small) ?? this.#segment(size, small);
    const rest = block.bytes - size;
    // `should_split`: what is left must be worth keeping.
    if (small ? rest >= ROUNDING : rest > SMALL) this.#split(block, size);
    block.free = false;
    this.allocated += block.bytes;
    return block;
  }

  /** `free_block`: merges with free neighbours of the same segment and stays cached. */
  release(block: Block): void {
    this.allocated -= block.bytes;
    let merged = block;
    const { previous, next } = block;
    if (next?.free) {
      this.#remove(next);
      merged.bytes += next.bytes;
      this.#link(merged, next.next);
    }
    if (previous?.free) {
      this.#remove(previous);
      previous.bytes += merged.bytes;
      this.#link(previous, merged.next);
      merged = previous;
    }
    merged.free = true;
    this.#insert(merged);
  }

  #bestFit(size: number, small: boolean): Block | undefined {
    const pool = this.#pool(small);
    const index = lowerBound(pool, size, -1);
    return index < pool.length ? pool.splice(index, 1)[0] : undefined;
  }

  #segment(size: number, small: boolean): Block {
    const bytes = segmentSize(size);
    if (this.reserved + bytes > this.capacity) this.#releaseCached();
    if (this.reserved + bytes > this.capacity)
      throw new OutOfMemory(`${bytes} bytes were asked for, ${this.capacity - this.reserved} are left`);
    this.reserved += bytes;
    const block: Block = {
      address: this.#address,
      bytes,
      small,
      free: false,
      previous: undefined,
      next: undefined,
    };
    this.#address += bytes + SEGMENT_ROUNDING;
    return block;
  }

  /** `release_cached_blocks`: segments that are free as a whole go back to CUDA. */
  #releaseCached(): void {
    for (const pool of [this.#free.small, this.#free.large])
      for (const block of [...pool])
        if (!block.previous && !block.next) {
          this.#remove(block);
          this.reserved -= block.bytes;
        }
  }

  #split(block: Block, size: number): void {
    const rest: Block = {
      address: block.address + size,
      bytes: block.bytes - size,
      small: block.small,
      free: true,
      previous: block,
      next: undefined,
    };
    this.#link(rest, block.next);
    this.#link(block, rest);
    block.bytes = size;
    this.#insert(rest);
  }

  #link(block: Block, next: Block | undefined): void {
    block.next = next;
    if (next) next.previous = block;
  }

  #pool(small: boolean): Block[] {
    return small ? this.#free.small : this.#free.large;
  }

  #insert(block: Block): void {
    const pool = this.#pool(block.small);
    pool.splice(lowerBound(pool, block.bytes, block.address), 0, block);
  }

  #remove(block: Block): void {
    const pool = this.#pool(block.small);
    pool.splice(lowerBound(pool, block.bytes, block.address), 1);
  }
}

/** Of blocks sorted by size and address, the first that does not come before (bytes, address). */
function lowerBound(pool: readonly Block[], bytes: number, address: number): number {
  let [low, high] = [0, pool.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const block = pool[middle] as Block;
    if (block.bytes < bytes || (block.bytes === bytes && block.address < address)) low = middle + 1;
    else high = middle;
  }
  return low;
}
