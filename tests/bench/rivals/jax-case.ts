/** What every case in jax-js does: upload, compile, run, read. */

import { blockUntilReady, jit, numpy as np } from '@jax-js/jax';
import type { Arr } from './jax-scan';
import type { PreparedCase, Results } from './types';

export type Tree = Record<string, Arr>;

export const upload = (values: Float32Array, shape: number[]): Arr =>
  np.array(new Float32Array(values), { shape });

export async function download(tree: Tree): Promise<Results> {
  const results: Results = {};
  for (const [name, value] of Object.entries(tree)) results[name] = (await value.ref.data()) as Float32Array;
  return results;
}

export const free = (tree: Tree): void => Object.values(tree).forEach((value) => value.dispose());
export const references = (tree: Tree): Tree =>
  Object.fromEntries(Object.entries(tree).map(([name, value]) => [name, value.ref]));

/** A function of fixed inputs, compiled. */
export async function compiled(f: (inputs: Tree) => Tree, inputs: Tree): Promise<PreparedCase> {
  await blockUntilReady(inputs);
  const program = jit(f);
  let results: Tree = {};
  return {
    run: async () => {
      free(results);
      results = program(references(inputs));
      await blockUntilReady(results);
    },
    read: () => download(results),
    dispose: () => {
      free(results);
      free(inputs);
      program.dispose();
    },
  };
}
