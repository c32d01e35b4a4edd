/** Trains the small detector that the lessons on attention and on look-ahead start from. */
import { requestNodeDevice } from '../../src/cli/node_device';
import { Dataset } from '../../src/eeg/windows/dataset';
import { SampleScorer } from '../../src/eeg/scores/sample_scores';
import { WINDOW } from '../../src/eeg/windows/windows';
import { fromHalf, toHalf } from '../../src/engine/half';
import { onsetOf, PATIENTS, Reader, windowBefore } from '../../src/lessons/course/eeg';
import { Lab, type Weights } from '../../src/lessons/course/lab';
import { DETECTOR } from '../../src/lessons/stored/detector';
import type { EegEvent } from '../../src/training/protocol';
import { SMOKE_RUN, withValues } from '../../src/training/settings';
import { EegTrainer } from '../../src/training/trainer';
import { openCorpus } from '../demo/record';

const SETTINGS = withValues(SMOKE_RUN, {
  'model.baseChannels': 4,
  'model.mixer': 'mamba2',
  'model.layers': 1,
  learningRate: 3e-3,
  loss: 'bce',
  epochs: 12,
  stepsPerEpoch: 24,
  'earlyStopping.patience': 12,
});

/** Area under the ROC curve over all samples of a minute around the onset of each patient of the lessons, to four digits. */
export async function aurocOf(lab: Lab, weights: Weights): Promise<number> {
  const reader = await Reader.open(lab, { config: DETECTOR, weights, samples: WINDOW, batch: 2 });
  const scorer = new SampleScorer(PATIENTS.length * WINDOW);
  try {
    for (const patient of PATIENTS) {
      const onset = await onsetOf(patient);
      const end = onset.start + WINDOW / 2;
      const [read] = await reader.read([windowBefore(onset, end, WINDOW)], () => false);
      const labels = Uint8Array.from({ length: WINDOW }, (_, i) => {
        const sample = end - WINDOW + i;
        return sample >= onset.start && sample < onset.stop ? 1 : 0;
      });
      scorer.add(Float32Array.from(read?.got ?? []), labels);
    }
    return Number(scorer.scores().auroc?.toPrecision(4));
  } finally {
    reader.destroy();
  }
}

/** What is stored: after how many steps, how well it does on the lessons' patients, and its weights with running statistics. */
export async function trainDetector() {
  const weights = new Map<string, Uint16Array<ArrayBuffer>>();
  let last: EegEvent | undefined;
  const trainer = new EegTrainer({
    device: requestNodeDevice,
    dataset: new Dataset(await openCorpus()),
    settings: SETTINGS,
    emit: (event) => {
      last = event;
      if (event.type === 'validated') console.log(`step ${event.step}: AUROC ${event.scores.auroc}`);
    },
    keep: async (parameters) => {
      for (const pack of ['value', 'buffer'] as const)
        for (const [name, values] of await parameters.read(pack)) weights.set(name, toHalf(values));
    },
  });
  await trainer.run();
  if (last?.type !== 'finished') throw new Error(`the training did not end: ${JSON.stringify(last)}`);
  const stored = new Map([...weights].map(([name, bits]) => [name, fromHalf(bits)]));
  return {
    steps: last.steps,
    auroc: await aurocOf(new Lab(await requestNodeDevice()), stored),
    weights: Object.fromEntries(
      [...weights].map(([name, bits]) => [name, Buffer.from(bits.buffer).toString('base64')]),
    ),
  };
}
