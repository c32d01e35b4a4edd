/** Initial values of parameters, each drawn from a stream of its own that depends on the seed and its name alone. */
import { elements, type Parameter, type Shape } from '../engine/graph';
import { Random } from '../base/random';

/** Fills the values of one parameter. */
export type Initialiser = (values: Float32Array, random: Random) => void;

/** A parameter of a graph and how it is initialised: what the functions that describe a model return beside their tensors. */
export interface Declared {
  readonly parameter: Pick<Parameter, 'name' | 'shape'>;
  readonly initialiser: Initialiser;
  /** Shape in the published state_dict, where it has axes of size 1 that the graph does without. */
  readonly publishedShape: Shape;
}

const fill =
  (draw: (random: Random) => number): Initialiser =>
  (values, random) => {
    for (let i = 0; i < values.length; i++) values[i] = draw(random);
  };

/** Every value is `value`. */
export const constant = (value: number): Initialiser => fill(() => value);

/** Values uniform in [−bound, bound). */
export const uniform = (bound: number): Initialiser => fill((random) => random.uniform(-bound, bound));

/** Values from N(0, deviation²). */
export const normal = (deviation: number): Initialiser => fill((random) => random.normal(0, deviation));

/**
 * PyTorch's default of nn.Linear and nn.Conv1d, for weights and for biases: uniform within ±1/√fanIn. (For a weight it is
 * written kaiming_uniform_(a = √5), whose bound √(6 / ((1 + 5) fanIn)) is the same.) `fanIn`: inputs of one output, for a
 * depthwise convolution the kernel's length.
 */
export const torchDefault = (fanIn: number): Initialiser => uniform(1 / Math.sqrt(fanIn));

/** The same values, times `factor`. */
export const scaled =
  (initialiser: Initialiser, factor: number): Initialiser =>
  (values, random) => {
    initialiser(values, random);
    for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) * factor;
  };

/** softplus(bias) log-uniform in [dtMin, dtMax] but at least dtInitFloor: bias = dt + ln(1 − e^(−dt)). */
export const deltaBiasInitialiser =
  ({ dtMin, dtMax, dtInitFloor }: Readonly<Record<'dtMin' | 'dtMax' | 'dtInitFloor', number>>): Initialiser =>
  (values, random) => {
    for (let i = 0; i < values.length; i++) {
      const dt = Math.max(Math.exp(random.uniform(Math.log(dtMin), Math.log(dtMax))), dtInitFloor);
      values[i] = dt + Math.log(-Math.expm1(-dt));
    }
  };

/** N(0, √(2 / fanOut)): PyTorch's kaiming_normal_ with mode fan_out for ReLU (He et al. 2015). */
export const kaimingFanOut = (fanOut: number): Initialiser => normal(Math.sqrt(2 / fanOut));

/** N(0, √(2 / (inputs + outputs))): PyTorch's xavier_normal_ (Glorot & Bengio 2010). */
export const xavierNormal = (inputs: number, outputs: number): Initialiser =>
  normal(Math.sqrt(2 / (inputs + outputs)));

/** ln U(low, high). */
export const logOfUniform = (low: number, high: number): Initialiser =>
  fill((random) => Math.log(random.uniform(low, high)));

/** Initial values by name. A parameter's values depend on `seed`, its name and its shape, not on the other parameters. */
export function initialise(declared: readonly Declared[], seed: number): Map<string, Float32Array> {
  const random = new Random(seed).stream('parameters');
  return new Map(
    declared.map(({ parameter, initialiser }) => {
      const values = new Float32Array(elements(parameter.shape));
      initialiser(values, random.stream(parameter.name));
      return [parameter.name, values];
    }),
  );
}

/** How many numbers a model has to learn. */
export const countParameters = (declared: readonly Declared[]): number =>
  declared.reduce((sum, { parameter }) => sum + elements(parameter.shape), 0);
