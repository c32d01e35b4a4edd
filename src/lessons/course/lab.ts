/** Computes what a lesson shows: on the kernels where there is a GPU, and in float64 beside it or instead. */
import type { Device } from '../../engine/device';
import { differentiate, lossSeed } from '../../engine/gradient';
import type { Graph, Tensor } from '../../engine/graph';
import { interpret } from '../../engine/interpret';
import { adamwOp } from '../../engine/ops/adamw';
import { globalNormOp } from '../../engine/ops/global_norm';
import { trainingStep } from '../../engine/optimizer';
import { packLayout, Parameters } from '../../engine/packs';
import { frozenChoice, type ChooseVariant, type PlanOptions } from '../../engine/plan';
import { Program } from '../../engine/program';
import type { SequenceGraph } from '../loop/sequence';
import type { Batch } from '../tasks/task';

/** A value as the kernels computed it, and in float64. Both are the latter where there is no GPU. */
export interface Both {
  readonly got: ArrayLike<number>;
  readonly want: ArrayLike<number>;
}

export type Weights = ReadonlyMap<string, Float32Array>;
type Feed = ReadonlyMap<Tensor, Float32Array | Uint32Array>;

export class Lab {
  /** `device` is undefined where there is no WebGPU; `progress` gets shares of long work, 0 to 1; `choose` chooses its kernels. */
  constructor(
    readonly device: Device | undefined,
    readonly progress: (share: number) => void = () => undefined,
    private readonly choose: ChooseVariant = frozenChoice,
  ) {}

  /** Outputs of a graph. `feed` has its inputs, `weights` its parameters, and buffers if it has any, by name. */
  async evaluate(
    graph: Graph,
    feed: Feed,
    weights: Weights,
    outputs: readonly Tensor[],
  ): Promise<(tensor: Tensor) => Both> {
    const reference = inFloat64(graph, feed, weights);
    const kernels = await this.kernels(graph, weights, outputs);
    try {
      const got = await kernels?.run(feed);
      return (tensor) => {
        const want = reference.get(tensor) as Float64Array;
        return { got: got?.get(tensor) ?? want, want };
      };
    } finally {
      kernels?.destroy();
    }
  }

  /** A graph to be run often; undefined where there is no GPU. */
  async kernels(graph: Graph, weights: Weights, outputs: readonly Tensor[]): Promise<Kernels | undefined> {
    return this.device && Kernels.create(this.device, graph, weights, { outputs, choose: this.choose });
  }

  /** A model that learns: on the kernels, or in float64 where there is no GPU. */
  learner(build: () => SequenceGraph, initial: Weights, clip: number): Promise<Learner> {
    return this.device
      ? KernelLearner.create(this.device, build, initial, { clip, choose: this.choose })
      : Promise.resolve(new ReferenceLearner(build, initial, clip));
  }
}

/** All values of a graph, with the given weights, in float64. */
export function inFloat64(graph: Graph, feed: Feed, weights: Weights): ReadonlyMap<Tensor, Float64Array> {
  const all = new Map<Tensor, ArrayLike<number>>(feed);
  for (const tensor of [...graph.parameters, ...graph.buffers])
    all.set(tensor, weightOf(weights, tensor.name));
  return interpret(graph, all);
}

function weightOf(weights: Weights, name: string): Float32Array {
  const values = weights.get(name);
  if (!values) throw new RangeError(`there are no weights named ${name}`);
  return values;
}

/** A compiled graph with its weights. */
export class Kernels {
  private constructor(
    private readonly parameters: Parameters,
    private readonly program: Program,
  ) {}

  static async create(
    device: Device,
    graph: Graph,
    weights: Weights,
    options: PlanOptions,
  ): Promise<Kernels> {
    const parameters = await Parameters.create(device, graph, { training: false });
    try {
      for (const { name } of [...graph.parameters, ...graph.buffers])
        parameters.write(name, weightOf(weights, name));
      return new Kernels(parameters, await Program.compile(device, graph, { ...options, parameters }));
    } catch (error) {
      parameters.destroy();
      throw error;
    }
  }

  async run(feed: Feed): Promise<ReadonlyMap<Tensor, Float32Array | Uint32Array>> {
    for (const [tensor, data] of feed) this.program.write(tensor, data);
    this.program.run();
    return this.program.read();
  }

  destroy(): void {
    this.program.destroy();
    this.parameters.destroy();
  }
}

export interface Learner {
  /** One step of AdamW without weight decay; `step` counts from 1. */
  step(batch: Batch, step: number, learningRate: number): void;
  /** Share of the asked tokens of a batch that is answered right. */
  accuracy(batch: Batch): Promise<number>;
  weights(): Promise<Weights>;
  destroy(): void;
}

