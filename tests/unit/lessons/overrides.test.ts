import { expect, test } from 'vitest';
import { Lab } from '../../../src/lessons/course/lab';
import { copyingRun, separatedSequences } from '../../../src/lessons/course/copying';
import { sequenceGraph } from '../../../src/lessons/loop/sequence';
import { TokenOverrides } from '../../../src/lessons/overrides';
import { initialise } from '../../../src/models/initialise';
import type { Tensor } from '../../../src/engine/graph';
import { relativeError, testDevice } from '../engine/check-op';

const device = testDevice();
const SEQUENCES = 2;
const sequences = separatedSequences(SEQUENCES);

/** u, Δ before its bias, B, C and y of a model with random weights. */
async function values(
  seed: number,
  overrides?: TokenOverrides,
  change: (values: TokenOverrides['values']) => void = () => undefined,
) {
  const view = sequenceGraph(copyingRun('selective'), SEQUENCES, overrides?.edit);
  if (overrides) change(overrides.values);
  const { u, delta, B, C } = view.layers[0]!.scan;
  const feed = new Map<Tensor, Float32Array | Uint32Array>(overrides?.feed ?? []);
  feed.set(view.tokens, sequences.tokens).set(view.targets, sequences.targets);
  const outputs = [u, delta, B, C, view.logits];
  const of = await new Lab(device()).evaluate(view.graph, feed, initialise(view.declared, seed), outputs);
  return outputs.map(of);
}

test.each([1, 2, 3, 4, 5])('neutral overrides change nothing beyond 3e-7, seed %i', async (seed) => {
  const [plain, neutral] = [await values(seed), await values(seed, new TokenOverrides())];
  neutral.forEach(({ got, want }, i) => {
    expect(relativeError(got, plain[i]!.got)).toBeLessThan(3e-7);
    expect(relativeError(want, plain[i]!.want)).toBe(0);
  });
});

test('an override takes the place of what the model computes, at its token alone', async () => {
  const token = 7;
  const [plain, changed] = [
    await values(1),
    await values(1, new TokenOverrides(), ({ C }) => {
      const states = C.keep.length / sequences.tokens.length;
      C.keep.fill(0, token * states, (token + 1) * states);
      C.add.fill(0.5, token * states, (token + 1) * states);
    }),
  ];
  const [before, after] = [plain[3]!.got, changed[3]!.got];
  const states = before.length / sequences.tokens.length;
  Array.from(after).forEach((value, i) =>
    expect(value).toBe(Math.floor(i / states) === token ? 0.5 : before[i]),
  );
  expect(relativeError(changed[4]!.got, changed[4]!.want)).toBeLessThan(1e-5);
  expect(relativeError(changed[4]!.got, plain[4]!.got)).toBeGreaterThan(1e-4);
});

test('the tokens of one layer are overridden, and only once they are inputs', () => {
  const overrides = new TokenOverrides();
  expect(() => overrides.values).toThrow('a graph is built first');
  const build = () => sequenceGraph(copyingRun('selective'), 1, overrides.edit);
  build();
  expect(build).toThrow('one layer');
});
