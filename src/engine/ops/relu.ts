import { unary } from './elementwise';

/** ReLU: y = max(x, 0), but NaN stays NaN. */
export const relu = unary({
  name: 'relu',
  wgsl: 'return select(x, T(), x < T());',
  reference: (x) => (x < 0 ? 0 : x),
  flops: 1,
  slope: {
    of: 'y',
    wgsl: 'return select(dy, T(), y <= T());',
    reference: (y, dy) => (y <= 0 ? 0 : dy),
    flops: 1,
  },
});
