import { MIB } from '../../../src/base/units';
import { describe, expect, it } from 'vitest';
import { CachingAllocator, OutOfMemory, roundSize, segmentSize } from '../../../src/estimate/vram/allocator';
import { Random } from '../../../src/base/random';

describe('sizes', () => {
  it.each([
    [1, 512],
    [512, 512],
    [513, 1024],
    [MIB, MIB],
  ])('a request of %i bytes is rounded up to %i', (bytes, rounded) => expect(roundSize(bytes)).toBe(rounded));

  it.each([
    [512, 2 * MIB],
    [MIB, 2 * MIB],
    [MIB + 512, 20 * MIB],
    [10 * MIB - 512, 20 * MIB],
    [10 * MIB, 10 * MIB],
    [10 * MIB + 512, 12 * MIB],
  ])('a block of %i bytes starts a segment of %i', (rounded, segment) =>
    expect(segmentSize(rounded)).toBe(segment),
  );
});

describe('the caching allocator', () => {
  it('serves small requests from one segment of 2 MiB', () => {
    const allocator = new CachingAllocator();
    const first = allocator.allocate(1000);
    const second = allocator.allocate(4);
    expect([first.address, first.bytes, second.address, second.bytes]).toEqual([0, 1024, 1024, 512]);
    expect([allocator.allocated, allocator.reserved]).toEqual([1536, 2 * MIB]);
  });

  it('keeps a large block whole where 1 MiB or less would be left', () => {
    const allocator = new CachingAllocator();
    expect(allocator.allocate(11 * MIB).bytes).toBe(12 * MIB);
    expect(allocator.allocate(11 * MIB - 512).bytes).toBe(11 * MIB - 512);
    expect(allocator.allocate(5 * MIB).bytes).toBe(5 * MIB);
    expect(allocator.reserved).toBe((12 + 12 + 20) * MIB);
    expect(allocator.allocated).toBe((12 + 11 + 5) * MIB - 512);
  });

  it('takes the smallest free block that does, and the lowest of equals', () => {
    const allocator = new CachingAllocator();
    const blocks = [30, 14, 22, 14].map((mebibytes) => allocator.allocate(mebibytes * MIB));
    for (const block of blocks) allocator.release(block);
    expect(allocator.allocated).toBe(0);
    const again = allocator.allocate(13 * MIB);
    expect([again.address, again.bytes]).toEqual([blocks[1]?.address, 14 * MIB]);
    expect(allocator.allocate(14 * MIB).address).toBe(blocks[3]?.address);
    expect(allocator.allocate(2 * MIB).address).toBe(blocks[2]?.address);
    expect(allocator.reserved).toBe(80 * MIB);
  });

  it('joins freed neighbours of a segment, on both sides', () => {
    const allocator = new CachingAllocator();
    const [a, b, c] = [4, 4, 4].map((mebibytes) => allocator.allocate(mebibytes * MIB));
    if (!a || !b || !c) throw new Error('three blocks were allocated');
    allocator.release(a);
    allocator.release(c);
    allocator.release(b);
    const whole = allocator.allocate(19.5 * MIB);
    expect([whole.address, whole.bytes]).toEqual([0, 20 * MIB]);
    expect(allocator.reserved).toBe(20 * MIB);
  });

  it('never mixes the small and the large pool', () => {
    const allocator = new CachingAllocator();
    allocator.release(allocator.allocate(5 * MIB));
    allocator.allocate(MIB);
    expect(allocator.reserved).toBe(22 * MIB);
  });

  it('gives free segments back before it gives up', () => {
    const allocator = new CachingAllocator(40 * MIB);
    allocator.release(allocator.allocate(30 * MIB));
    expect(allocator.allocate(36 * MIB).bytes).toBe(36 * MIB);
    expect(allocator.reserved).toBe(36 * MIB);
    expect(() => allocator.allocate(6 * MIB)).toThrow(OutOfMemory);
  });

  it('cannot give back a segment of which a part is used', () => {
    const allocator = new CachingAllocator(40 * MIB);
    const big = allocator.allocate(30 * MIB);
    allocator.release(big);
    allocator.allocate(2 * MIB);
    expect(() => allocator.allocate(36 * MIB)).toThrow(OutOfMemory);
  });

  it('keeps its books over ten thousand random requests', () => {
    const random = new Random(7);
    const capacity = 16 * 2 ** 30;
    const allocator = new CachingAllocator(capacity);
    const held: ReturnType<CachingAllocator['allocate']>[] = [];
    let wrong = 0;
    for (let i = 0; i < 10_000; i++) {
      if (held.length > 60 || (held.length > 0 && random.integer(2) === 0)) {
        const [gone] = held.splice(random.integer(held.length), 1);
        if (gone) allocator.release(gone);
        continue;
      }
      const bytes = Math.ceil(2 ** random.uniform(0, 27));
      const block = allocator.allocate(bytes);
      const apart = (other: typeof block): boolean =>
        block.address + block.bytes <= other.address || other.address + other.bytes <= block.address;
      if (block.bytes < bytes || !held.every(apart)) wrong++;
      held.push(block);
    }
    expect(wrong).toBe(0);
    expect(allocator.allocated).toBe(held.reduce((sum, { bytes }) => sum + bytes, 0));
    for (const block of held) allocator.release(block);
    expect(allocator.allocated).toBe(0);
    // Only segments that were joined whole again can make room for this.
    expect(allocator.reserved).toBeGreaterThan(0);
    expect(allocator.allocate(capacity).bytes).toBe(capacity);
    expect(allocator.reserved).toBe(capacity);
  });
});
