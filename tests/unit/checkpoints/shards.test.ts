import { sha256 } from '../../../src/base/sha256';
import { expect, test } from 'vitest';
import { describeShards, packShards, SHARD_BYTES, unpackShards } from '../../../src/checkpoints/shards';
import type { TrainingState } from '../../../src/checkpoints/state';
import { PROGRESS, randomState } from './states';

test('tensors that cross the end of a shard come back whole', async () => {
  const elements = SHARD_BYTES / 4;
  const sequence = (length: number, from: number) => Float32Array.from({ length }, (_, i) => from + i);
  const state = {
    parameters: new Map([
      ['a', { shape: [elements - 3], data: sequence(elements - 3, 0) }],
      ['empty', { shape: [0, 2], data: new Float32Array() }],
      ['b', { shape: [2, 5], data: sequence(10, 7) }],
    ]),
    firstMoments: new Map([['b', { shape: [2, 5], data: sequence(10, 20) }]]),
    secondMoments: new Map([['b', { shape: [2, 5], data: sequence(10, 30) }]]),
    buffers: new Map([['bn.running_mean', { shape: [], data: Float32Array.of(5) }]]),
    progress: PROGRESS,
  };
  const shards = packShards(state);
  expect(shards.map(({ length }) => length)).toEqual([SHARD_BYTES, 4 * (10 - 3 + 10 + 10 + 1)]);
  const manifest = await describeShards(state, shards);
  expect(manifest.shards[1]).toEqual({ bytes: 112, sha256: await sha256(shards[1] ?? new Uint8Array()) });
  const read = unpackShards(manifest, shards);
  // Vitest takes a minute to compare four million numbers.
  const bytes = ({ parameters }: Pick<TrainingState, 'parameters'>) =>
    Buffer.from((parameters.get('a')?.data ?? new Float32Array()).buffer);
  expect(bytes(read).equals(bytes(state))).toBe(true);
  const small = <T extends { parameters: ReadonlyMap<string, unknown> }>(whole: T) => ({
    ...whole,
    parameters: new Map([...whole.parameters].slice(1)),
  });
  expect(small(read)).toEqual(small(state));
});

test('a view of a larger buffer is packed alone, and what is packed does not change with it', async () => {
  const state = randomState({ w: [4] });
  const pack = new Float32Array(12).fill(9);
  const parameters = new Map([['w', { shape: [4], data: pack.subarray(4, 8) }]]);
  const shards = packShards({ ...state, parameters });
  expect(shards.map(({ length }) => length)).toEqual([48]);
  const manifest = await describeShards(state, shards);
  pack.fill(0);
  expect(unpackShards(manifest, shards).parameters.get('w')?.data).toEqual(new Float32Array(4).fill(9));
});

test('a state without tensors has no shards', async () => {
  const none = { ...randomState({}), progress: PROGRESS };
  expect(packShards(none)).toEqual([]);
  expect(unpackShards(await describeShards(none, []), [])).toEqual(none);
});

test('SHA-256 is that of FIPS 180-4', async () => {
  expect(await sha256(new TextEncoder().encode('abc'))).toBe(
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  );
});
