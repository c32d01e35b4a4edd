import type { LessonPlan } from '../course/step';

/** Lesson: a scan is a tree. */
export const plan = {
  name: 'scan-tree',
  steps: [
    {
      id: 'order',
      guess: { kind: 'choice', count: 3 },
      frame: { kind: 'bars', y: { min: 0, max: 100 } },
    },
    {
      id: 'rounds',
      guess: { kind: 'numbers', count: 2, range: { min: 1, max: 30 } },
      frame: { kind: 'bars', y: { min: 0, max: 20 } },
    },
    {
      id: 'faster',
      guess: { kind: 'choice', count: 2 },
      frame: { kind: 'bars', y: { min: 0, max: 2 } },
    },
    {
      id: 'interval',
      guess: { kind: 'choice', count: 4 },
      frame: { kind: 'bars', y: { min: 0, max: 20 } },
    },
    {
      id: 'transfer',
      transfer: true,
      guess: { kind: 'numbers', count: 2, range: { min: 1, max: 20_000, log: true } },
      frame: { kind: 'bars', y: { min: 0, max: 10_000 } },
    },
  ],
} as const satisfies LessonPlan;
