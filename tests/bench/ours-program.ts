/** From a graph to a prepared case of the bench. */

import type { EngineReport } from './harness/protocol';
import type { Device } from '../../src/engine/device';
import type { Graph, Tensor } from '../../src/engine/graph';
import type { Parameters } from '../../src/engine/packs';
import { profileDevice } from '../../src/engine/profile';
import { Program } from '../../src/engine/program';
import { tune } from '../../src/engine/tune';
import type { BenchCase, PreparedCase, Tensors } from './rivals/types';

export interface OurCase extends PreparedCase {
  /** Measures the device's limits, which takes a second or two. */
  report(): Promise<EngineReport>;
}

export interface OurBenchCase extends BenchCase {
  prepare(inputs: Tensors): Promise<OurCase>;
}

interface Compiled {
  readonly program: Program;
  readonly report: () => Promise<EngineReport>;
}

/** Tunes and compiles. */
export async function compile(
  device: Device,
  graph: Graph,
  outputs: readonly Tensor[],
  parameters?: Parameters,
): Promise<Compiled> {
  const started = performance.now();
  const { choose, timings } = await tune(device, [graph], new Map<string, string>());
  const tuningMs = performance.now() - started;
  const program = await Program.compile(device, graph, {
    outputs,
    choose,
    ...(parameters && { parameters }),
  });
  const staging = program.plan.buffers.filter(({ role }) => role === 'staging');
  return {
    program,
    report: async () => ({
      profile: await profileDevice(device),
      tuningMs,
      variantsTimed: [...timings.values()].reduce((sum, { size }) => sum + size, 0),
      planBytes: program.plan.bytes + (parameters?.bytes ?? 0),
      stagingBytes: staging.reduce((sum, { bytes }) => sum + bytes, 0),
      ...program.plan.cost,
    }),
  };
}

/** A program whose runs depend on nothing but its inputs. */
export async function prepare(
  device: Device,
  graph: Graph,
  outputs: Readonly<Record<string, Tensor>>,
  inputs: ReadonlyMap<Tensor, Float32Array>,
): Promise<OurCase> {
  const { program, report } = await compile(device, graph, Object.values(outputs));
  for (const [input, values] of inputs) program.write(input, values);
  return {
    report,
    run: () => {
      program.run();
      return program.finish();
    },
    read: async () => {
      const values = await program.read();
      return Object.fromEntries(
        Object.entries(outputs).map(([name, output]) => [name, values.get(output) as Float32Array]),
      );
    },
    dispose: () => program.destroy(),
  };
}
