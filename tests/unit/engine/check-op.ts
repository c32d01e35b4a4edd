/**
 * The one helper that tests any op:
 *
 *     const device = testDevice();
 *     test('silu', () => checkOp(device(), { inputs: { x: { shape: [7] } }, build: (g, { x }) => ({ y: silu(g, x) }) }));
 *
 * It checks the float64 gradient of the graph against finite differences of its float64 forward pass, then every output
 * and every gradient of every variant on the GPU against float64. A failure names the tensor, its error and the shapes.
 */
import { afterAll, beforeAll } from 'vitest';
import { requestNodeDevice } from '../../../src/cli/node_device';
import { requestNodeGpu } from '../../../src/cli/node_gpu';
import { Device, type DeviceOptions } from '../../../src/engine/device';
import { differentiate } from '../../../src/engine/gradient';
import { elements, formatShape, Graph, type Shape, type Tensor } from '../../../src/engine/graph';
import { fromHalf, toHalf } from '../../../src/engine/half';
import { interpret } from '../../../src/engine/interpret';
import { storeActivationsInHalf } from '../../../src/engine/mixed_precision';
import { copy } from '../../../src/engine/ops/copy';
import type { StepScalars } from '../../../src/engine/ops/definition';
import type { ChooseVariant } from '../../../src/engine/plan';
import { Program } from '../../../src/engine/program';
import { Random } from '../../../src/base/random';
import { FULL } from '../../full';

/** Largest relative errors. */
export const TOLERANCE = { outputs: 1e-5, gradients: 1e-4, differences: 1e-6 } as const;

/** The same where values are stored in float16, whose last place is 2⁻¹¹. */
export const HALF_TOLERANCE = { outputs: 1e-3, gradients: 2e-3 } as const;

export interface InputSpec {
  readonly shape: Shape;
  readonly dtype?: 'f32' | 'u32';
  /** Values are uniform in [from, to), whole for u32; −2 to 2 if left out. */
  readonly range?: readonly [from: number, to: number];
  /** These values, repeated, instead of random ones. */
  readonly values?: readonly number[];
  /** False for an input whose gradient is not asked for; u32 has none. */
  readonly differentiable?: boolean;
}

export interface OpCase<Name extends string> {
  readonly inputs: Readonly<Record<Name, InputSpec>>;
  /** Builds the graph under test and names its outputs. */
  build(graph: Graph, inputs: Readonly<Record<Name, Tensor>>): Readonly<Record<string, Tensor>>;
  /** Outputs that get a cotangent; all of f32 if left out, none to test the forward pass alone. */
  readonly differentiate?: readonly string[];
  /** False where a finite step is no measure of the slope, as at extremes. */
  readonly differences?: boolean;
  /** The frozen variant alone, or each in turn, which is what happens if left out. */
  readonly variants?: 'frozen' | 'all';
  /** Names of variants that a quick run leaves out, unless they are the frozen choice; say where it is used what covers them. */
  readonly fullOnly?: RegExp;
  /** Lowered as a GPU gets it, whatever the device of the tests is. */
  readonly gpu?: boolean;
  readonly step?: StepScalars;
  readonly seed?: number;
  /** Inputs, cotangents and what mixed precision stores so are float16; HALF_TOLERANCE is meant for that. */
  readonly half?: boolean;
  /** Bounds instead of TOLERANCE, for what float32 cannot do better; say why where it is used. */
  readonly tolerance?: Partial<Record<keyof typeof TOLERANCE, number>>;
}

/** Worst error of each kind, over all tensors and variants. */
export type Errors = Record<keyof typeof TOLERANCE, number>;

/** The device of this process that stays within the default limits. */
let onDefaults: Promise<Device> | undefined;
const requestDefaults = (): Promise<Device> =>
  (onDefaults ??= requestNodeGpu().then((gpu) => Device.request(gpu, { defaultsOnly: true })));

/**
 * The device of this process with these options, which without them is also that of the commands. Test files run one
 * after another in one process, so that what one of them compiles the next finds compiled. A file that takes memory of the
 * device and does not give it back fails, and a device that failed is not handed on.
 */
