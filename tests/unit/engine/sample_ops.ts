/** Activations that only tests use, made as those of src/engine/ops are. */
import { unary } from '../../../src/engine/ops/elementwise';

const logistic = (x: number): number => 1 / (1 + Math.exp(-x));

/** SiLU: y = x · sigmoid(x) (Elfwing et al. 2017). */
export const silu = unary({
  name: 'silu',
  wgsl: 'return x * sigmoid(x);',
  reference: (x) => x * logistic(x),
  flops: 4,
  slope: {
    of: 'x',
    wgsl: 'let s = sigmoid(x); return dy * s * (1.0 + x * (1.0 - s));',
    reference: (x, dy) => dy * logistic(x) * (1 + x * (1 - logistic(x))),
    flops: 8,
  },
});

/** Softplus: y = ln(1 + e^x) (Dugas et al. 2001), as the scans compute it of Δ. */
export const softplus = unary({
  name: 'softplus',
  wgsl: 'return softplus(x);',
  reference: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  flops: 22,
  slope: {
    of: 'x',
    wgsl: 'return dy * sigmoid(x);',
    reference: (x, dy) => dy * logistic(x),
    flops: 6,
  },
});
