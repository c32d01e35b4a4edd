/** The engine's two ways to scan, timed: a walk, and intervals of 128 steps that are walked side by side. */
import { Random } from '../../base/random';
import { EngineError, type Device } from '../../engine/device';
import { Graph } from '../../engine/graph';
import { selectiveScanOp } from '../../engine/ops/selective_scan';
import { Program } from '../../engine/program';
import { clockResolution, lastingMs, timeRuns } from '../../engine/timing';
import { scanInputs } from '../course/scan_values';

const CHANNELS = 64;
const STATES = 16;
/** A browser's clock is coarse. */
const ENOUGH_MS = 40;
const ROUNDS = 3;

/**
 * Milliseconds of a forward scan of one sequence, [walk, intervals], each the best of three that are timed in turn. Throws EngineError
 * where the clock cannot tell.
 */
export async function timeScans(device: Device, length: number): Promise<readonly [number, number]> {
  const programs = [await scanProgram(device, length, false), await scanProgram(device, length, true)];
  try {
    const minimum = lastingMs(await clockResolution(device), ENOUGH_MS);
    const best = [Infinity, Infinity] as [number, number];
    for (let round = 0; round < ROUNDS; round++)
      for (const [i, { commands }] of programs.entries()) {
        const ms = await timeRuns(device, commands, minimum);
        if (ms === undefined)
          throw new EngineError(
            'unsupported',
            'the clock of this browser',
            'it cannot tell how long a scan takes',
          );
        best[i] = Math.min(best[i] as number, ms);
      }
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
