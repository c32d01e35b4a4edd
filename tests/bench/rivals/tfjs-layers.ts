/**
 * A convolution, LayerNorm and AdamW in TensorFlow.js, forward and backward.
 *
 * conv1d: as products with the windows beside each other ([b l, k c]), three in all.
 * LayerNorm: gradient by hand, sums as pools (tfjs-scan.ts says why).
 * AdamW: a dozen operations on whole vectors.
 */

import * as tf from '@tensorflow/tfjs-core';
import { download, eager, finish, upload, type Tree } from './tfjs-case';
import { multiplyAdd, pooledSum, sumRows, type T } from './tfjs-scan';
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
  /** x [b, l, w] -> [b l, k w], what each of the k taps sees. */
  const windows = (x: T, w: number): T => {
    const padded = tf.pad(x, [
      [0, 0],
      [half, half],
      [0, 0],
    ]);
    const taps = Array.from({ length: k }, (_, j) => tf.slice(padded, [0, j, 0], [b, l, w]));
    return tf.reshape(tf.concat(taps, 2), [b * l, k * w]);
  };
  return {
    name: convName(shape),
    prepare: (inputs) => {
      const prepared = eager(
        ({ x, weight, dy }) =>
          tf.tidy(() => {
            const seen = windows(x!, c);
            const turned = tf.transpose(tf.reverse(weight!, 0), [0, 2, 1]);
            return {
              y: tf.matMul(seen, tf.reshape(weight!, [k * c, o])),
              dx: tf.matMul(windows(dy!, o), tf.reshape(turned, [k * o, c])),
              dweight: tf.matMul(seen, tf.reshape(dy!, [b * l, o]), true),
            };
          }),
        {
          x: upload(tensor(inputs, 'x'), [b, l, c]),
          weight: upload(transpose(tensor(inputs, 'weight'), [o, c, k], [2, 1, 0]), [k, c, o]),
          dy: upload(tensor(inputs, 'dy'), [b, l, o]),
        },
      );
      return Promise.resolve({
        ...prepared,
        read: async () => {
          const results = await prepared.read();
          return { ...results, dweight: transpose(tensor(results, 'dweight'), [k, c, o], [2, 1, 0]) };
        },
      });
    },
  };
}

function layerNorm(shape: NormShape): BenchCase {
  const { rows, channels: d } = shape;
  const rowMean = (a: T): T => tf.reshape(tf.mul(pooledSum(tf.reshape(a, [rows, d, 1])), 1 / d), [rows, 1]);
  return {
    name: normName(shape),
    prepare: (inputs) =>
      Promise.resolve(
        eager(
          (t) =>
            tf.tidy(() => {
              const [x, weight, bias, dy] = [t.x!, t.weight!, t.bias!, t.dy!];
              const centred = tf.sub(x, rowMean(x));
              const r = tf.rsqrt(tf.add(rowMean(tf.square(centred)), layerNormEpsilon));
              const normal = tf.mul(centred, r);
              const g = tf.mul(dy, weight);
              const inner = tf.sub(tf.sub(g, rowMean(g)), tf.mul(normal, rowMean(tf.mul(g, normal))));
              return {
                y: multiplyAdd(normal, weight, bias),
                dx: tf.mul(inner, r),
                dweight: sumRows(tf.mul(dy, normal)),
                dbias: sumRows(dy),
              };
            }),
          {
            x: upload(tensor(inputs, 'x'), [rows, d]),
            weight: upload(tensor(inputs, 'weight'), [d]),
            bias: upload(tensor(inputs, 'bias'), [d]),
            dy: upload(tensor(inputs, 'dy'), [rows, d]),
          },
        ),
      ),
  };
}

function update({ p, m, v }: Tree, g: T, step: number): Tree {
  const { learningRate, beta1, beta2, epsilon, weightDecay } = adamw;
  return tf.tidy(() => {
    const m1 = tf.add(tf.mul(m!, beta1), tf.mul(g, 1 - beta1));
    const v1 = tf.add(tf.mul(v!, beta2), tf.mul(tf.square(g), 1 - beta2));
    const root = tf.add(tf.sqrt(tf.mul(v1, 1 / (1 - beta2 ** step))), epsilon);
    const change = tf.div(tf.mul(m1, learningRate / (1 - beta1 ** step)), root);
    return { p: tf.sub(tf.mul(p!, 1 - learningRate * weightDecay), change), m: m1, v: v1 };
  });
}

function adamwUpdate(shape: UpdateShape): BenchCase {
  return {
    name: updateName(shape),
    prepare: (inputs) => {
      const vector = (name: string): T => upload(tensor(inputs, name), [shape.parameters]);
      const g = vector('g');
      let state: Tree = { p: vector('p'), m: vector('m'), v: vector('v') };
      let step = 0;
      return Promise.resolve({
        run: () => {
          const next = update(state, g, ++step);
          tf.dispose(state);
          state = next;
          return finish();
        },
        read: () => download(state),
        dispose: () => tf.dispose([state, g]),
      });
    },
  };
}

export const tfjsLayers = { conv1d, layerNorm, adamw: adamwUpdate } satisfies Partial<Contender>;
