/** Runs a golden case on a device. Nothing here needs Node: the same code runs in the browser. */
import { Device, type DeviceOptions } from '../../../src/engine/device';
import { differentiate, type Seed } from '../../../src/engine/gradient';
import { formatShape, type Graph, type Shape, type Tensor } from '../../../src/engine/graph';
import { interpret } from '../../../src/engine/interpret';
import { parameterGradients } from '../../../src/engine/optimizer';
import { Parameters } from '../../../src/engine/packs';
import { planProgram } from '../../../src/engine/plan';
import { Program } from '../../../src/engine/program';
import { adapters, type Adapter } from './adapters';
import {
  CaseError,
  CaseGraph,
  inverse,
  permute,
  permuteShape,
  readCase,
  tensorOf,
  type GoldenCase,
  type Placed,
} from './case';
import { BOUNDS, judge, relativeError, size, type Measurement, type Verdict } from './compare';
import { measureTraining, trainingRun } from './detector';

export interface GoldenOptions extends DeviceOptions {
  /** Activations in float16, with a loss scale; for training runs alone. */
  readonly half?: boolean;
}

/**
 * Runs cases one after another, on one device for what it has compiled. Whatever goes wrong is the case's verdict; a device
 * that failed is replaced for the next case.
 */
export class GoldenRunner {
  #device: Device | undefined;

  /** `given`: a device to run on, which is not destroyed. */
  constructor(
    private readonly gpu: GPU | undefined,
    private readonly options: GoldenOptions,
    private readonly given?: Device,
  ) {}

