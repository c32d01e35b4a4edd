import { expect, test } from 'vitest';
import { DataError } from '../../../src/eeg/errors';
import { EngineError, type EngineErrorKind } from '../../../src/engine/device';
import { GraphError } from '../../../src/engine/graph';
import { NotFiniteError, SettingsError, toFailure } from '../../../src/run/failure';

const KINDS: readonly EngineErrorKind[] = [
  'unsupported',
  'compilation',
  'validation',
  'out-of-memory',
  'internal',
  'device-lost',
  'held-back',
];

test.each(KINDS)('an engine error of kind %s keeps its kind and names its place', (kind) => {
  const failure = toFailure(new EngineError(kind, 'layers.0/linear(x [2, 3])', 'the reason'));
  expect(failure).toMatchObject({ kind, message: 'Layers.0/linear(x [2, 3]): the reason.' });
  expect(failure.advice).toMatch(/^[A-Z].*\.$/);
});

test.each([
  [new GraphError('shapes differ'), { kind: 'graph', message: 'Shapes differ.' }],
  [
    new DataError('a.edf', 'size', 'it is empty'),
    {
      kind: 'data',
      message: 'a.edf, size: it is empty.',
      advice: 'Mend that, or choose other recordings, and start again.',
    },
  ],
  [new SettingsError('no such task'), { kind: 'settings', message: 'No such task.' }],
  [new NotFiniteError('the loss became NaN!'), { kind: 'not-finite', message: 'The loss became NaN!' }],
  [new TypeError('x is undefined'), { kind: 'unexpected', message: 'X is undefined.' }],
  ['a string', { kind: 'unexpected', message: 'A string.' }],
])('%s', (error, expected) => {
  expect(toFailure(error)).toMatchObject(expected);
});
