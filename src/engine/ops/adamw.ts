/** The optimizer step of all parameters at once: AdamW (Loshchilov & Hutter 2019) with clipping by the global norm. */
import source from '../../../shaders/adamw.wgsl?raw';
import { bytesOf, elements, formatShape, GraphError, type Graph } from '../graph';
import { BETA1, BETA2 } from '../step';
import { defineOp, type OpInputs, type StepScalars } from './definition';
import { kernel, passesOf, read, readWrite } from './kernel';

const WORKGROUP = 64;

/** PyTorch's default. */
const EPSILON = 1e-8;

export interface AdamwAttrs {
  readonly weightDecay: number;
  /** Leading elements of the packs that are decayed; a multiple of 4. */
  readonly decayed: number;
  /** Largest global norm of the gradient; 0 does not clip. */
  readonly clip: number;
}

const PACKS = ['value', 'gradient', 'first_moment', 'second_moment'] as const;

/**
 * Packs [n], norm [1], their gradient's global norm, and `factor` [1], by which the gradient (not its norm) is multiplied
 * first. Writes value and both moments in place, unless the norm is not finite or `halted` [1] not 0; shaders/adamw.wgsl has the
 * formulas. The rate and the bias corrections come from the step's scalars.
 */
export const adamwOp = defineOp({
  name: 'adamw',
  inputs: [...PACKS, 'norm'],
  optional: ['factor', 'halted'],
  outputs: [],
  mutates: ['value', 'first_moment', 'second_moment'],
  shape(inputs, { weightDecay, decayed, clip }: AdamwAttrs) {
    const length = elements(inputs.value.shape);
    for (const name of PACKS)
      if (formatShape(inputs[name].shape) !== formatShape([length]))
        throw new GraphError(`${name} must be [${length}], it is ${formatShape(inputs[name].shape)}`);
    for (const [name, tensor] of Object.entries({
      norm: inputs.norm,
      factor: inputs.factor,
      halted: inputs.halted,
    }))
      if (tensor && elements(tensor.shape) !== 1)
        throw new GraphError(`${name} must be [1], it is ${formatShape(tensor.shape)}`);
    if (length % 4 !== 0) throw new GraphError('the length of a pack must be a multiple of 4');
    if (!(decayed >= 0 && decayed <= length && decayed % 4 === 0))
      throw new GraphError(
        `the count of decayed elements must be a multiple of 4 within the pack, it is ${decayed}`,
      );
    if (!(weightDecay >= 0 && clip >= 0))
      throw new GraphError(`weight decay and clip must not be negative, they are ${weightDecay} and ${clip}`);
    return {};
  },
  kernels({ inputs, attrs: { weightDecay, decayed, clip } }, { software }) {
    const vectors = elements(inputs.value.shape) / 4;
    return [
      kernel({
        name: 'adamw',
        source,
        defines: {
          DECAYED: decayed / 4,
          DECAY: weightDecay,
          CLIP: clip,
          FACTOR: inputs.factor !== undefined,
          HALTS: inputs.halted !== undefined,
          BETA1,
          BETA2,
          EPSILON,
        },
        bindings: [
          readWrite('value', inputs.value, 'vec4f'),
          read('gradient', inputs.gradient, 'vec4f'),
          readWrite('first_moment', inputs.first_moment, 'vec4f'),
          readWrite('second_moment', inputs.second_moment, 'vec4f'),
          read('norm', inputs.norm),
          ...(inputs.factor ? [read('factor', inputs.factor)] : []),
          ...(inputs.halted ? [read('halted', inputs.halted)] : []),
        ],
        items: vectors,
        per: passesOf(vectors, WORKGROUP, software, 4),
        workgroup: WORKGROUP,
        usesStep: true,
      }),
    ];
  },
  gradient: null,
  reference(
    { value, gradient, first_moment, second_moment, norm, factor, halted },
    { weightDecay, decayed, clip },
    { step, optimizerStep = step, learningRate }: StepScalars,
  ) {
    if (!Number.isFinite(Math.fround(norm.data[0] as number)) || halted?.data[0])
      return { value: value.data, first_moment: first_moment.data, second_moment: second_moment.data };
    const coefficient = clip > 0 ? Math.min(1, clip / ((norm.data[0] as number) + 1e-6)) : 1;
    const scale = coefficient * (factor?.data[0] ?? 1);
    const g = gradient.data.map((entry) => entry * scale);
    const m = first_moment.data.map((entry, i) => BETA1 * entry + (1 - BETA1) * (g[i] as number));
    const v = second_moment.data.map((entry, i) => BETA2 * entry + (1 - BETA2) * (g[i] as number) ** 2);
    const w = value.data.map((entry, i) => {
      const kept = i < decayed ? entry * (1 - learningRate * weightDecay) : entry;
      const first = (m[i] as number) / (1 - BETA1 ** optimizerStep);
      const second = (v[i] as number) / (1 - BETA2 ** optimizerStep);
      return kept - (learningRate * first) / (Math.sqrt(second) + EPSILON);
    });
    return { value: w, first_moment: m, second_moment: v };
  },
  cost: ({ inputs }) => ({
    flops: 16 * elements(inputs.value.shape),
    bytes: 7 * bytesOf(inputs.value) + bytesOf(inputs.norm),
  }),
});

/** Adds the optimizer step of the packs; see adamwOp. */
export function adamw(
  graph: Graph,
  inputs: OpInputs<(typeof PACKS)[number] | 'norm', 'factor' | 'halted'>,
  attrs: AdamwAttrs,
): void {
  graph.apply(adamwOp, inputs, attrs);
}
