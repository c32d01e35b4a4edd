/**
 * The cases in jax-js (@jax-js/jax), WebGPU backend, each one compiled program.
 *
 * matmul: y [m, n] = x [m, k] w [k, n], its own `matmul`: register blocks, no workgroup memory.
 *
 * Selective scan: jax-scan.ts; convolution, LayerNorm and AdamW: jax-layers.ts.
 *
 * Mamba-1 step: the same scan inside a hand-written gradient, the convolution as
 * d_conv shifted products; parameters and moments are one flat vector each, so
 * that the norm and AdamW are five kernels. The loss is sum(block(x) * cotangent).
 */

import { blockUntilReady, defaultDevice, getWebGPUDevice, init, jit, nn, numpy as np } from '@jax-js/jax';
import { compiled, download, free, references, upload, type Tree } from './jax-case';
import { jaxLayers } from './jax-layers';
import { add, concatenate, gatedScan, mul, reshape, sub, sum, type Arr } from './jax-scan';
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
  { length: l, d_model, d_state: n, d_conv, expand, dt_rank }: BlockShape,
  x: Arr,
  cotangent: Arr,
  p: Record<BlockParameter, Arr>,
): { loss: Arr; gradient: Record<BlockParameter, Arr> } {
  const d = expand * d_model;
  const contract = (spec: string, left: Arr, right: Arr): Arr => np.einsum(spec, left.ref, right.ref);
  const columns = (a: Arr, from: number, width: number): Arr => a.ref.slice([], [], [from, from + width]);
  const window = (a: Arr, from: number): Arr => a.ref.slice([], [from, from + l]);
  const tap = (k: number): Arr => p.conv_weight.ref.slice([], k);
  const taps = Array.from({ length: d_conv }, (_, k) => k);

  const xz = contract('blm,om->blo', x, p.in_proj);
  const xs = np.pad(columns(xz, 0, d), [
    [0, 0],
    [d_conv - 1, 0],
    [0, 0],
  ]);
  const c = taps.reduce((acc, k) => add(acc, mul(window(xs, k), tap(k))), p.conv_bias);
  const sigmoid = nn.sigmoid(c.ref);
  const u = mul(c, sigmoid);
  const dbc = contract('bld,wd->blw', u, p.x_proj);
  const dt = columns(dbc, 0, dt_rank);
  const A = np.exp(p.A_log.ref).neg();
  const { y, du, ddelta, dA, dB, dC, dD, dz, ddelta_bias } = gatedScan(
    {
      u,
      delta: contract('blr,dr->bld', dt, p.dt_proj),
      A,
      B: columns(dbc, dt_rank, n),
      C: columns(dbc, dt_rank + n, n),
      D: p.D,
      z: columns(xz, d, d),
      delta_bias: p.dt_bias,
      dy: contract('blm,md->bld', cotangent, p.out_proj),
    },
    chunkSteps,
  );
  const loss = sum(mul(contract('bld,md->blm', y, p.out_proj), cotangent), [0, 1, 2]);

  const ddbc = concatenate([contract('bld,dr->blr', ddelta, p.dt_proj), dB, dC], 2);
  const duAll = add(du, contract('blw,wd->bld', ddbc, p.x_proj));
  const dc = mul(mul(duAll, sigmoid), sub(add(c, 1), u));
  const dcPadded = np.pad(dc.ref, [
    [0, 0],
    [0, d_conv - 1],
    [0, 0],
  ]);
  const dxs = taps.map((k) => mul(window(dcPadded, d_conv - 1 - k), tap(k))).reduce(add);
  const dtaps = taps.map((k) => reshape(sum(mul(dc, window(xs, k)), [0, 1]), [d, 1]));
  return {
    loss,
    gradient: {
      in_proj: contract('blo,blm->om', concatenate([dxs, dz], 2), x),
      conv_weight: concatenate(dtaps, 1),
      conv_bias: sum(dc, [0, 1]),
      x_proj: contract('blw,bld->wd', ddbc, u),
      dt_proj: contract('bld,blr->dr', ddelta, dt),
      dt_bias: ddelta_bias,
      A_log: mul(dA, A),
      D: dD,
      out_proj: contract('blm,bld->md', cotangent, y),
    },
  };
}