  async run(name: string, file: Uint8Array): Promise<Verdict> {
    try {
      const golden = caseOf(readCase(file), this.options.half);
      return judge(name, await golden.measure(await this.#onDevice()));
    } catch (error) {
      if (this.#device?.failure) this.close();
      return { name, passed: false, problem: error instanceof Error ? error.message : String(error) };
    }
  }

  /** A case of an op or a layer by the ops' float64 references alone, without a device. */
  static reference(name: string, file: Uint8Array): Verdict {
    const golden = readCase(file);
    const adapter = Object.hasOwn(adapters, golden.op) ? adapters[golden.op] : undefined;
    if (!adapter) throw new CaseError(`unknown op ${golden.op}`);
    const built = buildCase(golden, adapter);
    return judge(name, measured(built, interpret(built.builder.graph, fedTo(built))));
  }

  /** The texts of the kernels that the device runs for a case, each with the kernel's name. */
  async kernels(file: Uint8Array): Promise<ReadonlyMap<string, string>> {
    const { capabilities } = await this.#onDevice();
    const { graph, outputs } = caseOf(readCase(file), this.options.half).program;
    const { dispatches } = planProgram(graph, capabilities, { outputs });
    return new Map(dispatches.map(({ code, kernel }) => [code, kernel]));
  }

  async #onDevice(): Promise<Device> {
    if (this.given) return this.given;
    const { half: _, ...options } = this.options;
    return (this.#device ??= await Device.request(this.gpu, options));
  }

  close(): void {
    this.#device?.destroy();
    this.#device = undefined;
  }
}

/** What a case computes, and how it is measured. */
interface Case {
  readonly program: { readonly graph: Graph; readonly outputs: readonly Tensor[] };
  measure(device: Device): Promise<Measurement[]>;
}

function caseOf(golden: GoldenCase, half = false): Case {
  const { op } = golden;
  if (op === 'train.detector') {
    const run = trainingRun(golden, half);
    return { program: run, measure: (device) => measureTraining(device, golden, run) };
  }
  if (half) throw new CaseError(`${op} is no training run, so it has nothing to do with a loss scale`);
  const adapter = Object.hasOwn(adapters, op) ? adapters[op] : undefined;
  if (!adapter) throw new CaseError(`unknown op ${op}`);
  const built = buildCase(golden, adapter);
  return {
    program: { graph: built.builder.graph, outputs: built.outputs },
    measure: (device) => measureCase(device, built),
  };
}

/** The graph of a case, with every expected output and gradient. */
function buildCase(golden: GoldenCase, adapter: Adapter) {
  const builder = new CaseGraph(golden);
  adapter(builder);
  const cotangents = addCotangents(builder);
  const compared = [
    ...expectedOutputs(builder),
    ...expectedBuffers(builder),
    ...expectedGradients(builder, cotangents),
  ];
  rejectLeftovers(builder, compared);
  return {
    builder,
    cotangents,
    compared,
    outputs: [...new Set(compared.map(({ placed }) => placed.tensor))],
  };
}

type Built = ReturnType<typeof buildCase>;

/** What the file gives for each parameter, buffer, input and cotangent that it has, in the graph's order of axes. */
function fedTo({ builder: { graph, golden, inputs }, cotangents }: Built): Map<Tensor, Float32Array> {
  const feed = new Map<Tensor, Float32Array>();
  for (const tensor of graph.parameters) feed.set(tensor, tensorOf(golden, `param.${tensor.name}`).data);
  for (const tensor of graph.buffers) {
    const start = golden.tensors.get(`param.${tensor.name}`);
    if (start) feed.set(tensor, start.data);
  }
  for (const [name, { tensor, axes }] of inputs)
    feed.set(tensor, permute(tensorOf(golden, `in.${name}`), axes).data);
  for (const { name, cotangent, axes } of cotangents)
    feed.set(cotangent, permute(tensorOf(golden, `cot.${name}`), axes).data);
  return feed;
}

/** Compares every expected output and gradient. */
function measured(
  { builder: { golden }, compared }: Built,
  results: ReadonlyMap<Tensor, ArrayLike<number>>,
): Measurement[] {
  const floor = 1e-12 * Math.max(...compared.map(({ name }) => size(tensorOf(golden, name).data)));
  return compared.map(({ name, placed: { tensor, axes }, bound }) => {
    const data = Float32Array.from(results.get(tensor) ?? []);
    const got = permute({ shape: tensor.shape, data }, inverse(axes));
    return { tensor: name, error: relativeError(got.data, tensorOf(golden, name).data, floor), bound };
  });
}

/** Measures every expected output and gradient on a device. */
async function measureCase(device: Device, built: Built): Promise<Measurement[]> {
  const { builder, outputs } = built;
  const { graph } = builder;
  const parameters =
    graph.parameters.length + graph.buffers.length > 0
      ? await Parameters.create(device, graph, { training: true })
      : undefined;
  let program: Program | undefined;
  try {
    program = await Program.compile(device, graph, { outputs, ...(parameters && { parameters }) });
    for (const [tensor, data] of fedTo(built))
      if (tensor.role === 'value' || tensor.role === 'input') program.write(tensor, data);
      else parameters?.write(tensor.name, data);
    program.run();
    const results = await program.read();
    device.check();
    return measured(built, results);
  } finally {
    program?.destroy();
    parameters?.destroy();
  }
}

interface NamedSeed extends Seed {
  readonly name: string;
  readonly axes: Placed['axes'];
}

/** A tensor of the file and the one of the graph that must equal it. */
interface Compared {
  readonly name: string;
  readonly placed: Placed;
  readonly bound: number;
}

/** Names of the file's tensors of one kind, `out` or `grad.param`, without the kind. */
const namesOf = ({ tensors }: GoldenCase, kind: string): string[] =>
  [...tensors.keys()]
    .filter((name) => name.startsWith(`${kind}.`))
    .map((name) => name.slice(kind.length + 1));

function addCotangents({ golden, graph, outputs }: CaseGraph): NamedSeed[] {
  return namesOf(golden, 'cot').map((name) => {
    const output = outputs.get(name);
    if (!output) throw new CaseError(`cot.${name} belongs to no output of ${golden.op}`);
    requireShape(golden, `cot.${name}`, output);
    const cotangent = graph.input(`cot.${name}`, output.tensor.shape);
    return { name, of: output.tensor, cotangent, axes: output.axes };
  });
}

function expectedOutputs({ golden, outputs }: CaseGraph): Compared[] {
  return namesOf(golden, 'out').map((name) => {
    const placed = outputs.get(name);
    if (!placed) throw new CaseError(`out.${name} is no output of ${golden.op}`);
    requireShape(golden, `out.${name}`, placed);
    return { name: `out.${name}`, placed, bound: BOUNDS.output };
  });
}

/** Running statistics after one forward pass in training mode, from their initial values. */
function expectedBuffers({ golden, graph }: CaseGraph): Compared[] {
  return namesOf(golden, 'buffer').map((name) => {
    const tensor = graph.buffers.find((buffer) => buffer.name === name);
    if (!tensor) throw new CaseError(`buffer.${name} is no buffer of ${golden.op}`);
    requireShape(golden, `buffer.${name}`, { tensor, axes: undefined });
    return { name: `buffer.${name}`, placed: { tensor, axes: undefined }, bound: BOUNDS.output };
  });
}

/** Parameters are differentiated as in training, into the gradient pack; inputs by a backward pass of their own. */
function expectedGradients({ golden, graph, inputs }: CaseGraph, seeds: readonly Seed[]): Compared[] {
  const ofParameters = namesOf(golden, 'grad.param');
  const ofInputs = namesOf(golden, 'grad').filter((name) => !name.startsWith('param.'));
  const compared: Compared[] = [];
  const expect = (name: string, placed: Placed): void => {
    requireShape(golden, name, placed);
    compared.push({ name, placed, bound: BOUNDS.gradient });
  };
  if (ofParameters.length + ofInputs.length > 0 && seeds.length === 0)
    throw new CaseError('it expects gradients but has no cotangent');
  if (ofInputs.length > 0) {
    const placed = ofInputs.map((name) => {
      const input = inputs.get(name);
      if (!input) throw new CaseError(`grad.${name} belongs to no input of ${golden.op}`);
      return { name, ...input };
    });
    const gradients = differentiate(
      graph,
      seeds,
      placed.map(({ tensor }) => tensor),
    );
    for (const { name, ...input } of placed)
      expect(`grad.${name}`, { ...input, tensor: gradients.get(input.tensor) as Tensor });
  }
  if (ofParameters.length > 0) {
    const gradients = parameterGradients(graph, seeds);
    for (const name of ofParameters) {
      const tensor = gradients.get(name);
      if (!tensor) throw new CaseError(`grad.param.${name} belongs to no parameter of ${golden.op}`);
      expect(`grad.param.${name}`, { tensor, axes: undefined });
    }
  }
  return compared;
}

/** A tensor that the graph does not use means that the case asks for something else than what was built. */
function rejectLeftovers({ golden, graph, inputs, unused }: CaseGraph, compared: readonly Compared[]): void {
  const used = new Set([
    ...[...inputs.keys()].map((name) => `in.${name}`),
    ...namesOf(golden, 'cot').map((name) => `cot.${name}`),
    ...[...graph.parameters, ...graph.buffers].map(({ name }) => `param.${name}`),
    ...unused.map((name) => `param.${name}`),
    ...compared.map(({ name }) => name),
  ]);
  for (const parameter of graph.parameters)
    requireShape(golden, `param.${parameter.name}`, { tensor: parameter, axes: undefined });
  for (const name of golden.tensors.keys())
    if (!used.has(name)) throw new CaseError(`${name} is nothing that ${golden.op} has`);
}

/** The file writes some weights with axes of size 1, such as a depthwise convolution's [d, 1, k]. */
const squeeze = (shape: Shape): string => formatShape(shape.filter((size) => size !== 1));

function requireShape(golden: GoldenCase, name: string, { tensor, axes, fileShape }: Placed): void {
  const { shape } = tensorOf(golden, name);
  const ours = fileShape ?? permuteShape(tensor.shape, inverse(axes));
  if (squeeze(shape) !== squeeze(ours))
    throw new CaseError(
      `${name} has shape ${formatShape(shape)}, that of ${golden.op} has ${formatShape(ours)}`,
    );
}
