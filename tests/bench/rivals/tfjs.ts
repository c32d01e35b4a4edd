/**
 * The cases in TensorFlow.js (tfjs-core with the WebGPU backend), operations run eagerly.
 *
 * matmul: y [m, n] = x [m, k] w [k, n], its own `matMul`: tiles in workgroup memory.
 *
 * Selective scan: tfjs-scan.ts; convolution, LayerNorm and AdamW: tfjs-layers.ts.
 *
 * Mamba-1 step: the same scan inside a hand-written gradient, the convolution as
 * d_conv shifted products; parameters and moments are one flat vector each, so
 * that AdamW is a dozen operations. The loss is sum(block(x) * cotangent).
 */

import * as tf from '@tensorflow/tfjs-core';
import { backend, download, eager, finish, upload, type Tree } from './tfjs-case';
import { tfjsLayers } from './tfjs-layers';
import { gatedScan, multiplyAdd, sumRows, type T } from './tfjs-scan';
import {
  adamw,
  blockName,
  blockParameters,
  blockParameterShapes,
  flatten,
  matmulName,
  scanInputShapes,
  scanName,
  sizeOf,
  tensor,
  unflatten,
  type BenchCase,
  type BlockParameter,
  type BlockShape,
  type Contender,
  type MatmulShape,
  type ScanInput,
  type ScanShape,
} from './types';

/** The loss of a Mamba-1 block and its gradient by every parameter. */
function blockGradient(
  chunkSteps: number,
  { batch: b, length: l, d_model, d_state: n, d_conv, expand, dt_rank }: BlockShape,
  x: T,
  cotangent: T,
  p: Record<BlockParameter, T>,
): { loss: T; gradient: Record<BlockParameter, T> } {
  const d = expand * d_model;
  const rows = b * l;
  const flat = (a: T, width: number): T => tf.reshape(a, [rows, width]);
  const columns = (a: T, from: number, width: number): T => tf.slice(a, [0, from], [rows, width]);
  const window = (a: T, from: number): T => tf.slice(a, [0, from, 0], [b, l, d]);
  const sequence = (a: T, width: number): T => tf.reshape(a, [b, l, width]);

  const xRows = flat(x, d_model);
  const cotangentRows = flat(cotangent, d_model);
  const xz = tf.matMul(xRows, p.in_proj, false, true);
  const xs = tf.pad(sequence(columns(xz, 0, d), d), [
    [0, 0],
    [d_conv - 1, 0],
    [0, 0],
  ]);
  const taps = tf.unstack(p.conv_weight, 1);
  const windows = taps.map((_, k) => window(xs, k));
  const c = taps.reduce((acc, tap, k) => multiplyAdd(windows[k]!, tap, acc), p.conv_bias);
  const sigmoid = tf.sigmoid(c);
  const u = tf.mul(c, sigmoid);
  const uRows = flat(u, d);
  const dbc = tf.matMul(uRows, p.x_proj, false, true);
  const dt = columns(dbc, 0, dt_rank);
  const A = tf.neg(tf.exp(p.A_log));
  const scan = gatedScan(
    {
      u,
      delta: sequence(tf.matMul(dt, p.dt_proj, false, true), d),
      A,
      B: sequence(columns(dbc, dt_rank, n), n),
      C: sequence(columns(dbc, dt_rank + n, n), n),
      D: p.D,
      z: sequence(columns(xz, d, d), d),
      delta_bias: p.dt_bias,
      dy: sequence(tf.matMul(cotangentRows, p.out_proj), d),
    },
    chunkSteps,
  );
  const yRows = flat(scan.y, d);
  const loss = tf.sum(tf.mul(tf.matMul(yRows, p.out_proj, false, true), cotangentRows));

  const ddeltaRows = flat(scan.ddelta, d);
  const ddbc = tf.concat([tf.matMul(ddeltaRows, p.dt_proj), flat(scan.dB, n), flat(scan.dC, n)], 1);
  const du = tf.add(scan.du, sequence(tf.matMul(ddbc, p.x_proj), d));
  const dc = tf.mul(tf.mul(du, sigmoid), tf.sub(tf.add(c, 1), u));
  const dcPadded = tf.pad(dc, [
    [0, 0],
    [0, d_conv - 1],
    [0, 0],
  ]);
  const dxs = taps
    .map((tap, k) => tf.mul(window(dcPadded, d_conv - 1 - k), tap))
    .reduce((acc, term) => tf.add(acc, term));
  const dxz = tf.concat([flat(dxs, d), flat(scan.dz, d)], 1);
  return {
    loss,
    gradient: {
      in_proj: tf.matMul(dxz, xRows, true),
      conv_weight: tf.stack(
        windows.map((values) => sumRows(tf.mul(dc, values))),
        1,
      ),
      conv_bias: sumRows(dc),
      x_proj: tf.matMul(ddbc, uRows, true),
      dt_proj: tf.matMul(ddeltaRows, dt, true),
      dt_bias: scan.ddelta_bias,
      A_log: tf.mul(scan.dA, A),
      D: scan.dD,
      out_proj: tf.matMul(cotangentRows, yRows, true),
    },
  };
}

