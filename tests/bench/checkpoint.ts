/** For how long training waits while a checkpoint of the full-size detector is taken. */
import { performance } from 'node:perf_hooks';
import { Device } from '../../src/engine/device';
import { Parameters } from '../../src/engine/packs';
import { initialise } from '../../src/models/initialise';
import { stepGraph } from '../../src/training/graphs';
import { detectorConfigOf, PRODUCTION_RUN } from '../../src/training/settings';
import { atStart, capture } from '../../src/training/state';
import { GROUPS } from '../../src/checkpoints/state';
import { packShards } from '../../src/checkpoints/shards';
import { requestNodeGpu } from '../../src/cli/node_gpu';

const ROUNDS = 5;

/** Command `bench-checkpoint`: the pause, and the reading and packing beside the training. */
export async function main(): Promise<number> {
  const device = await Device.request(await requestNodeGpu());
  const settings = {
    ...PRODUCTION_RUN,
    batch: 1,
    model: { ...PRODUCTION_RUN.model, mixer: 'conv' as const },
  };
  const view = stepGraph(settings, detectorConfigOf(settings.model, 64), 1);
  const parameters = await Parameters.create(device, view.graph, { training: true });
  for (const [name, values] of initialise(view.declared, 1)) parameters.write(name, values);
  const progress = { ...atStart(settings), step: 1 };
  for (let round = 0; round < ROUNDS; round++) {
    const begun = performance.now();
    const read = await capture(
      { parameters, declared: view.declared, unused: new Map() },
      progress,
      settings,
      1,
      {
        windows: 1,
        recordings: '',
      },
    );
    const paused = performance.now() - begun;
    const state = await read();
    const bytes = GROUPS.reduce(
      (sum, group) => [...state[group].values()].reduce((more, { data }) => more + data.byteLength, sum),
      0,
    );
    const all = performance.now() - begun;
    const shards = packShards(state).length;
    console.log(
      `${(bytes / 1e6).toFixed(0)} MB: training waits ${paused.toFixed(1)} ms; read after ${all.toFixed(0)} ms, ${shards} shards packed after ${(performance.now() - begun).toFixed(0)} ms`,
    );
  }
  parameters.destroy();
  device.destroy();
  return 0;
}
