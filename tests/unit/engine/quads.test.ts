import { expect, test } from 'vitest';
import { quadsFollowLanes, quadsRejected } from '../../../src/engine/quads';
import { testDevice } from './check-op';

const device = testDevice();
const defaults = testDevice({ defaultsOnly: true });

/** What lanes of a workgroup see whose quads are `quads`, each in the order of its lanes. */
function seenWith(quads: readonly (readonly number[])[]): Uint32Array {
  const seen = new Uint32Array(24 * quads.length);
  for (const quad of quads)
    for (const [place, lane] of quad.entries())
      seen.set([...quad, quad[place ^ 1] as number, quad[place ^ 2] as number], lane * 6);
  return seen;
}

test('quads are used where they are four lanes side by side, in order', () => {
  expect(quadsFollowLanes(seenWith([[0, 1, 2, 3]]))).toBe(true);
  expect(
    quadsFollowLanes(
      seenWith([
        [0, 1, 2, 3],
        [4, 5, 6, 7],
      ]),
    ),
  ).toBe(true);
});

test.each([
  [
    'blocks of two by two',
    [
      [0, 1, 4, 5],
      [2, 3, 6, 7],
    ],
  ],
  [
    'every second lane',
    [
      [0, 2, 4, 6],
      [1, 3, 5, 7],
    ],
  ],
  [
    'the right lanes in another order',
    [
      [0, 2, 1, 3],
      [4, 6, 5, 7],
    ],
  ],
  [
    'only the first quad as it should be',
    [
      [0, 1, 2, 3],
      [5, 4, 7, 6],
    ],
  ],
])('not where they are %s', (_, quads) => {
  expect(quadsFollowLanes(seenWith(quads))).toBe(false);
});

test('this device is asked, and its buffers are given back', async ({ skip }) => {
  if (!device().features.has('subgroups')) skip('this adapter has no subgroups');
  const before = device().allocatedBytes;
  expect(await quadsRejected(device())).toBe(device().quadsRejected);
  expect(device().capabilities.subgroups).toBe(device().quadsRejected === undefined);
  // Elsewhere they may rightly be rejected.
  if (device().capabilities.software) expect(device().quadsRejected).toBeUndefined();
  expect(device().allocatedBytes).toBe(before);
});

test('quads that do not run are named with the reason', async () => {
  expect(await quadsRejected(defaults())).toMatch(/^their quads do not run \(quads of 4 lanes: .*subgroups/);
});
