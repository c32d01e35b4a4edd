import type { LessonPlan } from '../course/step';

const PERCENT = { min: 0, max: 100 };

/** Lesson: who decides what is remembered. */
export const plan = {
  name: 'who-decides',
  steps: [
    {
      id: 'plateaus',
      guess: { kind: 'numbers', count: 3, range: PERCENT },
      frame: { kind: 'bars', y: PERCENT, guessed: [0, 1, 2] },
    },
    {
      id: 'write',
      guess: { kind: 'choice', count: 4 },
      frame: { kind: 'lines', x: { min: 0, max: 3 }, y: PERCENT },
    },
    {
      id: 'clock',
      guess: { kind: 'choice', count: 4 },
      frame: { kind: 'bars', y: PERCENT },
    },
    {
      id: 'forget',
      guess: { kind: 'choice', count: 3, many: true },
      frame: { kind: 'bars', y: PERCENT },
      controls: [{ name: 'delta', min: 0.1, max: 100, initial: 100, log: true }],
    },
    {
      id: 'loud',
      guess: { kind: 'choice', count: 3, many: true },
      frame: { kind: 'bars', y: PERCENT },
    },
    {
      id: 'transfer',
      transfer: true,
      guess: { kind: 'numbers', count: 1, range: { min: 0, max: 3 } },
      frame: { kind: 'bars', y: PERCENT },
    },
  ],
} as const satisfies LessonPlan;
