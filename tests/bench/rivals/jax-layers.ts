/**
 * A convolution, LayerNorm and AdamW in jax-js, each forward and backward in one compiled program.
 *
 * conv1d: its own convolution and its own gradient, channels first. A kernel of it reaches the rate of its `matmul`,
 * so no other formulation is faster.
 * LayerNorm: gradient by hand.
 * AdamW: p, m and v each in one kernel, which is as far as its fusion goes.
 */

import { blockUntilReady, jit, lax, numpy as np, vjp } from '@jax-js/jax';
import { compiled, download, free, references, upload, type Tree } from './jax-case';
import { add, mul, sub, sum, type Arr } from './jax-scan';
import {
  adamw,
  convName,
  layerNormEpsilon,
  normName,
  tensor,
  transpose,
  updateName,
  type BenchCase,
  type Contender,
  type ConvShape,
  type NormShape,
  type UpdateShape,
} from './types';

function conv1d(shape: ConvShape): BenchCase {
  const { batch: b, length: l, channels: c, outputs: o, kernel: k } = shape;
  const half = (k - 1) / 2;
  const convolve = (x: Arr, weight: Arr): Arr => lax.convGeneralDilated(x, weight, [1], [[half, half]]);
  return {
    name: convName(shape),
    prepare: async (inputs) => {
      const prepared = await compiled(
        ({ x, weight, dy }) => {
          const [y, back] = vjp(convolve, [x!.ref, weight!.ref]);
          const [dx, dweight] = back(dy!.ref);
          return { y, dx, dweight };
        },
        {
          x: upload(transpose(tensor(inputs, 'x'), [b, l, c], [0, 2, 1]), [b, c, l]),
          weight: upload(tensor(inputs, 'weight'), [o, c, k]),
          dy: upload(transpose(tensor(inputs, 'dy'), [b, l, o], [0, 2, 1]), [b, o, l]),
        },
      );
      return {
        ...prepared,
        read: async () => {
          const results = await prepared.read();
          return {
            y: transpose(tensor(results, 'y'), [b, o, l], [0, 2, 1]),
            dx: transpose(tensor(results, 'dx'), [b, c, l], [0, 2, 1]),
            dweight: tensor(results, 'dweight'),
          };
        },
      };
    },
  };
}

function layerNorm(shape: NormShape): BenchCase {
  const { rows, channels: d } = shape;
  const rowMean = (a: Arr): Arr => mul(a.ref.sum(1, { keepdims: true }), 1 / d);
  return {
    name: normName(shape),
    prepare: (inputs) =>
      compiled(
        (t) => {
          const [x, weight, bias, dy] = [t.x!, t.weight!, t.bias!, t.dy!];
          const centred = sub(x, rowMean(x));
          const r = np.reciprocal(np.sqrt(add(rowMean(mul(centred, centred)), layerNormEpsilon)));
          const normal = mul(centred, r);
          const g = mul(dy, weight);
          const inner = sub(sub(g, rowMean(g)), mul(normal, rowMean(mul(g, normal))));
          return {
            y: add(mul(normal, weight), bias),
            dx: mul(inner, r),
            dweight: sum(mul(dy, normal), 0),
            dbias: sum(dy, 0),
          };
        },
        {
          x: upload(tensor(inputs, 'x'), [rows, d]),
          weight: upload(tensor(inputs, 'weight'), [d]),
          bias: upload(tensor(inputs, 'bias'), [d]),
          dy: upload(tensor(inputs, 'dy'), [rows, d]),
        },
      ),
  };
}

/** One update: p, m, v [parameters] and t (updates done) -> the next state. */
function update({ p, g, m, v, t }: Tree): Tree {
  const { learningRate, beta1, beta2, epsilon, weightDecay } = adamw;
  const next = add(t!, 1);
  const correction = (beta: number): Arr =>
    np
      .exp(mul(next, Math.log(beta)))
      .mul(-1)
      .add(1);
  const m1 = add(mul(m!, beta1), mul(g!, 1 - beta1));
  const v1 = add(mul(v!, beta2), mul(mul(g!, g!), 1 - beta2));
  const root = np.sqrt(v1.ref.div(correction(beta2))).add(epsilon);
  const step = m1.ref.div(correction(beta1)).div(root).mul(learningRate);
  return { p: mul(p!, 1 - learningRate * weightDecay).sub(step), m: m1, v: v1, t: next };
}

function adamwUpdate(shape: UpdateShape): BenchCase {
  return {
    name: updateName(shape),
    prepare: async (inputs) => {
      const vector = (name: string): Arr => upload(tensor(inputs, name), [shape.parameters]);
      const g = vector('g');
      let state: Tree = {
        p: vector('p'),
        m: vector('m'),
        v: vector('v'),
        t: upload(new Float32Array(1), []),
      };
      await blockUntilReady([g, state]);
      const program = jit(update);
      return {
        run: async () => {
          state = program({ ...references({ g }), ...state });
          await blockUntilReady(state);
        },
        read: () => download(state),
        dispose: () => {
          free({ ...state, g });
          program.dispose();
        },
      };
    },
  };
}

export const jaxLayers = { conv1d, layerNorm, adamw: adamwUpdate } satisfies Partial<Contender>;
