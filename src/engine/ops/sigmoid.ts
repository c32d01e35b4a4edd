import { unary } from './elementwise';

/** The sigmoid: y = 1 / (1 + e^−x). */
export const sigmoid = unary({
  name: 'sigmoid',
  wgsl: 'return sigmoid(x);',
  reference: (x) => 1 / (1 + Math.exp(-x)),
  flops: 5,
  slope: {
    of: 'y',
    wgsl: 'return dy * y * (1.0 - y);',
    reference: (y, dy) => dy * y * (1 - y),
    flops: 3,
  },
});
