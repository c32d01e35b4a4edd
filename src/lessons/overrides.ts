/** Δ, B and C of each token as inputs of the graph: what a trained model computes of the tokens, times `keep`, plus `add`. */
import { elements, type Graph, type Tensor } from '../engine/graph';
import { add } from '../engine/ops/add';
import { multiply } from '../engine/ops/multiply';
import type { EditTokens, FromTokens } from './mamba';

type Overridden = keyof FromTokens;

interface Override {
  readonly keep: Float32Array;
  readonly add: Float32Array;
}

export class TokenOverrides {
  readonly #inputs = new Map<Overridden, { readonly keep: Tensor; readonly add: Tensor }>();
  #values: Readonly<Record<Overridden, Override>> | undefined;

  /** For the graph of a model with one layer; RangeError where there are more. */
  readonly edit: EditTokens = (graph, fromTokens) => {
    if (this.#inputs.size > 0) throw new RangeError('the tokens of one layer are overridden, not of several');
    return {
      delta: this.#override(graph, 'delta', fromTokens),
      B: this.#override(graph, 'B', fromTokens),
      C: this.#override(graph, 'C', fromTokens),
    };
  };

  /** Neutral at first: keep 1 and add 0. What is changed in place is fed. Throws RangeError before `edit` was used. */
  get values(): Readonly<Record<Overridden, Override>> {
    const neutral = (name: Overridden): Override => {
      const tensor = this.#inputs.get(name)?.keep;
      if (!tensor) throw new RangeError('a graph is built first');
      const size = elements(tensor.shape);
      return { keep: new Float32Array(size).fill(1), add: new Float32Array(size) };
    };
    return (this.#values ??= { delta: neutral('delta'), B: neutral('B'), C: neutral('C') });
  }

  /** What the graph's inputs have to be. */
  get feed(): [Tensor, Float32Array][] {
    return [...this.#inputs].flatMap(([name, { keep, add }]): [Tensor, Float32Array][] => [
      [keep, this.values[name].keep],
      [add, this.values[name].add],
    ]);
  }

  #override(graph: Graph, name: Overridden, fromTokens: FromTokens): Tensor {
    const tensor = fromTokens[name];
    const keep = graph.input(`${name} keep`, tensor.shape);
    const more = graph.input(`${name} add`, tensor.shape);
    this.#inputs.set(name, { keep, add: more });
    return add(graph, multiply(graph, tensor, keep), more);
  }
}
