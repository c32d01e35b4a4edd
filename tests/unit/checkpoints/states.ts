import { Random } from '../../../src/base/random';
import type { FloatTensor, Progress, TrainingState } from '../../../src/checkpoints/state';

export const PROGRESS: Progress = {
  epoch: 2,
  step: 7,
  batches: 14,
  bestScore: 0.75,
  config: 'training:\n  epochs: 3 # "comment"\n',
  schedule: { warmup: 10, total: 100 },
  lossScale: null,
  rng: [1, 4294967295, 3, 0],
  sampler: { order: [3, 1, 2], next: 1 },
  earlyStopping: { waited: 1, history: [0.5, 0.75] },
};

/** Random tensors of these shapes as parameters with moments; names of running statistics become buffers. */
export function randomState(shapes: Readonly<Record<string, readonly number[]>>, seed = 1): TrainingState {
  const random = new Random(seed);
  const names = Object.keys(shapes);
  const isBuffer = (name: string) => name.includes('running_');
  const draw = (kind: string, positive: boolean, chosen: string[]): Map<string, FloatTensor> =>
    new Map(
      chosen.map((name) => {
        const shape = shapes[name] ?? [];
        const length = shape.reduce((product, size) => product * size, 1);
        const stream = random.stream(`${kind} ${name}`);
        const data = Float32Array.from({ length }, () =>
          positive || name.endsWith('running_var') ? stream.uniform(0.01, 1) : stream.normal(),
        );
        return [name, { shape, data }];
      }),
    );
  const parameters = names.filter((name) => !isBuffer(name));
  return {
    parameters: draw('value', false, parameters),
    firstMoments: draw('first', false, parameters),
    secondMoments: draw('second', true, parameters),
    buffers: draw('buffer', false, names.filter(isBuffer)),
    progress: PROGRESS,
  };
}
