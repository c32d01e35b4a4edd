import type { LessonPlan } from '../course/step';

const PERCENT = { min: 0, max: 100 };
const UNTIL = 4;
const GAINS = { kind: 'lines', x: { min: 0, max: UNTIL }, y: { min: 0, max: 5 }, mark: 'y' } as const;

/** Steps of each training. */
export const STEPS = 400;

/** Tokens after which step 2 looks at what a decay has left. */
export const TOKENS = 4;

/** Lesson: B̄ by zero-order hold, or as Mamba's code has it. */
export const plan = {
  name: 'zero-order-hold',
  steps: [
    {
      id: 'gain',
      guess: { kind: 'numbers', count: 1, range: { min: 0, max: 5 } },
      frame: GAINS,
      controls: [{ name: 'x', min: 0.05, max: UNTIL, initial: 2 }],
    },
    {
      id: 'decay',
      guess: { kind: 'numbers', count: 1, range: { min: 0, max: 3 } },
      frame: {
        kind: 'lines',
        x: { min: 0, max: 3 },
        y: { min: 0.00001, max: 100, log: true },
        mark: 'x',
      },
    },
    {
      id: 'trained',
      guess: { kind: 'numbers', count: 1, range: PERCENT },
      frame: { kind: 'bars', y: PERCENT, guessed: [2] },
    },
    {
      id: 'swap',
      guess: { kind: 'numbers', count: 1, range: PERCENT },
      frame: { kind: 'bars', y: PERCENT, guessed: [1] },
      controls: [{ name: 'steps', min: 0, max: STEPS, initial: STEPS, values: [0, STEPS] }],
    },
    {
      id: 'again',
      seeded: true,
      guess: { kind: 'numbers', count: 1, range: PERCENT },
      frame: { kind: 'lines', x: { min: 0, max: STEPS }, y: PERCENT, mark: 'y' },
    },
    {
      id: 'transfer',
      transfer: true,
      guess: { kind: 'numbers', count: 1, range: { min: 0, max: 5 } },
      frame: GAINS,
    },
  ],
} as const satisfies LessonPlan;
