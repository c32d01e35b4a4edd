/** What every case in TensorFlow.js does: upload, run, wait, read. */

import * as tf from '@tensorflow/tfjs-core';
import { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { T } from './tfjs-scan';
import type { PreparedCase, Results } from './types';

export type Tree = Record<string, T>;

export function backend(): WebGPUBackend {
  const current = tf.backend();
  if (!(current instanceof WebGPUBackend)) throw new Error('the WebGPU backend is not in use');
  return current;
}

/** Submits what tfjs has recorded so far (it batches dispatches) and waits for it. */
export async function finish(): Promise<void> {
  const gpu = backend();
  gpu.ensureCommandEncoderReady();
  gpu.endComputePassEncoder();
  gpu.submitQueue();
  await gpu.device.queue.onSubmittedWorkDone();
}

export const upload = (values: Float32Array, shape: number[]): T =>
  tf.tensor(new Float32Array(values), shape, 'float32');

export async function download(tree: Tree): Promise<Results> {
  const results: Results = {};
  for (const [name, value] of Object.entries(tree))
    results[name] = new Float32Array(await value.data<'float32'>());
  return results;
}

/** A function of fixed inputs. */
export function eager(f: (inputs: Tree) => Tree, inputs: Tree): PreparedCase {
  let results: Tree = {};
  return {
    run: () => {
      tf.dispose(results);
      results = f(inputs);
      return finish();
    },
    read: () => download(results),
    dispose: () => tf.dispose([results, inputs]),
  };
}
