import { expect, test } from 'vitest';
import { parse, SafetensorsError, write } from '../../../src/checkpoints/safetensors';
import { decodeProgress, encodeProgress, StateError } from '../../../src/checkpoints/state';
import { readState, readWeights, writeState, writeWeights } from '../../../src/checkpoints/state_file';
import { PROGRESS, randomState } from './states';

const STATE = randomState({
  'z.weight': [3, 2],
  'a.bias': [],
  'bn.running_mean': [2],
  'bn.running_var': [2],
});

test('a full state is written and read back, in its order', () => {
  const read = readState(writeState(STATE));
  expect(read).toEqual(STATE);
  expect([...read.parameters.keys()]).toEqual(['z.weight', 'a.bias']);
});

test('parameters without moments stay without', () => {
  const fresh = { ...STATE, firstMoments: new Map(), secondMoments: new Map() };
  expect(readState(writeState(fresh))).toEqual(fresh);
});

test('weights are a state dict by its published names', () => {
  const file = parse(writeWeights(STATE));
  expect(file.metadata).toEqual({ format: 'pt' });
  expect([...file.tensors.keys()].sort()).toEqual([
    'a.bias',
    'bn.num_batches_tracked',
    'bn.running_mean',
    'bn.running_var',
    'z.weight',
  ]);
  expect(file.tensors.get('bn.num_batches_tracked')).toEqual({
    dtype: 'I64',
    shape: [],
    data: BigInt64Array.of(14n),
  });
  const { parameters, buffers } = readWeights(writeWeights(STATE));
  expect(parameters.get('z.weight')).toEqual(STATE.parameters.get('z.weight'));
  expect(buffers).toEqual(STATE.buffers);
});

test('files that are no full state are rejected', () => {
  expect(() => readState(writeWeights(STATE))).toThrow(/holds no training state/);
  const { tensors, metadata } = parse(writeState(STATE));
  const without = new Map(tensors);
  without.delete('z.weight');
  expect(() => readState(write(without, metadata))).toThrow(/"z.weight" is missing/);
  const extra = new Map(tensors).set('more', { dtype: 'F32', shape: [], data: new Float32Array(1) });
  expect(() => readState(write(extra, metadata))).toThrow(/"more" belongs to no part/);
  const half = new Map(tensors).set('z.weight', { dtype: 'F16', shape: [1], data: new Uint16Array(1) });
  expect(() => readState(write(half, metadata))).toThrow(/"z.weight" is F16/);
  expect(() => readState(write(tensors, { ...metadata, 'smokescan.parameters': '{}' }))).toThrow(
    SafetensorsError,
  );
  expect(() => readState(write(tensors, { ...metadata, 'smokescan.progress': '{"epoch":-1}' }))).toThrow(
    StateError,
  );
});

test('one bit that is not what was written is found, wherever it lies', () => {
  const file = writeState(STATE);
  const text = new TextDecoder('latin1').decode(file);
  for (const at of [text.indexOf('0.75'), file.length - 1, file.length - 30]) {
    const damaged = file.slice();
    damaged[at] = (damaged[at] ?? 0) ^ 1;
    expect(() => readState(damaged)).toThrow(/the file is damaged/);
  }
  // As it was written before there was a checksum.
  const { tensors, metadata } = parse(file);
  const { 'smokescan.crc32': _, ...older } = metadata;
  expect(readState(write(tensors, older))).toEqual(STATE);
});

test('progress is JSON, exactly', () => {
  expect(decodeProgress(encodeProgress(PROGRESS))).toEqual(PROGRESS);
  expect(() => encodeProgress({ ...PROGRESS, bestScore: -Infinity })).toThrow(
    /progress.bestScore is -Infinity, which JSON cannot hold; use null/,
  );
  expect(() => encodeProgress({ ...PROGRESS, sampler: { next: [NaN] } })).toThrow(
    /progress.sampler.next.0 is NaN/,
  );
  for (const broken of [
    '',
    '[]',
    'null',
    '{"epoch":1,"step":1,"batches":1.5}',
    '{"epoch":1,"step":1,"batches":1}',
  ])
    expect(() => decodeProgress(broken)).toThrow(StateError);
});