/** Training step number `step`: state p, m, v [all parameters] -> the next state. */
function trainingStep(chunkSteps: number, shape: BlockShape, data: Tree, state: Tree, step: number): Tree {
  const { learningRate, beta1, beta2, epsilon, weightDecay, maxNorm } = adamw;
  const shapes = blockParameterShapes(shape);
  return tf.tidy(() => {
    const pieces = tf.split(
      state.p!,
      blockParameters.map((name) => sizeOf(shapes[name])),
    );
    const parameters = {} as Record<BlockParameter, T>;
    blockParameters.forEach((name, i) => {
      parameters[name] = tf.reshape(pieces[i]!, shapes[name]);
    });
    const { loss, gradient } = blockGradient(chunkSteps, shape, data.x!, data.cotangent!, parameters);
    const g = tf.concat(blockParameters.map((name) => tf.reshape(gradient[name], [-1])));
    const norm = tf.sqrt(tf.sum(tf.square(g)));
    const clipped = tf.mul(g, tf.minimum(tf.div(maxNorm, tf.add(norm, 1e-6)), 1));
    const m = tf.add(tf.mul(state.m!, beta1), tf.mul(clipped, 1 - beta1));
    const v = tf.add(tf.mul(state.v!, beta2), tf.mul(tf.square(clipped), 1 - beta2));
    const root = tf.add(tf.sqrt(tf.mul(v, 1 / (1 - beta2 ** step))), epsilon);
    const update = tf.div(tf.mul(m, learningRate / (1 - beta1 ** step)), root);
    const p = tf.sub(tf.mul(state.p!, 1 - learningRate * weightDecay), update);
    return { p, m, v, loss, grad_norm: norm };
  });
}

function matmul(shape: MatmulShape): BenchCase {
  const { m, k, n } = shape;
  return {
    name: matmulName(shape),
    prepare: (inputs) =>
      Promise.resolve(
        eager(({ x, w }) => ({ y: tf.matMul(x!, w!) }), {
          x: upload(tensor(inputs, 'x'), [m, k]),
          w: upload(tensor(inputs, 'w'), [k, n]),
        }),
      ),
  };
}

function selectiveScan(chunkSteps: number, shape: ScanShape): BenchCase {
  return {
    name: scanName(shape),
    prepare: (inputs) => {
      const args: Tree = {};
      for (const [name, dims] of Object.entries(scanInputShapes(shape)))
        args[name] = upload(tensor(inputs, name), dims);
      return Promise.resolve(eager((t) => gatedScan(t as Record<ScanInput, T>, chunkSteps), args));
    },
  };
}

function mambaStep(chunkSteps: number, shape: BlockShape): BenchCase {
  return {
    name: blockName(shape),
    prepare: (inputs) => {
      const flat = flatten(inputs);
      const zeros = new Float32Array(flat.length);
      const io = [shape.batch, shape.length, shape.d_model];
      const data: Tree = {
        x: upload(tensor(inputs, 'x'), io),
        cotangent: upload(tensor(inputs, 'cotangent'), io),
      };
      let step = 0;
      let state: Tree = {
        p: upload(flat, [flat.length]),
        m: upload(zeros, [flat.length]),
        v: upload(zeros, [flat.length]),
      };
      return Promise.resolve({
        run: () => {
          const next = trainingStep(chunkSteps, shape, data, state, ++step);
          tf.dispose(state);
          state = next;
          return finish();
        },
        read: async () => unflatten(shape, await download(state)),
        dispose: () => tf.dispose([state, data]),
      });
    },
  };
}

/**
 * Starts the WebGPU backend; throws where there is none. The default chunk is the fastest on a
 * CPU-backed adapter; on a GPU fewer dispatches may matter more, so try 4, 8 and 16 there.
 */
export async function createTfjs(chunkSteps = 16): Promise<Contender> {
  if (!(await tf.setBackend('webgpu'))) throw new Error('tfjs found no WebGPU');
  await tf.ready();
  return {
    name: 'tfjs',
    device: backend().device,
    matmul,
    selectiveScan: (shape) => selectiveScan(chunkSteps, shape),
    mambaStep: (shape) => mambaStep(chunkSteps, shape),
    ...tfjsLayers,
  };
}