export function testDevice({ defaultsOnly = false }: DeviceOptions = {}): () => Device {
  let device: Device | undefined;
  let before = 0;
  beforeAll(async () => {
    device = await (defaultsOnly ? requestDefaults() : requestNodeDevice());
    before = device.allocatedBytes;
  });
  afterAll(() => {
    if (device?.failure) {
      if (defaultsOnly) onDefaults = undefined;
    } else if (device && device.allocatedBytes !== before)
      throw new Error(`${device.allocatedBytes - before} bytes of the device were not given back`);
  });
  return () => {
    if (!device) throw new Error('the device exists only inside tests');
    return device;
  };
}

/** ‖got − want‖ / ‖want‖, or ‖got‖ where ‖want‖ is 0. NaN, which passes no bound, if anything is not finite. */
export function relativeError(got: ArrayLike<number>, want: ArrayLike<number>): number {
  if (got.length !== want.length) throw new RangeError(`${got.length} values instead of ${want.length}`);
  // Divided by the largest value first: squares of extremes leave even float64's range.
  let largest = 0;
  for (let i = 0; i < want.length; i++) largest = Math.max(largest, Math.abs(want[i] as number));
  const scale = largest || 1;
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < want.length; i++) {
    const [g, w] = [got[i] as number, want[i] as number];
    if (!Number.isFinite(g) || !Number.isFinite(w)) return NaN;
    difference += ((g - w) / scale) ** 2;
    norm += (w / scale) ** 2;
  }
  return Math.sqrt(difference) / (Math.sqrt(norm) || 1);
}

/** Seeded values that float32 holds exactly. */
export function seededValues(spec: InputSpec, random: Random): Float32Array | Uint32Array {
  const count = elements(spec.shape);
  const { values } = spec;
  if (spec.dtype === 'u32') {
    const [from, to] = spec.range ?? [0, 2];
    return new Uint32Array(count).map(
      (_, i) => values?.[i % values.length] ?? from + random.integer(to - from),
    );
  }
  const [from, to] = spec.range ?? [-2, 2];
  return new Float32Array(count).map((_, i) => values?.[i % values.length] ?? random.uniform(from, to));
}

interface Built {
  readonly graph: Graph;
  readonly feed: Map<Tensor, Float32Array | Uint32Array>;
  readonly inputs: ReadonlyMap<string, Tensor>;
  readonly outputs: ReadonlyMap<string, Tensor>;
  /** Cotangents of the outputs that have one, by name. */
  readonly cotangents: ReadonlyMap<string, Tensor>;
  /** The inputs that are differentiated, by name. */
  readonly wrt: ReadonlyMap<string, Tensor>;
}

export function buildCase<Name extends string>(opCase: OpCase<Name>): Built {
  const graph = new Graph();
  const random = new Random(opCase.seed ?? 1);
  const feed: Built['feed'] = new Map();
  const declare = (name: string, spec: InputSpec): Tensor => {
    const tensor = graph.input(name, spec.shape, spec.dtype ?? 'f32');
    let values = seededValues(spec, random.stream(name));
    if (opCase.half && tensor.dtype === 'f32') {
      graph.storeHalf(tensor);
      values = fromHalf(toHalf(values));
    }
    feed.set(tensor, values);
    return tensor;
  };
  const specs = Object.entries<InputSpec>(opCase.inputs);
  const inputs = new Map(specs.map(([name, spec]) => [name, declare(name, spec)]));
  const built = opCase.build(graph, Object.fromEntries(inputs) as Record<Name, Tensor>);
  const outputs = new Map(Object.entries(built));
  const differentiated =
    opCase.differentiate ?? [...outputs].filter(([, { dtype }]) => dtype !== 'u32').map(([name]) => name);
  const cotangents = new Map(
    differentiated.map((name) => {
      const output = outputs.get(name);
      if (!output) throw new Error(`the case has no output ${name}`);
      return [name, declare(`${name}.cotangent`, { shape: output.shape, range: [-1, 1] })];
    }),
  );
  const wrt = new Map(
    specs
      .filter(([, { dtype, differentiable }]) => dtype !== 'u32' && differentiable !== false)
      .map(([name]) => [name, inputs.get(name) as Tensor]),
  );
  return { graph, feed, inputs, outputs, cotangents, wrt };
}

