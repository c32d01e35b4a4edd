/** Weights of a file onto the device, once they were found to be those of the model. */
import { visible } from '../base/text';
import type { FloatTensor, TrainingState } from '../checkpoints/state';
import { elements, formatShape, type Graph, type Shape } from '../engine/graph';
import type { Parameters } from '../engine/packs';
import type { Declared } from '../models/initialise';
import { SettingsError } from '../run/failure';

/** Parameters and running statistics by their published names. */
export type Weights = Pick<TrainingState, 'parameters' | 'buffers'>;

interface Model {
  readonly declared: readonly Declared[];
  /** Parameters of the published model without influence on this one. */
  readonly unused: readonly Declared[];
  readonly graph: Graph;
}

const OTHER_MIXER = /_mamba_(real|fallback)\./;

function reject(how: string): never {
  throw new SettingsError(`the checkpoint is that of another model: ${how}`);
}

/**
 * Whether a model takes these weights and running statistics; those of the mixer that is not trained may be there or not.
 * Throws SettingsError when they are those of another model.
 */
export function checkWeights({ declared, unused, graph }: Model, weights: Weights): void {
  const known = new Set([...declared, ...unused].map(({ parameter }) => parameter.name));
  for (const name of weights.parameters.keys())
    if (!known.has(name) && !OTHER_MIXER.test(name))
      reject(`it has ${visible(name, 60)}, which this one has not`);
  const compare = (name: string, shape: Shape, tensor: FloatTensor | undefined): void => {
    if (!tensor) return reject(`it lacks ${name}`);
    if (tensor.data.length !== elements(shape))
      reject(
        `${name} has ${elements(shape)} values ${formatShape(shape)}, in the checkpoint ${tensor.data.length}`,
      );
  };
  for (const { parameter } of declared)
    compare(parameter.name, parameter.shape, weights.parameters.get(parameter.name));
  for (const { name, shape } of graph.buffers) compare(name, shape, weights.buffers.get(name));
}

/** Writes weights and running statistics that `checkWeights` has passed. */
export function restoreWeights(
  { parameters, declared }: { readonly parameters: Parameters; readonly declared: readonly Declared[] },
  weights: Weights,
): void {
  const names = declared.map(({ parameter }) => parameter.name);
  for (const name of names) writeTensor(parameters, name, weights.parameters.get(name));
  for (const name of parameters.bufferLayout.slices.keys())
    writeTensor(parameters, name, weights.buffers.get(name));
}

/** Writes one tensor of a file. Throws SettingsError where it is not there or has another size. */
export function writeTensor(
  parameters: Parameters,
  name: string,
  tensor: FloatTensor | undefined,
  pack?: 'first_moment' | 'second_moment',
): void {
  if (!tensor) return reject(`it lacks ${name}`);
  try {
    parameters.write(name, tensor.data, pack);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    reject(error.message);
  }
}
