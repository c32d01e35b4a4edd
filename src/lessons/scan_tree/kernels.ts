/** The engine's two ways to scan, timed: a walk, and intervals of 128 steps that are walked side by side. */
import { Random } from '../../base/random';
import type { Device } from '../../engine/device';
import { Graph } from '../../engine/graph';
import { selectiveScanOp } from '../../engine/ops/selective_scan';
import { Program } from '../../engine/program';
import { timeRuns } from '../../engine/timing';
import { scanInputs } from '../course/scan_values';

export const CHANNELS = 64;
export const STATES = 16;
/** A browser's clock is coarse. */
const ENOUGH_MS = 40;
const ROUNDS = 3;

/** Milliseconds of a forward scan of one sequence, [walk, intervals], each the best of three that are timed in turn. */
export async function timeScans(device: Device, length: number): Promise<readonly [number, number]> {
  const programs = [await scanProgram(device, length, false), await scanProgram(device, length, true)];
  try {
    const best = [Infinity, Infinity] as [number, number];
    for (let round = 0; round < ROUNDS; round++)
      for (const [i, { commands }] of programs.entries())
        best[i] = Math.min(best[i] as number, await timeRuns(device, commands, ENOUGH_MS));
    return best;
  } finally {
    for (const program of programs) program.destroy();
  }
}

async function scanProgram(device: Device, length: number, chunked: boolean): Promise<Program> {
  const graph = new Graph();
  const inputs = scanInputs(graph, { length, channels: CHANNELS, states: STATES });
  const { y } = graph.apply(selectiveScanOp, inputs, { deltaSoftplus: false });
  const program = await Program.compile(device, graph, {
    outputs: [y],
    choose: (_, variants) => variants.find(({ CHUNKED }) => CHUNKED === chunked) ?? variants[0],
  });
  const random = new Random(0).stream('timed scan');
  for (const [name, tensor] of Object.entries(inputs)) {
    const size = tensor.shape.reduce((count, one) => count * one, 1);
    const sign = name === 'A' ? -1 : 1;
    program.write(
      tensor,
      Float32Array.from({ length: size }, () => sign * (0.01 + 0.1 * random.uniform())),
    );
  }
  return program;
}
