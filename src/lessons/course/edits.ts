/** Experiments on single tokens of a trained model: its write (B), its clock (Δ), and what it then answers. */
import type { Tensor } from '../../engine/graph';
import { sequenceGraph, type Run } from '../loop/sequence';
import { resolveSizes } from '../mamba';
import { TokenOverrides } from '../overrides';
import { IGNORE, type Batch } from '../tasks/task';
import type { Both, Lab, Weights } from './lab';

/** Δ at which a token forgets all that came before it. */
export const FORGETS = 100;

/** Softplus of this is 0 in float32 and float64. */
const NO_DELTA = -1e4;

export interface TokenEdit {
  /** False sets B to 0: the token is not written. */
  readonly write?: boolean;
  /** Δ in all channels; 0 stops the clock. */
  readonly delta?: number;
}

/** The edit of token `t` of sequence `b`, or undefined where it stays as it is. */
export type EditOf = (b: number, t: number) => TokenEdit | undefined;

/** Overrides of the tokens that are edited: delta ← softplus⁻¹(Δ) − bias in all channels, B ← 0. */
function applyEdits(
  { delta, B }: TokenOverrides['values'],
  tokens: number,
  length: number,
  editOf: EditOf,
  bias: Float32Array,
): void {
  const channels = bias.length;
  const states = B.keep.length / tokens;
  for (let i = 0; i < tokens; i++) {
    const change = editOf(Math.floor(i / length), i % length);
    if (change?.write === false) B.keep.fill(0, i * states, (i + 1) * states);
    const { delta: step } = change ?? {};
    if (step === undefined) continue;
    delta.keep.fill(0, i * channels, (i + 1) * channels);
    // softplus⁻¹(Δ) = Δ + ln(1 − e^(−Δ)).
    for (let d = 0; d < channels; d++)
      delta.add[i * channels + d] =
        step === 0 ? NO_DELTA : step + Math.log(-Math.expm1(-step)) - (bias[d] as number);
  }
}

/** Answers [sequences, asked tokens] of a one-layer model whose tokens are edited. */
export async function answersWith(
  lab: Lab,
  run: Run,
  weights: Weights,
  { tokens, targets }: Batch,
  editOf: EditOf,
): Promise<Both> {
  const batch = tokens.length / run.preset.sizes.length;
  const overrides = new TokenOverrides();
  const view = sequenceGraph(run, batch, overrides.edit);
  const bias = weights.get('backbone.layers.0.mixer.dt_proj.bias');
  if (bias?.length !== resolveSizes(run.model).dInner)
    throw new RangeError('the weights are not those of this model');
  applyEdits(overrides.values, tokens.length, run.preset.sizes.length, editOf, bias);
  const feed = new Map<Tensor, Float32Array | Uint32Array>(overrides.feed);
  feed.set(view.tokens, tokens).set(view.targets, targets);
  const { got, want } = (await lab.evaluate(view.graph, feed, weights, [view.predicted]))(view.predicted);
  const asked = (values: ArrayLike<number>): number[] =>
    Array.from(values).filter((_, i) => targets[i] !== IGNORE);
  return { got: asked(got), want: asked(want) };
}
