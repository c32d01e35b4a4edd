import { expect, test, vi } from 'vitest';
import { Detection } from '../../../src/detection/detect';
import type { DetectionEvent } from '../../../src/detection/protocol';
import { readWeightsFile } from '../../../src/detection/weights';
import { DEFAULT_POSTPROCESSING } from '../../../src/eeg/events/postprocess';
import { pairFiles } from '../../../src/eeg/files/recording';
import { openRecordings } from '../../../src/eeg/windows/dataset';
import { syntheticCorpus } from '../../../src/eeg/synthetic/corpus';
import { Device } from '../../../src/engine/device';
import { Graph } from '../../../src/engine/graph';
import { linear } from '../../../src/engine/ops/linear';
import { storedChoice, tuneKey, type TuneMemory } from '../../../src/engine/tune';
import { Lab } from '../../../src/lessons/course/lab';
import { memorySource } from '../../../src/eeg/files/bytes';
import { requestNullGpu } from '../engine/null_gpu';
import { untrained } from './untrained';

/** Knows nothing, and says what it was asked and told. */
function noted(): { readonly memory: TuneMemory; readonly asked: string[]; readonly set: string[] } {
  const asked: string[] = [];
  const set: string[] = [];
  const memory = {
    get: (key: string) => (asked.push(key), undefined),
    set: (key: string) => set.push(key),
  };
  return { memory, asked, set };
}

test('a detection takes the kernels that a training on this GPU has chosen, and chooses none', async () => {
  const device = await Device.request(await requestNullGpu());
  const corpus = { seed: 1, patients: 1, recordingsPerPatient: 1, duration: 120, seizures: 1 };
  const files = [...syntheticCorpus(corpus)].map(({ path, bytes }) => ({ path, data: memorySource(bytes) }));
  const { memory, asked, set } = noted();
  let last: DetectionEvent | undefined;
  const detection = new Detection({
    device: () => Promise.resolve(device),
    weights: readWeightsFile(new Uint8Array(untrained(9))),
    folder: await openRecordings(pairFiles(files)),
    postprocessing: DEFAULT_POSTPROCESSING,
    tuning: memory,
    emit: (event) => {
      last = event;
      // This GPU computes nothing.
      if (event.type === 'planned') detection.stop();
    },
  });
  await detection.run();
  expect(last).toMatchObject({ type: 'finished', reason: 'stopped' });
  expect(asked.filter((key) => key.includes('|conv1d|')).length).toBeGreaterThan(0);
  expect(set).toEqual([]);
});

test('a lesson takes what is stored of a GPU, the default of what is not, and on a CPU-backed adapter the defaults', async () => {
  const device = await Device.request(await requestNullGpu());
  const graph = new Graph();
  const y = linear(graph, graph.input('x', [128, 64]), graph.input('weight', [64, 64]));
  const [node] = graph.nodes;
  const variants = [{ name: 'first' }, { name: 'second' }] as const;
  const stored = new Map([[tuneKey(device, node!), 'second']]);
  expect(storedChoice(device, stored)(node!, variants).name).toBe('second');
  expect(storedChoice(device, new Map<string, string>())(node!, variants).name).toBe('first');
  const { memory, asked } = noted();
  const lab = new Lab(device, undefined, storedChoice(device, memory));
  (await lab.kernels(graph, new Map(), [y]))?.destroy();
  expect(asked).toContain(tuneKey(device, node!));
  vi.spyOn(device, 'capabilities', 'get').mockReturnValue({ ...device.capabilities, software: true });
  expect(storedChoice(device, stored)(node!, variants).name).toBe('first');
  device.destroy();
});
