/** y = x · silu(z): the gate in front of Mamba-2's norm. */
import type { Graph, Tensor } from '../graph';
import { defineOp } from './definition';
import { elementwiseCost, elementwiseKernel, sameShape } from './elementwise';
import { rmsNorm } from './rms_norm';

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

export const siluGateOp = defineOp({
  name: 'silu_gate',
  inputs: ['x', 'z'],
  optional: [],
  outputs: ['y'],
  half: ['y'],
  shape: (inputs) => ({ y: sameShape(inputs) }),
  kernels: ({ inputs: { x, z }, outputs }, lowering) => [
    elementwiseKernel('silu_gate', [x, z], outputs.y, lowering),
  ],
  gradient: ({ graph, inputs: { x, z }, cotangents: { y: dy }, needs }) => ({
    x: dy && needs('x') ? siluGate(graph, dy, z) : undefined,
    z: dy && needs('z') ? graph.apply(siluGateBackwardOp, { x, z, dy }, {}).dz : undefined,
  }),
  reference: ({ x, z }) => ({
    y: x.data.map((value, i) => value * at(z.data, i) * sigmoid(at(z.data, i))),
  }),
  cost: ({ inputs: { x, z }, outputs }) => elementwiseCost([x, z, outputs.y], 5),
});

/** dz = dy · x · s · (1 + z (1 − s)) with s = sigmoid(z); dx = dy · silu(z) is the op itself. */
export const siluGateBackwardOp = defineOp({
  name: 'silu_gate_backward',
  inputs: ['x', 'z', 'dy'],
  optional: [],
  outputs: ['dz'],
  half: ['dz'],
  shape: (inputs) => ({ dz: sameShape(inputs) }),
  kernels: ({ inputs: { x, z, dy }, outputs }, lowering) => [
    elementwiseKernel('silu_gate_backward', [x, z, dy], outputs.dz, lowering),
  ],
  gradient: null,
  reference: ({ x, z, dy }) => ({
    dz: x.data.map((value, i) => {
      const s = sigmoid(at(z.data, i));
      return at(dy.data, i) * value * s * (1 + at(z.data, i) * (1 - s));
    }),
  }),
  cost: ({ inputs: { x, z, dy }, outputs }) => elementwiseCost([x, z, dy, outputs.dz], 9),
});

const at = (data: Float64Array, i: number): number => data[i] as number;

export const siluGate = (graph: Graph, x: Tensor, z: Tensor): Tensor =>
  graph.apply(siluGateOp, { x, z }, {}).y;

/** x · silu(z), then RMSNorm over the last axis: `RMSNormGated` of state-spaces/mamba with norm_before_gate = False. */
export const rmsNormGated = (graph: Graph, x: Tensor, z: Tensor, weight: Tensor, eps: number): Tensor =>
  rmsNorm(graph, siluGate(graph, x, z), weight, eps);
