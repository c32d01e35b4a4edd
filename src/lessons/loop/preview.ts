/** What the model makes of held-out sequences: its answers, and the Δ_t with which it lets each token in. */
import type { Device } from '../../engine/device';
import type { Tensor } from '../../engine/graph';
import { Program, type ProgramOptions } from '../../engine/program';
import { evaluationBatch, type Batch, type Preset } from '../tasks/task';
import type { Preview } from './protocol';
import { sequenceGraph, type Run, type SequenceGraph } from './sequence';

/** Held-out sequences have at most so many tokens together, unless one alone has more. */
const MAX_TOKENS = 4096;

/** As many as a training batch has, where that is little work: kernels of equal shapes are compiled once. */
const heldOutSequences = ({ sizes, training }: Preset): number =>
  Math.min(training.batch, Math.max(1, Math.floor(MAX_TOKENS / sizes.length)));

/** Where a layer's Δ comes from: `delta` is missing where it is 0 for every token, as in frozen dynamics. */
interface DeltaSource {
  /** [b, l, channels] */
  readonly delta: Tensor | undefined;
  /** [channels] */
  readonly bias: Tensor;
}

export interface PreviewGraph extends SequenceGraph {
  readonly batch: Batch;
  readonly length: number;
  readonly sources: readonly DeltaSource[];
  readonly outputs: readonly Tensor[];
}

export function previewGraph(run: Run): PreviewGraph {
  const { sizes } = run.preset;
  const count = heldOutSequences(run.preset);
  const sequence = sequenceGraph(run, count);
  const sources = sequence.layers.map(({ delta, deltaBias }) => ({
    delta: delta.role === 'constant' ? undefined : delta,
    bias: deltaBias,
  }));
  return {
    ...sequence,
    batch: evaluationBatch(run.task, sizes, count),
    length: sizes.length,
    sources,
    outputs: [
      sequence.correct,
      sequence.predicted,
      ...sources.flatMap(({ delta, bias }) => (delta ? [delta, bias] : [bias])),
    ],
  };
}

/** Runs a preview graph on the parameters that are being trained, after the steps submitted so far. */
export class Previewer {
  private constructor(
    private readonly view: PreviewGraph,
    private readonly program: Program,
  ) {}

  static async create(
    device: Device,
    view: PreviewGraph,
    options: Omit<ProgramOptions, 'outputs'>,
  ): Promise<Previewer> {
    const program = await Program.compile(device, view.graph, { ...options, outputs: view.outputs });
    program.write(view.tokens, view.batch.tokens);
    program.write(view.targets, view.batch.targets);
    return new Previewer(view, program);
  }

  /** Share of the held-out answers that are right. */
  async accuracy(): Promise<number> {
    const { correct } = this.view;
    this.program.run();
    const values = await this.program.read([correct]);
    return values.get(correct)?.[0] ?? NaN;
  }

  /** The first held-out sequence; `step` is the last that was submitted. */
  async preview(step: number): Promise<Preview> {
    const { predicted, sources, batch, length } = this.view;
    this.program.run();
    const values = await this.program.read();
    return {
      step,
      tokens: batch.tokens.slice(0, length),
      targets: batch.targets.slice(0, length),
      predicted: Uint32Array.from(values.get(predicted)?.subarray(0, length) ?? []),
      delta: sources.map(({ delta, bias }) =>
        meanDelta(delta && values.get(delta), values.get(bias) ?? [], length),
      ),
    };
  }

  destroy(): void {
    this.program.destroy();
  }
}

/**
 * Geometric mean over channels of softplus(delta[t, c] + bias[c]) for the first `length` tokens t, in float64.
 * Δ spans orders of magnitude from channel to channel: in an arithmetic mean the few channels with the largest Δ decide,
 * and those need not be the ones that let a token in. `delta` [≥ length, channels] is 0 where it is left out.
 */
export function meanDelta(
  delta: ArrayLike<number> | undefined,
  bias: ArrayLike<number>,
  length: number,
): Float32Array {
  const channels = bias.length;
  return Float32Array.from({ length }, (_, t) => {
    let sum = 0;
    for (let c = 0; c < channels; c++)
      sum += logSoftplus(((delta ? delta[t * channels + c] : 0) as number) + (bias[c] as number));
    return Math.exp(sum / channels);
  });
}

/** ln softplus(x); below −40 softplus(x) equals eˣ in float64. */
const logSoftplus = (x: number): number =>
  x < -40 ? x : Math.log(Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))));
