import { say, sharePercent, type Entry, type Facts, type LessonText } from '../course/step';
import { RATE, SQUARE } from './plan';

const direction = (facts: Facts): string => (facts['direction'] === 1 ? 'forward' : 'backward');
const megaflop = (value: number | undefined): string => `${say(value ?? NaN)} MFLOP`;

const sum = (value: number | undefined): string => (value ?? NaN).toFixed(2).replace('-', '−');

/** Enough digits that the kernel and float64 differ in the last. */
const precise = (value: number | undefined): string => (value ?? NaN).toPrecision(7).replaceAll('-', '−');

/** The times that a square joins, its mean, and what the entry in its middle is made of. */
function entry({ row, column, value, reference, parts }: Entry): string {
  const seconds = (square: number): string => {
    const from = (square * SQUARE) / RATE;
    return `${from.toFixed(1)}–${(from + SQUARE / RATE).toFixed(1)} s`;
  };
  const middle = (square: number): string => `${(((square + 0.5) * SQUARE) / RATE).toFixed(2)} s`;
  const { mask = NaN, match = NaN, delta = NaN, scanned } = parts;
  const joined = `What ${seconds(row)} hears of ${seconds(column)}: mean weight ${precise(value)} by the kernel, ${precise(reference)} in float64.`;
  return parts['heard'] === 0
    ? `${joined} This direction has not read it yet, so the mask is 0.`
    : `${joined} In the middle, ${middle(row)} of ${middle(column)}: mask ${say(mask)} × C·B ${say(match)} × Δ ${say(delta)} = ${precise(mask * match * delta)}; by the kernel ${precise(scanned)}.`;
}