class KernelLearner implements Learner {
  private constructor(
    private readonly parameters: Parameters,
    private readonly training: readonly [Program, SequenceGraph],
    private readonly reading: readonly [Program, SequenceGraph],
  ) {}

  static async create(
    device: Device,
    build: () => SequenceGraph,
    initial: Weights,
    { clip, choose }: { readonly clip: number; readonly choose: ChooseVariant },
  ): Promise<KernelLearner> {
    const [view, shown] = [build(), build()];
    trainingStep(view.graph, view.loss, { weightDecay: 0, clip });
    const parameters = await Parameters.create(device, view.graph, { training: true });
    const programs: Program[] = [];
    try {
      for (const [name, values] of initial) parameters.write(name, values);
      for (const { graph, loss, correct } of [view, shown])
        programs.push(await Program.compile(device, graph, { outputs: [loss, correct], parameters, choose }));
    } catch (error) {
      for (const held of [...programs, parameters]) held.destroy();
      throw error;
    }
    const [training, reading] = programs as [Program, Program];
    return new KernelLearner(parameters, [training, view], [reading, shown]);
  }

  step({ tokens, targets }: Batch, step: number, learningRate: number): void {
    const [program, view] = this.training;
    program.write(view.tokens, tokens);
    program.write(view.targets, targets);
    program.run({ step, seed: 0, learningRate });
  }

  async accuracy({ tokens, targets }: Batch): Promise<number> {
    const [program, view] = this.reading;
    program.write(view.tokens, tokens);
    program.write(view.targets, targets);
    program.run();
    return (await program.read([view.correct])).get(view.correct)?.[0] ?? NaN;
  }

  weights(): Promise<Weights> {
    return this.parameters.read();
  }

  destroy(): void {
    for (const [program] of [this.training, this.reading]) program.destroy();
    this.parameters.destroy();
  }
}

class ReferenceLearner implements Learner {
  readonly #view: SequenceGraph;
  readonly #gradients: ReadonlyMap<Tensor, Tensor>;
  readonly #layout;
  readonly #packs: { value: Float64Array; first_moment: Float64Array; second_moment: Float64Array };

  constructor(
    build: () => SequenceGraph,
    initial: Weights,
    private readonly clip: number,
  ) {
    this.#view = build();
    const { graph, loss } = this.#view;
    this.#gradients = differentiate(graph, [lossSeed(graph, loss)], graph.parameters);
    this.#layout = packLayout(graph.parameters);
    const { length } = this.#layout;
    const zeros = (): Float64Array => new Float64Array(length);
    this.#packs = { value: zeros(), first_moment: zeros(), second_moment: zeros() };
    for (const [name, { offset }] of this.#layout.slices)
      this.#packs.value.set(weightOf(initial, name), offset);
  }

  step(batch: Batch, step: number, learningRate: number): void {
    const values = this.#run(batch);
    const { length, slices, decayed } = this.#layout;
    const gradient = new Float64Array(length);
    for (const parameter of this.#view.graph.parameters)
      gradient.set(
        values.get(this.#gradients.get(parameter) as Tensor) as Float64Array,
        slices.get(parameter.name)?.offset,
      );
    const scalars = { step, seed: 0, learningRate };
    const pack = (data: Float64Array) => ({ shape: [data.length], data });
    const { norm } = globalNormOp.reference({ gradient: pack(gradient) }, {}, scalars);
    const { value, first_moment, second_moment } = this.#packs;
    const next = adamwOp.reference(
      {
        value: pack(value),
        gradient: pack(gradient),
        first_moment: pack(first_moment),
        second_moment: pack(second_moment),
        norm: pack(norm),
      },
      { weightDecay: 0, clip: this.clip, decayed },
      scalars,
    );
    Object.assign(this.#packs, next);
  }

  async accuracy(batch: Batch): Promise<number> {
    return this.#run(batch).get(this.#view.correct)?.[0] ?? NaN;
  }

  async weights(): Promise<Weights> {
    return new Map(
      [...this.#layout.slices].map(([name, { offset, length }]) => [
        name,
        Float32Array.from(this.#packs.value.subarray(offset, offset + length)),
      ]),
    );
  }

  destroy(): void {
    // Nothing is held beside what is collected.
  }

  #run({ tokens, targets }: Batch): ReadonlyMap<Tensor, Float64Array> {
    const { graph, tokens: tokenInput, targets: targetInput } = this.#view;
    const feed = new Map<Tensor, ArrayLike<number>>([
      [tokenInput, tokens],
      [targetInput, targets],
    ]);
    for (const parameter of graph.parameters) {
      const { offset, length } = this.#layout.slices.get(parameter.name) as {
        offset: number;
        length: number;
      };
      feed.set(parameter, this.#packs.value.subarray(offset, offset + length));
    }
    return interpret(graph, feed);
  }
}
