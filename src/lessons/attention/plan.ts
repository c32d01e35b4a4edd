import type { LessonPlan } from '../course/step';

/** Steps of the detector's coarsest scale in a second. */
export const RATE = 16;
/** Steps of a square of the picture of the whole matrix. */
export const SQUARE = 24;
/** Steps of a side of the blocks whose singular values are shown. */
export const BLOCK = 32;
/** Steps of a chunk for which the arithmetic is counted. */
export const CHUNKS = [1, 2, 3, 4, 5, 6, 8, 16, 32, 64, 128, 256, 512, 960] as const;

const INDEX = { min: 0, max: 33 };

/** Lesson: the attention inside Mamba-2. */
export const plan = {
  name: 'attention',
  steps: [
    {
      id: 'grid',
      guess: { kind: 'choice', count: 4 },
      frame: { kind: 'matrix' },
      controls: [{ name: 'direction', min: 1, max: 2, initial: 2, values: [1, 2] }],
    },
    {
      id: 'attention',
      guess: { kind: 'choice', count: 3 },
      frame: { kind: 'lines', x: { min: 0, max: 60 }, y: { min: -20, max: 120 } },
    },
    {
      id: 'rank',
      guess: { kind: 'numbers', count: 1, range: { min: 1, max: 32 } },
      frame: { kind: 'lines', x: INDEX, y: { min: 1e-18, max: 1, log: true }, mark: 'x' },
      controls: [{ name: 'distance', min: 0, max: 16, initial: 1, values: [0, 1, 2, 4, 8, 16] }],
    },
    {
      id: 'chunk',
      guess: { kind: 'numbers', count: 1, range: { min: 1, max: 960, log: true } },
      frame: {
        kind: 'lines',
        x: { min: 1, max: 960, log: true },
        y: { min: 1, max: 10_000, log: true },
        mark: 'x',
      },
    },
    {
      id: 'transfer',
      transfer: true,
      guess: { kind: 'numbers', count: 1, range: { min: 1, max: 64 } },
      frame: { kind: 'lines', x: INDEX, y: { min: 1e-18, max: 1, log: true }, mark: 'x' },
    },
  ],
} as const satisfies LessonPlan;
