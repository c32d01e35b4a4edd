import type { LessonPlan } from '../course/step';

const PERCENT = { min: 0, max: 100 };
const SMALL = { min: 0.001, max: 1, log: true };

/** Lesson: convolution or recurrence. */
export const plan = {
  name: 'convolution',
  steps: [
    {
      id: 'matrix',
      guess: { kind: 'choice', count: 4 },
      frame: { kind: 'matrix' },
      controls: [
        { name: 'lambda', min: 0, max: 1, initial: 0, values: [0, 0.01, 0.1, 0.5, 1] },
        { name: 'channel', min: 1, max: 64, initial: 1, values: [1, 2, 3, 4, 5, 6, 7, 8] },
      ],
    },
    {
      id: 'threshold',
      guess: { kind: 'numbers', count: 1, range: SMALL },
      frame: { kind: 'lines', x: SMALL, y: { min: 0.0001, max: 2, log: true }, mark: 'x' },
    },
    {
      id: 'average',
      guess: { kind: 'numbers', count: 1, range: PERCENT },
      frame: { kind: 'bars', y: { min: 0, max: 120 }, guessed: [1] },
    },
    {
      id: 'which',
      guess: { kind: 'choice', count: 3 },
      frame: { kind: 'bars', y: { min: 0, max: 120 } },
    },
    {
      id: 'price',
      guess: { kind: 'numbers', count: 1, range: PERCENT },
      frame: { kind: 'lines', x: { min: 0, max: 1 }, y: PERCENT },
    },
    {
      id: 'transfer',
      transfer: true,
      guess: { kind: 'numbers', count: 1, range: PERCENT },
      frame: { kind: 'lines', x: SMALL, y: { min: 0.0001, max: 2, log: true } },
    },
  ],
} as const satisfies LessonPlan;
