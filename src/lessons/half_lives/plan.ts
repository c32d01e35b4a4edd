import type { LessonPlan } from '../course/step';

/** Tokens in which the slowest state of the recall task starts to fade by half; the first four are trained. */
export const TRAINED = [2, 8, 32, 512] as const;

export const RULER_STEPS = 500;
/** The half-life from which step 4 trains, and for how long at most. */
export const STRETCHED_FROM = 8;
export const STRETCHED_STEPS = 700;

/** Lesson: sixteen clocks in one channel. */
export const plan = {
  name: 'half-lives',
  steps: [
    {
      id: 'ink',
      guess: { kind: 'numbers', count: 1, range: { min: 0, max: 100 } },
      frame: { kind: 'lines', x: { min: 0, max: 40 }, y: { min: 0, max: 1 }, mark: 'x' },
      controls: [
        { name: 'delta', min: 0.02, max: 0.5, initial: 0.05, log: true },
        { name: 'a', min: 1, max: 16, initial: 2, values: [1, 2, 3, 4, 6, 8, 12, 16] },
      ],
    },
    {
      id: 'ruler',
      seeded: true,
      guess: { kind: 'choice', count: 4, many: true },
      frame: { kind: 'lines', x: { min: 0, max: RULER_STEPS }, y: { min: 0, max: 1 } },
    },
    {
      id: 'whisper',
      guess: { kind: 'choice', count: 4 },
      frame: { kind: 'bars', y: { min: 0, max: 0.0125 } },
    },
    {
      id: 'stretched',
      seeded: true,
      guess: { kind: 'numbers', count: 1, range: { min: 0, max: 128 } },
      frame: { kind: 'lines', x: { min: 0, max: 127 }, y: { min: 0.5, max: 500, log: true } },
    },
    {
      id: 'speeds',
      guess: { kind: 'numbers', count: 2, range: { min: 0.1, max: 1000, log: true } },
      frame: { kind: 'lines', x: { min: 0, max: 100 }, y: { min: 0.01, max: 10_000, log: true }, mark: 'y' },
    },
    {
      id: 'transfer',
      transfer: true,
      guess: { kind: 'numbers', count: 1, range: { min: 0.00001, max: 1, log: true } },
      frame: { kind: 'lines', x: { min: 0, max: 256 }, y: { min: 0, max: 1 } },
    },
  ],
} as const satisfies LessonPlan;
