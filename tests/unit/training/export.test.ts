import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { TrainingState } from '../../../src/checkpoints/state';
import { memorySource } from '../../../src/eeg/files/bytes';
import { Dataset, openRecordings } from '../../../src/eeg/windows/dataset';
import { pairFiles } from '../../../src/eeg/files/recording';
import { syntheticCorpus } from '../../../src/eeg/synthetic/corpus';
import { Graph } from '../../../src/engine/graph';
import { Parameters } from '../../../src/engine/packs';
import { Program } from '../../../src/engine/program';
import { detectorModel } from '../../../src/models/detector';
import { Random } from '../../../src/base/random';
import { MemoryCheckpoints } from '../../../src/training/checkpoints';
import { trainerCheckpoint } from '../../../src/training/export';
import { detectorConfigOf, SMOKE_RUN, type EegSettings } from '../../../src/training/settings';
import { restoreWeights } from '../../../src/detection/restore';
import { EegTrainer } from '../../../src/training/trainer';
import { pythonWithTorch, torch } from '../checkpoints/python';
import { testDevice } from '../engine/check-op';

const device = testDevice();
const folder = mkdtempSync(join(tmpdir(), 'smokescan-export-'));
afterAll(() => rmSync(folder, { recursive: true }));

const SETTINGS: EegSettings = {
  ...SMOKE_RUN,
  model: { ...SMOKE_RUN.model, baseChannels: 2, layers: 2, mixer: 'conv' },
  // Stopped after the first, where the learning rate is not 0 yet.
  epochs: 2,
  batch: 1,
  stepsPerEpoch: 2,
  validationStride: 60,
};
const SAMPLES = 512;

async function trained(): Promise<TrainingState> {
  const corpus = syntheticCorpus({
    seed: 7,
    patients: 3,
    recordingsPerPatient: 1,
    duration: 120,
    seizures: 1,
  });
  const files = [...corpus].map(({ path, bytes }) => ({ path, data: memorySource(bytes) }));
  const checkpoints = new MemoryCheckpoints();
  const trainer: EegTrainer = new EegTrainer({
    device: () => Promise.resolve(device()),
    dataset: new Dataset(await openRecordings(pairFiles(files))),
    settings: SETTINGS,
    checkpoints,
    emit: (event) => {
      if (event.type === 'failed') throw new Error(event.failure.message);
      if (event.type === 'validated') trainer.stop();
    },
  });
  await trainer.run();
  return (await checkpoints.latest()) as TrainingState;
}

/** The detector's logits for one window [samples, 19]. */
async function logitsOf(state: TrainingState, window: Float32Array): Promise<Float32Array> {
  const graph = new Graph();
  const x = graph.input('eeg', [1, SAMPLES, 19]);
  const { logits, declared } = detectorModel(graph, x, detectorConfigOf(SETTINGS.model, 2), {
    training: false,
  });
  const parameters = await Parameters.create(device(), graph, { training: false });
  restoreWeights({ parameters, declared }, state);
  const program = await Program.compile(device(), graph, { outputs: [logits], parameters });
  program.write(x, window);
  program.run();
  const values = (await program.read()).get(logits) as Float32Array;
  program.destroy();
  parameters.destroy();
  return values;
}

test.skipIf(pythonWithTorch === undefined)(
  "a trained state opens in the trainer's detector: strictly, with the same logits, and its optimizer steps on",
  async () => {
    const state = await trained();
    const random = new Random(3);
    const window = Float32Array.from({ length: SAMPLES * 19 }, () => random.normal(0, 1));
    const ours = await logitsOf(state, window);
    const [file, eeg] = [join(folder, 'last.pt'), join(folder, 'eeg.json')];
    writeFileSync(file, Buffer.concat(trainerCheckpoint(state, SETTINGS)));
    const rows = Array.from({ length: SAMPLES }, (_, i) => [...window.subarray(19 * i, 19 * i + 19)]);
    writeFileSync(eeg, JSON.stringify(rows));
    const script = readFileSync(join(import.meta.dirname, 'detector.py'), 'utf8');
    const theirs = torch(script, file, eeg) as {
      keys: string[];
      logits: number[];
      names: string[];
      shapes: boolean;
      states: number;
      steps: number;
      moved: number;
      lr: number;
      last_epoch: number;
    };
    expect(theirs.keys).toEqual([
      'epoch',
      'model_state_dict',
      'optimizer_state_dict',
      'best_metric',
      'scheduler_state_dict',
      'config',
    ]);
    expect(theirs.names).toEqual([...state.parameters.keys()]);
    const most = Math.max(...theirs.logits.map(Math.abs));
    const worst = Math.max(...theirs.logits.map((logit, i) => Math.abs(logit - (ours[i] ?? NaN))));
    expect(ours).toHaveLength(SAMPLES);
    expect(worst / most).toBeLessThan(1e-5);
    expect(theirs).toMatchObject({ shapes: true, steps: 3, lr: 1e-3, last_epoch: 3 });
    expect(theirs.states).toBe(theirs.names.length);
    expect(theirs.moved).toBeGreaterThan(0.9 * theirs.names.length);
  },
  600_000,
);
