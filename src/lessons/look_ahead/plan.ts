import type { LessonPlan } from '../course/step';

/** Seconds of EEG after the moment whose answer is wanted; with the last there is all that can matter. */
export const LOOK_AHEADS = [0, 0.125, 0.25, 0.5, 1, 2, 4, 8] as const;
/** Those that the lesson names, whose contrast of one onset is computed in float64 too. */
export const NAMED = [0, 0.125, 1, 8] as const satisfies readonly (typeof LOOK_AHEADS)[number][];
/** Whole seconds from one onset at which P is read for any look-ahead. */
export const AROUND = { min: -10, max: 20 } as const;
/** Seconds after the onset: the contrast is the mean P at the later ones minus that at the earlier. */
export const MOMENTS = { before: [-12, -8, -4], after: [6, 12, 18] } as const;
/** Seconds of a window in which those moments are read. */
export const SHORT = 16;

const ONSET = { min: -20, max: 20 };
const SHARE = { min: 0, max: 1 };

/** Lesson: EEG read in both directions of time. */
export const plan = {
  name: 'look-ahead',
  steps: [
    {
      id: 'reach',
      guess: { kind: 'numbers', count: 2, range: { min: 0, max: 30 } },
      frame: {
        kind: 'lines',
        x: { min: 0, max: 30 },
        y: { min: 1e-10, max: 1, log: true },
        mark: 'x',
      },
    },
    {
      id: 'onset',
      guess: { kind: 'numbers', count: 1, range: ONSET },
      frame: { kind: 'lines', x: ONSET, y: SHARE, mark: 'x' },
    },
    {
      id: 'bedside',
      guess: { kind: 'numbers', count: 1, range: SHARE },
      frame: { kind: 'lines', x: AROUND, y: SHARE, mark: 'y' },
      controls: [{ name: 'ahead', min: 0, max: 8, initial: 0 }],
    },
    {
      id: 'wait',
      guess: { kind: 'numbers', count: 1, range: { min: 0, max: 8 } },
      frame: { kind: 'lines', x: { min: 0, max: 8 }, y: { min: 0, max: 1 }, mark: 'x' },
    },
    {
      id: 'blind',
      guess: { kind: 'choice', count: 3 },
      frame: { kind: 'bars', y: SHARE },
    },
    {
      id: 'zeros',
      guess: { kind: 'numbers', count: 1, range: SHARE },
      frame: { kind: 'bars', y: SHARE, guessed: [2] },
    },
    {
      id: 'transfer',
      transfer: true,
      guess: { kind: 'numbers', count: 1, range: { min: 0, max: 10 } },
      frame: { kind: 'lines', x: { min: 0, max: 4 }, y: { min: 1e-10, max: 1, log: true }, mark: 'x' },
    },
  ],
} as const satisfies LessonPlan;