function matmul(shape: MatmulShape): BenchCase {
  const { m, k, n } = shape;
  return {
    name: matmulName(shape),
    prepare: (inputs) =>
      compiled(({ x, w }) => ({ y: np.matmul(x!.ref, w!.ref) }), {
        x: upload(tensor(inputs, 'x'), [m, k]),
        w: upload(tensor(inputs, 'w'), [k, n]),
      }),
  };
}

function selectiveScan(chunkSteps: number, shape: ScanShape): BenchCase {
  return {
    name: scanName(shape),
    prepare: (inputs) => {
      const args: Tree = {};
      for (const [name, dims] of Object.entries(scanInputShapes(shape)))
        args[name] = upload(tensor(inputs, name), dims);
      return compiled((t) => gatedScan(t as Record<ScanInput, Arr>, chunkSteps), args);
    },
  };
}

/** One training step: state p, m, v [all parameters], t (steps done) -> the next state. */
function trainingStep(chunkSteps: number, shape: BlockShape, { x, cotangent, p, m, v, t }: Tree): Tree {
  const { learningRate, beta1, beta2, epsilon, weightDecay, maxNorm } = adamw;
  const shapes = blockParameterShapes(shape);
  const parameters = {} as Record<BlockParameter, Arr>;
  let from = 0;
  for (const name of blockParameters) {
    const to = from + sizeOf(shapes[name]);
    parameters[name] = reshape(p!.ref.slice([from, to]), shapes[name]);
    from = to;
  }
  const { loss, gradient } = blockGradient(chunkSteps, shape, x!, cotangent!, parameters);
  const g = concatenate(
    blockParameters.map((name) => reshape(gradient[name], [-1])),
    0,
  );
  const norm = np.sqrt(sum(mul(g, g), 0));
  const clipped = mul(g, np.minimum(np.reciprocal(add(norm, 1e-6)).mul(maxNorm), 1));
  const next = add(t!, 1);
  const correction = (beta: number): Arr =>
    np
      .exp(mul(next, Math.log(beta)))
      .mul(-1)
      .add(1);
  const m1 = add(mul(m!, beta1), mul(clipped, 1 - beta1));
  const v1 = add(mul(v!, beta2), mul(mul(clipped, clipped), 1 - beta2));
  const root = np.sqrt(v1.ref.div(correction(beta2))).add(epsilon);
  const update = m1.ref.div(correction(beta1)).div(root).mul(learningRate);
  return {
    p: mul(p!, 1 - learningRate * weightDecay).sub(update),
    m: m1,
    v: v1,
    t: next,
    loss,
    grad_norm: norm,
  };
}

function mambaStep(chunkSteps: number, shape: BlockShape): BenchCase {
  return {
    name: blockName(shape),
    prepare: async (inputs) => {
      const flat = flatten(inputs);
      const zeros = new Float32Array(flat.length);
      const io = [shape.batch, shape.length, shape.d_model];
      const data: Tree = {
        x: upload(tensor(inputs, 'x'), io),
        cotangent: upload(tensor(inputs, 'cotangent'), io),
      };
      let state: Tree = {
        p: upload(flat, [flat.length]),
        m: upload(zeros, [flat.length]),
        v: upload(zeros, [flat.length]),
        t: upload(new Float32Array(1), []),
      };
      await blockUntilReady([data, state]);
      const program = jit((args: Tree) => trainingStep(chunkSteps, shape, args));
      return {
        run: async () => {
          const { loss, grad_norm, ...moving } = state;
          loss?.dispose();
          grad_norm?.dispose();
          state = program({ ...references(data), ...moving });
          await blockUntilReady(state);
        },
        read: async () => unflatten(shape, await download(state)),
        dispose: () => {
          free(state);
          free(data);
          program.dispose();
        },
      };
    },
  };
}

/**
 * Starts the WebGPU backend; throws where there is none. The default chunk is the fastest on a
 * CPU-backed adapter; on a GPU fewer dispatches may matter more, so try 4, 8 and 16 there.
 */
export async function createJax(chunkSteps = 8): Promise<Contender> {
  await init('webgpu');
  defaultDevice('webgpu');
  return {
    name: 'jax-js',
    device: getWebGPUDevice(),
    matmul,
    selectiveScan: (shape) => selectiveScan(chunkSteps, shape),
    mambaStep: (shape) => mambaStep(chunkSteps, shape),
    ...jaxLayers,
  };
}
