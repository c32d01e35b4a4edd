import type { LessonPlan } from '../course/step';

/** Lesson: what the backward pass must remember. */
export const plan = {
  name: 'backward',
  steps: [
    {
      id: 'blame',
      guess: { kind: 'choice', count: 4 },
      frame: { kind: 'bars', y: { min: 0, max: 1 } },
      controls: [{ name: 'mark', min: 1, max: 3, initial: 2, values: [1, 2, 3] }],
    },
    {
      id: 'noise',
      guess: { kind: 'choice', count: 4 },
      frame: { kind: 'bars', y: { min: 0, max: 1 } },
    },
    {
      id: 'bytes',
      guess: { kind: 'numbers', count: 1, range: { min: 0, max: 200 } },
      frame: { kind: 'bars', y: { min: 0, max: 80 }, guessed: [1] },
    },
    {
      id: 'interval',
      guess: { kind: 'numbers', count: 1, range: { min: 1, max: 960, log: true } },
      frame: {
        kind: 'lines',
        x: { min: 1, max: 960, log: true },
        y: { min: 1, max: 1000, log: true },
        mark: 'x',
      },
    },
    {
      id: 'bits',
      guess: { kind: 'choice', count: 3 },
      frame: { kind: 'bars', y: { min: 1, max: 1000, log: true } },
    },
    {
      id: 'transfer',
      transfer: true,
      guess: { kind: 'numbers', count: 2, range: { min: 1, max: 4096, log: true } },
      frame: { kind: 'lines', x: { min: 1, max: 4096, log: true }, y: { min: 1, max: 10_000, log: true } },
    },
  ],
} as const satisfies LessonPlan;
