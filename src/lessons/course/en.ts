import { say } from './step';

const list = (values: readonly string[]): string =>
  values.length < 2 ? values.join('') : `${values.slice(0, -1).join(', ')} and ${values.at(-1) ?? ''}`;

/** English. */
export const en = {
  /** A number as one writes it. */
  say: (value: number): string => say(value),
  step: (number: number, of: number): string => `Step ${number} of ${of}`,
  transfer: 'Carry it over',
  predict: 'Your guess',
  guess: 'That’s my guess',
  answer: 'That’s my answer',
  again: 'Guess again',
  incomplete: 'Choose or enter your guess first.',
  waiting: 'Computing',
  reveal: 'Answer',
  explore: 'Explore',
  saidNumbers: (guess: readonly number[], answer: readonly number[], unit: string): string =>
    `You said ${list(guess.map((value) => say(value)))}${unit}. It is ${list(answer.map((value) => say(value)))}${unit}.`,
  saidOptions: (guess: readonly string[], answer: readonly string[]): string =>
    `You said: ${guess.length > 0 ? list(guess) : 'none'}. It is: ${answer.length > 0 ? list(answer) : 'none'}.`,
  understood: 'Within 5 %: understood.',
  notYet: 'More than 5 % away. Change your guess and try again.',
  recorded: 'Recorded beforehand: this browser cannot train it.',
  why: 'Why',
  checked: (difference: number): string =>
    difference === 0
      ? 'Checked against float64: equal'
      : `Checked against float64: largest difference ${difference.toExponential(0)}`,
  float64: 'Computed in float64; show the table',
  noKernels: (reason: string): string =>
    `This browser has no WebGPU (${reason}). The lessons are computed in float64 instead; live training of the larger models is not available.`,
  table: 'Table behind the picture',
  columns: ['Curve or bar', 'Place', 'Measured', 'float64'] as readonly string[],
  guessed: 'guess',
  measured: 'measured',
  back: 'Back',
  next: 'Next',
  present: 'Present',
  leave: 'Explore (leave presentation)',
  notes: 'For the teacher',
  ask: 'Ask',
  surprise: 'What usually surprises',
  path: 'Ten minutes',
  keys: '← → steps · Enter to guess',
  presentKeys: '← → or a remote: steps · Enter to guess · Esc leaves the presentation',
  row: 'Row',
  column: 'Column',
  seed: 'Seed',
  language: 'Language',
  failed: 'The answer could not be computed',
  retry: 'Try again',
};

export type FrameText = typeof en;
