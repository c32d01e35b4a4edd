import { defineOp } from '../../../src/engine/ops/definition';
import { kernel, read, write } from '../../../src/engine/ops/kernel';

/** y = 2 x, x [129], by kernels that multiply by these: WGSL by the names of the variants, right or not. */
export function doubleOp(factors: Readonly<Record<string, string>>) {
  const [first, ...others] = Object.entries(factors).map(([name, FACTOR]) => ({ name, FACTOR }));
  if (!first) throw new Error('an op needs a kernel');
  return defineOp({
    name: 'double',
    inputs: ['x'],
    optional: [],
    outputs: ['y'],
    shape: ({ x }) => ({ y: { shape: x.shape, dtype: 'f32' } }),
    variants: () => [first, ...others],
    kernels: ({ inputs, outputs }, _, variant) => [
      kernel({
        name: 'double',
        source:
          '#main items first..last\n  for (var i = first; i < last; i += $WORKGROUP) { write_y(i, read_x(i) * ($FACTOR)); }\n#end\n',
        defines: variant ?? first,
        bindings: [read('x', inputs.x), write('y', outputs.y)],
        items: 129,
        per: 1,
        workgroup: 64,
      }),
    ],
    gradient: null,
    reference: ({ x }) => ({ y: x.data.map((value) => 2 * value) }),
    cost: () => ({ flops: 129, bytes: 8 * 129 }),
  });
}
