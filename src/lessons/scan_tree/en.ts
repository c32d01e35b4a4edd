import { say, type LessonText } from '../course/step';

/** The eight tokens that may be bracketed. */
export const bracket = {
  title: 'Bracket eight tokens',
  round: (number: number): string => `round ${number}`,
  join: (from: number, to: number): string => `Join ${from}–${to} with what follows`,
  counted: (joins: number, rounds: number): string =>
    `${joins} ${joins === 1 ? 'join' : 'joins'}, ${rounds} ${rounds === 1 ? 'round' : 'rounds'}.`,
  compared: (bits: string, walked: string): string => `h is ${bits} in float32, by walking ${walked}.`,
  again: 'Start again',
};

/** English. */
export const en: LessonText = {
  title: 'A scan is a tree',
  about:
    'h ← a·h + b, token after token, looks like a walk. It is a product of joins, and joins may be made in any order. Everything here is counted, computed or timed in this browser.',
  names: {
    walk: 'walking',
    doubling: 'doubling',
    'up and down': 'up and down',
    intervals: 'intervals',
    '4 or more': '4 or more',
    '128 decays': '128 decays',
  },
  path: 'Steps 1 to 3. Let the class bracket eight tokens on paper while step 2 is on screen.',
  steps: {
    order: {
      question:
        'Join two neighbouring tokens into one stretch, then two more, until one is left. Does the order matter for the result in float32?',
      options: ['No', 'Only in the last digits', 'Yes, the result is another one'],
      x: 'Distance from walking, in units of the last place',
      y: 'Of 1,000 random orders, percent',
      reveal: ({ equal, max, worst64 }) =>
        `${say(equal as number)} % of 1,000 random orders of eight tokens give the same bits as walking, and none is off by more than ${max} units of the last place. In float64 the largest difference is ${(worst64 as number).toExponential(0)}.`,
      why: () => 'The join is associative, so the value is the same. The rounding of float32 is not.',
      formula: '(a₁, b₁) then (a₂, b₂) = (a₁a₂, a₂b₁ + b₂)',
      ask: 'Is one of the orders the right one?',
      surprise: 'No order is more exact than another: all have errors of the same size.',
    },
    rounds: {
      question:
        'Eight tokens, and as many hands as you like. In how many rounds can all eight prefixes be ready, and how many joins does that take by doubling?',
      labels: ['Rounds', 'Joins'],
      x: 'Way',
      y: 'Joins for all eight prefixes',
      reveal: ({ rounds, joins, walk, sweep, deep }) =>
        `${rounds} rounds and ${joins} joins. Walking takes ${walk} joins in ${walk} rounds, up and down the tree ${sweep} joins in ${deep} rounds.`,
      why: () =>
        'In each round the reach doubles, so log₂ 8 rounds are enough; but in each round nearly every token joins again.',
      formula: 'joins = n·log₂ n − n + 1, rounds = log₂ n',
      ask: 'Bracket the eight tokens below so that the last prefix is ready in three rounds.',
      surprise: 'Fewer rounds cost more work.',
    },
    faster: {
      question:
        '4,096 tokens. Walking takes 4,095 rounds. Intervals of 128 can be walked side by side, in 285 rounds and with twice the joins. Which is faster on this device?',
      options: ['Walking', 'Intervals of 128'],
      x: 'Way',
      y: 'Milliseconds of a scan',
      reveal: ({ kernels, walkMs, cutMs, walkJoins, cutJoins, doubledJoins, rounds }) =>
        `Walking takes ${say(walkMs as number)} ms, intervals ${say(cutMs as number)} ms, ${kernels ? 'by the scan kernels on 64 channels of 16 states' : 'in one thread of JavaScript'}. Walking makes ${say(walkJoins as number)} joins of each state, intervals ${say(cutJoins as number)}. Doubling would make ${say(doubledJoins as number)} in ${say(rounds as number)} rounds.`,
      why: () =>
        'Few hands pay for joins, many idle hands for rounds. Which of the two a device has, the engine finds out by timing its kernels there. It has no kernel that doubles: doubling is counted, not timed.',
      formula: 'time ≈ joins / hands, but at least rounds',
      ask: 'From how many hands on could doubling win?',
      surprise: 'The way with the fewest rounds is not the fastest everywhere: ask who has a GPU.',
    },
    interval: {
      question:
        'Time is cut into intervals, each given to other hands. What must an interval tell the next, per state, so that it can go on?',
      options: [
        'All of its inputs',
        'Its end state, and the sum of its Δ',
        'Its end state alone',
        'The product of its outputs',
      ],
      x: 'How the decay of 128 tokens is computed in float32',
      y: 'Largest relative error, in millionths',
      reveal: ({ product, single }) =>
        `Its end state and ΣΔ: all decays together are exp(A·ΣΔ). In float32 that shortcut is off by up to ${say(1e6 * (single as number))} millionths, the product of 128 decays by ${say(1e6 * (product as number))}.`,
      why: () =>
        'What came before the interval is only multiplied by its decays, and exponentials of the same A multiply by adding what stands in them.',
      formula: 'Π exp(A·Δ_t) = exp(A·ΣΔ_t)',
      ask: 'Why is one number enough for 16 states?',
      surprise: 'One exponential instead of 128. The two ways round differently; neither is exact.',
    },
    transfer: {
      question: '1,024 tokens by doubling: how many joins and how many rounds?',
      labels: ['Joins', 'Rounds'],
      x: 'Way',
      y: 'Joins',
      reveal: ({ joins, rounds }) =>
        `${say(joins as number)} joins in ${rounds} rounds, counted while they were made.`,
      why: () => 'n·log₂ n − n + 1 with n = 1,024 and log₂ n = 10.',
      formula: '1,024·10 − 1,024 + 1',
      ask: 'And going up and down the tree?',
      surprise: 'Nine times the work of walking, in a hundredth of the rounds.',
    },
  },
};