/** English. */
export const en: LessonText = {
  title: 'The attention inside Mamba-2',
  about:
    'One head of each direction of a small seizure detector (width 4, one layer, 16 states, trained beforehand on synthetic EEG), while it reads a minute around an onset: 960 steps of 1/16 s.',
  names: {
    row: 'row',
    forward: 'forward',
    backward: 'backward',
    'as scanned': 'as scanned',
    float64: 'float64',
    MFLOP: 'MFLOP',
    'KiB of states': 'KiB of states',
  },
  path: 'Steps 1, 3 and 5. In step 3, choose 0 blocks from the diagonal after the answer.',
  steps: {
    grid: {
      question:
        'A head’s scan is a matrix: row i says how much step i hears of step j. Each square is the mean over 1.5 s. Where will it be dark?',
      options: ['Near the diagonal', 'All over one triangle', 'In a few columns', 'In the corners'],
      y: 'Row hears, column is heard; hollow: negative',
      controls: { direction: 'Direction (1 forward, 2 backward)' },
      entry,
      reveal: (facts) =>
        `Near the diagonal. In the ${direction(facts)} head the median row has half of its weight within ${say(facts['half'] as number)} s and 90 % within ${say(facts['ninety'] as number)} s. Before the onset, which is in the middle, the 90 % take ${say(facts['before'] as number)} s, after it ${say(facts['within'] as number)} s.`,
      why: ({ halfLife }) =>
        `Between j and i the state decays at each step, here with a half-life of ${say(halfLife as number)} s at the median Δ. That decay is the mask of this attention.`,
      formula: 'M[i, j] = (C_i · B_j) · exp(A · Σ Δ_t) · Δ_j, the sum over the steps between',
      ask: 'Choose direction 1. Which triangle is empty now, and what does this head remember? Point at a square: which of its three factors makes it small?',
      surprise:
        'One head keeps seconds, and longer in a seizure, the other keeps less than a step: nobody told them to.',
    },
    attention: {
      question: 'Queries C, keys B, values x, a mask: is this matrix attention?',
      options: ['Yes, the same', 'Almost: something is missing', 'No, it has another form'],
      x: 'Seconds',
      y: 'Sum of a row',
      reveal: (facts) =>
        `Almost. There is no softmax: a row sums to ${sum(facts['forwardLow'])} to ${sum(facts['forwardHigh'])} in the forward head and ${sum(facts['backwardLow'])} to ${sum(facts['backwardHigh'])} in the backward head (10 to 90 % of rows), and ${sharePercent(facts['forwardNegative'] as number)} and ${sharePercent(facts['backwardNegative'] as number)} of the entries are negative.`,
      why: () =>
        'Softmax makes entries positive and rows sum to 1, and for that it needs all of a row at once. Without it the sum over j can be carried along in a state.',
      formula: 'attention: softmax(Q Kᵀ) V; here: (mask ∘ C Bᵀ) Δ x',
      ask: 'Which of the two can be computed step by step with a memory of fixed size, and why?',
      surprise: 'Nothing keeps a head from being negative.',
    },
    rank: {
      question:
        'A block of the backward head beside the diagonal: 32 steps hear the 32 after them, 1,024 numbers. What is its rank?',
      labels: ['Rank'],
      x: 'Number of the singular value',
      y: 'Singular value, of the largest',
      controls: { distance: 'Blocks from the diagonal' },
      reveal: ({ rank, rank32, distance, states }) =>
        distance === 0
          ? `On the diagonal it is ${say(rank as number)}: half of the block is cut away, and what is left has full rank.`
          : `It is ${say(rank as number)}; the state has ${say(states as number)} rows. In float64 all other singular values are rounding, below 1e-10 of the largest; as scanned in float32, ${say(rank32 as number)} are above 1e-6.`,
      why: () =>
        'Whatever one side hears of the other has passed through the state between them: a block is a product of 32 × 16 and 16 × 32.',
      formula: 'block = [C_i · decay] · [decay · Δ_j · B_j], with N = 16 between the two',
      ask: 'Choose blocks farther from the diagonal. What changes, and what does not?',
      surprise: 'It is the same for larger blocks: 448 × 480 numbers have rank 16 as well.',
    },
    chunk: {
      question:
        'A chunk of Q steps is computed as a matrix, from chunk to chunk a state is handed on. Which Q takes the least arithmetic for 960 steps?',
      labels: ['Steps of a chunk'],
      x: 'Steps of a chunk',
      y: 'MFLOP of a head; KiB of states that are stored',
      reveal: ({ best, min, atKernel, whole, recurrence }) =>
        `About ${say(best as number)}: ${megaflop(min)}. The recurrence takes ${megaflop(recurrence)}, chunks of 32 take ${megaflop(atKernel)}, the whole matrix ${megaflop(whole)}.`,
      why: ({ kernel, declared }) =>
        `Pairs within a chunk grow with Q, and the states’ own work shrinks with it. The kernel for GPUs takes ${say(kernel as number)} (declared: ${megaflop(declared)}): more arithmetic, fewer stored states, and products that suit a GPU.`,
      formula: 'multiply-adds a step: (Q + 1)/2 · (N + P) + 2 N P + N P / Q; least at Q = √(2 N P / (N + P))',
      ask: 'What would 128 states change?',
      surprise: 'The fastest chunk is not the one with the least arithmetic.',
    },
    transfer: {
      question:
        'Another head has 64 states and is computed in chunks of 32. What rank has a 32 × 32 block away from the diagonal?',
      labels: ['Rank'],
      x: 'Number of the singular value',
      y: 'Singular value, of the largest',
      reveal: ({ rank }) =>
        `${say(rank as number)}, measured on a head with random B, C and Δ: a block of 32 rows cannot have more.`,
      why: () =>
        'The rank is at most the number of states, and at most the number of rows. With more states than rows a block is not compressed at all.',
      formula: 'rank ≤ min(N, Q)',
      ask: 'How large must a block be, so that 64 states compress it?',
      surprise: 'A larger state needs larger chunks before it pays.',
    },
  },
};
