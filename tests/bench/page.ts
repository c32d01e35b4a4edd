/** The bench itself: what `src/cli/bench` drives in a page of Chromium, or in Node. */

import type { Work } from './harness/cases';
import type { Bench, ContenderName, EngineReport, Prepared } from './harness/protocol';
import { createOurs, type Ours } from './ours';
import { cpu } from './rivals/cpu';
import { blockInputs, convInputs, matmulInputs, normInputs, scanInputs, updateInputs } from './rivals/inputs';
import { Meter } from './rivals/meter';
import {
  blockStepReference,
  matmulReference,
  relativeError,
  scanReference,
  type Doubles,
} from './rivals/reference';
import { convReference, normReference, updateReference } from './rivals/reference-layers';
import type { Contender, PreparedCase, Results, Tensors } from './rivals/types';

/** A case of any contender; only ours has more to say. */
interface AnyCase {
  prepare(inputs: Tensors): Promise<PreparedCase & { report?(): Promise<EngineReport> }>;
}

/** Runs before the check; a training step that does not move on, or moves on wrongly, shows in the second. */
const CHECKED_RUNS = 2;

function inputsOf({ kind, shape }: Work): Tensors {
  switch (kind) {
    case 'matmul':
      return matmulInputs(shape);
    case 'scan':
      return scanInputs(shape);
    case 'block':
      return blockInputs(shape);
    case 'conv':
      return convInputs(shape);
    case 'norm':
      return normInputs(shape);
    case 'adamw':
      return updateInputs(shape);
  }
}

function referenceOf({ kind, shape }: Work, inputs: Tensors): Doubles {
  switch (kind) {
    case 'matmul':
      return matmulReference(shape, inputs);
    case 'scan':
      return scanReference(shape, inputs);
    case 'block':
      return blockStepReference(shape, inputs, CHECKED_RUNS);
    case 'conv':
      return convReference(shape, inputs);
    case 'norm':
      return normReference(shape, inputs);
    case 'adamw':
      return updateReference(shape, inputs, CHECKED_RUNS);
  }
}

function caseOf({ kind, shape }: Work, contender: Contender): AnyCase | undefined {
  switch (kind) {
    case 'matmul':
      return contender.matmul(shape);
    case 'scan':
      return contender.selectiveScan(shape);
    case 'block':
      return contender.mambaStep?.(shape);
    case 'conv':
      return contender.conv1d?.(shape);
    case 'norm':
      return contender.layerNorm?.(shape);
    case 'adamw':
      return contender.adamw?.(shape);
  }
}

/** The largest relative error of any tensor; one that is missing is infinitely wrong. */
function worstOf(results: Results, reference: Doubles): Prepared['worst'] {
  let worst = { tensor: '', error: -1 };
  for (const [tensor, expected] of Object.entries(reference)) {
    const error = relativeError(results[tensor] ?? [], expected);
    if (error > worst.error) worst = { tensor, error };
  }
  return worst;
}

/** The libraries are imported when they are wanted, as they do not load in Node. */
async function createRival(name: Exclude<ContenderName, 'ours'>): Promise<Contender> {
  switch (name) {
    case 'jax':
      return (await import('./rivals/jax')).createJax();
    case 'tfjs':
      return (await import('./rivals/tfjs')).createTfjs();
    case 'cpu':
      return cpu;
  }
}

globalThis.createBench = (gpu): Bench => {
  // Before any device exists: the meter does not know buffers that were created earlier.
  const meter = new Meter();
  let created: Promise<Ours> | undefined;
  const ours = (): Promise<Ours> => (created ??= createOurs(gpu));
  let data: { inputs: Tensors; reference: Doubles } | undefined;
  const prepared = new Map<ContenderName, PreparedCase>();

  return {
    async adapter() {
      return (await ours()).engine.adapter;
    },

    async prepare(name, work) {
      const contender = name === 'ours' ? await ours() : await createRival(name);
      const benchCase = caseOf(work, contender);
      if (!benchCase) return undefined;
      if (!data) {
        const inputs = inputsOf(work);
        data = { inputs, reference: referenceOf(work, inputs) };
      }
      const { inputs, reference } = data;

      const started = performance.now();
      const current = await benchCase.prepare(inputs);
      prepared.set(name, current);
      await current.run();
      const firstMs = performance.now() - started;
      // Counted before anything is read, as what a library allocates for reading may stay in its pool.
      meter.start(contender.device);
      await current.run();
      const { dispatches, submits, bytesPeak } = meter.stop(contender.device);
      const worst = worstOf(await current.read(), reference);

      const engine = await current.report?.();
      return {
        firstMs: firstMs - (engine?.tuningMs ?? 0),
        worst,
        usage: contender.device ? { dispatches, submits, bytesPeak } : undefined,
        engine,
      };
    },

    async run(name) {
      const current = prepared.get(name);
      if (!current) throw new Error(`${name} is not prepared`);
      const started = performance.now();
      await current.run();
      return performance.now() - started;
    },

    async close() {
      for (const current of prepared.values()) current.dispose();
      prepared.clear();
      meter.uninstall();
      (await created)?.engine.destroy();
    },
  };
};
