/** Experiments on single tokens of a trained model: its write (B), its clock (Δ), and what it then answers. */
import type { Graph, Tensor } from '../../engine/graph';
import { add } from '../../engine/ops/add';
import { multiply } from '../../engine/ops/multiply';
import { sequenceGraph, type Run } from '../loop/sequence';
import { resolveSizes, type EditTokens } from '../mamba';
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

interface EditInputs {
  readonly edit: EditTokens;
  /** What the graph's inputs have to be for the edits. */
  feed(editOf: EditOf, bias: Float32Array): Map<Tensor, Float32Array>;
}

/** delta ← delta · keep + add and B ← B · write, as inputs of the graph. */
function editInputs(): EditInputs {
  const inputs: Partial<Record<'keep' | 'more' | 'write', Tensor>> = {};
  return {
    edit(graph: Graph, { delta, B, C }) {
      const keep = graph.input('keep', delta.shape);
      const more = graph.input('more', delta.shape);
      const write = graph.input('write', B.shape);
      Object.assign(inputs, { keep, more, write });
      return { delta: add(graph, multiply(graph, delta, keep), more), B: multiply(graph, B, write), C };
    },
    feed(editOf, bias) {
      const { keep, more, write } = inputs as Record<'keep' | 'more' | 'write', Tensor>;
      const [batch, length, channels] = keep.shape as [number, number, number];
      const states = write.shape[2] as number;
      const kept = new Float32Array(batch * length * channels).fill(1);
      const added = new Float32Array(batch * length * channels);
      const written = new Float32Array(batch * length * states).fill(1);
      for (let i = 0; i < batch * length; i++) {
        const change = editOf(Math.floor(i / length), i % length);
        if (change?.write === false) written.fill(0, i * states, (i + 1) * states);
        const { delta } = change ?? {};
        if (delta === undefined) continue;
        for (let d = 0; d < channels; d++) {
          kept[i * channels + d] = 0;
          // softplus⁻¹(Δ) = Δ + ln(1 − e^(−Δ)).
          added[i * channels + d] =
            delta === 0 ? NO_DELTA : delta + Math.log(-Math.expm1(-delta)) - (bias[d] as number);
        }
      }
      return new Map([
        [keep, kept],
        [more, added],
        [write, written],
      ]);
    },
  };
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
  const inputs = editInputs();
  const view = sequenceGraph(run, batch, inputs.edit);
  const bias = weights.get('backbone.layers.0.mixer.dt_proj.bias');
  if (bias?.length !== resolveSizes(run.model).dInner)
    throw new RangeError('the weights are not those of this model');
  const feed = new Map<Tensor, Float32Array | Uint32Array>(inputs.feed(editOf, bias));
  feed.set(view.tokens, tokens).set(view.targets, targets);
  const { got, want } = (await lab.evaluate(view.graph, feed, weights, [view.predicted]))(view.predicted);
  const asked = (values: ArrayLike<number>): number[] =>
    Array.from(values).filter((_, i) => targets[i] !== IGNORE);
  return { got: asked(got), want: asked(want) };
}