/** Adds the backward pass; gradients by the names of the inputs. */
export function addGradients({ graph, outputs, cotangents, wrt }: Built): ReadonlyMap<string, Tensor> {
  if (cotangents.size === 0) return new Map();
  const seeds = [...cotangents].map(([name, cotangent]) => ({ of: outputs.get(name) as Tensor, cotangent }));
  const gradients = differentiate(graph, seeds, [...wrt.values()]);
  return new Map([...wrt].map(([name, tensor]) => [name, gradients.get(tensor) as Tensor]));
}

class Report {
  readonly errors: Errors = { outputs: 0, gradients: 0, differences: 0 };
  readonly #failures: string[] = [];

  constructor(
    readonly subject: string,
    readonly tolerance: OpCase<string>['tolerance'],
  ) {}

  add(kind: keyof Errors, what: string, error: number): void {
    this.errors[kind] = Math.max(this.errors[kind], error);
    const bound = this.tolerance?.[kind] ?? TOLERANCE[kind];
    if (!(error <= bound))
      this.#failures.push(`${what} is off by ${error.toExponential(2)}, allowed are ${bound}`);
  }

  result(): Errors {
    if (this.#failures.length > 0) throw new Error([this.subject, ...this.#failures].join('\n  '));
    return this.errors;
  }
}

const describe = (tensor: Tensor, name: string): string => `${name} ${formatShape(tensor.shape)}`;

const subjectOf = ({ graph, inputs, outputs }: Built): string => {
  const list = (tensors: ReadonlyMap<string, Tensor>): string =>
    [...tensors].map(([name, tensor]) => describe(tensor, name)).join(', ');
  return `${graph.nodes.map(({ label }) => label).join(', ')}: ${list(inputs)} → ${list(outputs)}`;
};

/** Single elements of an input whose slope is measured; beyond them all elements are moved together. */
const MEASURED_ELEMENTS = 12;

/** Checks the float64 gradient against central differences of the float64 forward pass. Needs no GPU. */
export function checkGradient<Name extends string>(opCase: OpCase<Name>): Errors {
  const forward = buildCase(opCase);
  const report = new Report(subjectOf(forward), opCase.tolerance);
  measureDifferences(opCase, forward, report);
  return report.result();
}

function measureDifferences<Name extends string>(opCase: OpCase<Name>, forward: Built, report: Report): void {
  const backward = buildCase(opCase);
  const gradients = addGradients(backward);
  const exact = interpret(backward.graph, backward.feed, opCase.step);
  const random = new Random(opCase.seed ?? 1).stream('differences');

  /** Σ output · cotangent. */
  const total = (feed: ReadonlyMap<Tensor, ArrayLike<number>>): number => {
    const values = interpret(forward.graph, feed, opCase.step);
    let sum = 0;
    for (const [name, cotangent] of forward.cotangents) {
      const weights = feed.get(cotangent) as ArrayLike<number>;
      values.get(forward.outputs.get(name) as Tensor)?.forEach((value, i) => {
        sum += value * (weights[i] as number);
      });
    }
    return sum;
  };
  /** The slope along `direction`, by the central difference of fourth order. */
  const slope = (tensor: Tensor, direction: Float64Array): number => {
    const at = Float64Array.from(forward.feed.get(tensor) as ArrayLike<number>);
    const size = at.reduce((max, value, i) => (direction[i] ? Math.max(max, Math.abs(value)) : max), 1);
    const h = 2 ** -10 * size;
    const moved = (steps: number): number => {
      const there = at.map((value, i) => value + steps * h * (direction[i] as number));
      return total(new Map<Tensor, ArrayLike<number>>([...forward.feed, [tensor, there]]));
    };
    return (8 * (moved(1) - moved(-1)) - (moved(2) - moved(-2))) / (12 * h);
  };

  for (const [name, tensor] of forward.wrt) {
    const gradient = gradients.get(name);
    if (!gradient) continue;
    const want = exact.get(gradient) as Float64Array;
    const count = want.length;
    const picked = random.choose(Math.min(count, MEASURED_ELEMENTS), count);
    const measured = picked.map((index) => slope(tensor, new Float64Array(count).fill(1, index, index + 1)));
    // The picked elements may all have a tiny slope, so errors are measured against the typical slope of the input.
    const typical = Math.sqrt(want.reduce((sum, value) => sum + value * value, 0) / count) || 1;
    const offBy = measured.map((value, i) => (value - (want[picked[i] as number] as number)) / typical);
    const what = `float64 gradient of ${describe(tensor, name)}, against finite differences,`;
    report.add('differences', what, Math.sqrt(offBy.reduce((sum, e) => sum + e * e, 0) / picked.length));
    if (count <= MEASURED_ELEMENTS) continue;
    const signs = new Float64Array(count).map(() => (random.bits() & 1 ? 1 : -1));
    const along = signs.reduce((sum, sign, i) => sum + sign * (want[i] as number), 0);
    const off = Math.abs(slope(tensor, signs) - along) / (typical * Math.sqrt(count));
    report.add('differences', `${what} all elements moved,`, off);
  }
}

/** Checks gradients as `checkGradient` does, then outputs and gradients on the GPU. Throws one error with all failures. */
export async function checkOp<Name extends string>(device: Device, opCase: OpCase<Name>): Promise<Errors> {
  const built = buildCase(opCase);
  const report = new Report(subjectOf(built), opCase.tolerance);
  if (opCase.differences !== false) measureDifferences(opCase, built, report);

  const { graph, feed, outputs } = built;
  const backward = addGradients(built);
  // A gradient may be somebody's cotangent, which is an input that cannot be read back.
  const readable = (tensors: ReadonlyMap<string, Tensor>): ReadonlyMap<string, Tensor> =>
    new Map([...tensors].map(([name, t]) => [name, t.role === 'value' ? t : copy(graph, t)]));
  const [results, gradients] = [readable(outputs), readable(backward)];
  if (opCase.half) storeActivationsInHalf(graph);
  const wanted = interpret(graph, feed, opCase.step);
  const all = [...new Set([...results.values(), ...gradients.values()])];

  let variants = 1;
  for (let turn = 0; turn < variants; turn++) {
    const names = new Set<string>();
    const choose: ChooseVariant = (_, choices) => {
      const run = choices.filter(({ name }, i) => FULL || i === 0 || !opCase.fullOnly?.test(name));
      if (opCase.variants !== 'frozen') variants = Math.max(variants, run.length);
      const chosen = run[turn] ?? choices[0];
      names.add(chosen.name);
      return chosen;
    };
    const compile = (): Promise<Program> => Program.compile(device, graph, { outputs: all, choose });
    const program = await (opCase.gpu ? loweredForGpu(device, compile) : compile());
    try {
      for (const [tensor, data] of feed) program.write(tensor, data);
      program.run(opCase.step);
      const got = await program.read();
      const note = names.size > 0 ? ` (variant ${[...names].join(', ')})` : '';
      const compare = (kind: keyof Errors, name: string, tensor: Tensor): void => {
        const error = relativeError(got.get(tensor) ?? [], wanted.get(tensor) ?? []);
        const role = kind === 'outputs' ? 'output' : 'gradient of';
        report.add(kind, `on the GPU${note}, ${role} ${describe(tensor, name)}`, error);
      };
      for (const [name, tensor] of results) compare('outputs', name, tensor);
      for (const [name, tensor] of gradients) compare('gradients', name, tensor);
      // Written again: an op may have changed its inputs.
      for (const [tensor, data] of feed) program.write(tensor, data);
      program.run(opCase.step);
      const again = await program.read();
      for (const [tensor, data] of got)
        if (!sameBits(data, again.get(tensor)))
          throw new Error(
            `${report.subject}\n  ${tensor.name}${note} has other bits when it is computed again`,
          );
    } finally {
      program.destroy();
    }
  }
  return report.result();
}

/** What `work` returns when lowerings are told that the device is a GPU. */
export async function loweredForGpu<T>(device: Device, work: () => Promise<T>): Promise<T> {
  Object.defineProperty(device, 'capabilities', {
    value: { ...device.capabilities, software: false },
    configurable: true,
  });
  try {
    return await work();
  } finally {
    // What the class defines comes back.
    Reflect.deleteProperty(device, 'capabilities');
  }
}

const bitsOf = (data: Float32Array | Uint32Array): Uint32Array =>
  new Uint32Array(data.buffer, data.byteOffset, data.length);

function sameBits(a: Float32Array | Uint32Array, b: Float32Array | Uint32Array | undefined): boolean {
  if (!b || a.length !== b.length) return false;
  const [bitsA, bitsB] = [bitsOf(a), bitsOf(b)];
  return bitsA.every((word, i) => word === bitsB[i]);
}
