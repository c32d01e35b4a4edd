/** The gate in front of Mamba-2's norm, and both together. */
import type { Graph, Tensor } from '../graph';
import type { Builder } from './definition';
import { elementwiseOp } from './elementwise';
import { rmsNorm } from './rms_norm';

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** dz = dy · x · s · (1 + z (1 − s)) with s = sigmoid(z). */
export const siluGateBackwardOp = elementwiseOp({
  name: 'silu_gate_backward',
  inputs: ['x', 'z', 'dy'],
  output: 'dz',
  wgsl: 'let s = sigmoid(z); return dy * x * s * (1.0 + z * (1.0 - s));',
  reference: (x, z, dy) => dy * x * sigmoid(z) * (1 + z * (1 - sigmoid(z))),
  flops: 9,
  gradient: null,
});

export const siluGateOp = elementwiseOp({
  name: 'silu_gate',
  inputs: ['x', 'z'],
  wgsl: 'return x * (z * sigmoid(z));',
  reference: (x, z) => x * z * sigmoid(z),
  flops: 5,
  // dx = dy · silu(z) is the op itself.
  gradient: ({ graph, inputs: { x, z }, cotangents: { y: dy }, needs }) => ({
    x: dy && needs('x') ? siluGate(graph, dy, z) : undefined,
    z: dy && needs('z') ? graph.apply(siluGateBackwardOp, { x, z, dy }, {}).dz : undefined,
  }),
});

/** y = x · silu(z), silu(z) = z · sigmoid(z) (Elfwing et al. 2017), equal shapes. */
export const siluGate = (graph: Builder, x: Tensor, z: Tensor): Tensor =>
  graph.apply(siluGateOp, { x, z }, {}).y;

/**
 * x · silu(z), then RMSNorm over the last axis, or over each of its groups: `RMSNormGated` of state-spaces/mamba with
 * norm_before_gate = False.
 */
export const rmsNormGated = (
  graph: Graph,
  x: Tensor,
  z: Tensor,
  weight: Tensor,
  eps: number,
  groups = 1,
): Tensor => rmsNorm(graph, siluGate(graph, x, z), weight, eps, groups);
