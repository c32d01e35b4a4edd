import { say, type LessonText } from '../course/step';

/** English. */
export const en: LessonText = {
  title: 'What the backward pass must remember',
  about:
    'The trained selective model of the lesson “Who decides what is remembered?” again, read backwards: where the gradient of an answer is large, and which states training has to keep for it.',
  path: 'Steps 1, 3 and 4. It is the picture of the first two lessons, from right to left.',
  names: {
    noise: 'noise',
    slow: 'noise, slowest quarter',
    write: 'token that writes',
    input: 'input',
    states: 'states',
    kept: 'kept',
    again: 'recomputed',
    both: 'both',
  },
  steps: {
    blame: {
      question:
        'The answer at the second mark is slightly wrong, and its gradient runs back. At which token is the gradient by what the token puts into the scan the largest?',
      options: [
        'The second letter itself',
        'The token three after the second letter',
        'The noise just before the mark',
        'The first letter',
      ],
      x: 'Tokens; ? are the marks',
      y: 'Gradient by the scan’s input, of the largest',
      controls: { mark: 'Mark' },
      reveal: ({ mark, letter, write, share }) =>
        `In the sequence of the picture letter ${mark} is token ${letter}, and token ${write}, three later, writes it. In ${say(share as number)} % of 32 sequences the largest gradient is at the token that writes the letter.`,
      why: () =>
        'The gradient goes back over the path by which the letter came: out of the state, into which the token three later wrote it.',
      formula: '∂y_t / ∂u_s = C_t · Π exp(Δ·A) · Δ_s · B_s',
      ask: 'Which token did you have to silence in lesson 2 of the course?',
      surprise: 'The gradient is largest at the token that wrote, not at the letter itself.',
    },
    noise: {
      question: 'Noise tokens lie between the letter and the mark. Why does the gradient get past them?',
      options: [
        'The gradient skips them',
        'Their gradient is added up',
        'Their Δ is small, so they leave the state nearly as it is',
        'The optimizer scales it up again',
      ],
      x: 'Token',
      y: 'What one token leaves of a state, of 1',
      reveal: ({ noise, write, slow }) =>
        `At the median over channels and states a noise token leaves ${say(noise as number)} of a state, a token that writes ${say(write as number)}. Of the slowest quarter noise leaves at min ${(Math.floor(1000 * (slow as number)) / 1000).toFixed(3)}.`,
      why: () =>
        'The gradient runs back over the same clock as the memory ran forward: each step multiplies it by the same exp(Δ·A). The fast states lose it on the way, the slow ones bring it to the letter.',
      formula: '∂h_t / ∂h_{t−1} = exp(Δ_t·A)',
      ask: 'What would a noise token with a large Δ do to the gradient?',
      surprise: 'A model that remembers is a model whose gradient arrives.',
    },
    bytes: {
      question:
        'Going back needs every state h_t. For 960 steps, 1,024 channels and 16 states each in float32: how many MiB?',
      labels: ['MiB'],
      unit: ' MiB',
      x: 'Kept for the backward pass',
      y: 'MiB',
      reveal: ({ all, input }) => `${say(all as number)} MiB, beside ${say(input as number)} MiB of input.`,
      why: () => 'A state is 16 times as wide as the input, and there is one for each step.',
      formula: '960 · 1,024 · 16 · 4 bytes',
      ask: 'And for a batch of 16 and 8 layers?',
      surprise: 'The forward pass alone needs one state at a time; training needs all of them.',
    },
    interval: {
      question:
        'Keep a state every K steps, and compute the others again, one interval at a time. Which K holds the fewest states?',
      labels: ['K'],
      x: 'K',
      y: 'States of all channels that are held',
      reveal: ({ min, mib, from, to }) =>
        `K = ${from} to ${to}: ${min} states instead of 960, which are ${say(mib as number)} MiB.`,
      why: () =>
        '⌈L/K⌉ states are kept and K computed again, and the sum is least where both are equal, at √L. The engine’s kernel keeps every 128th and splits each interval once more inside the thread.',
      formula: '⌈L / K⌉ + K, least near K = √L',
      ask: 'How flat is the curve? What do 16 and 64 cost?',
      surprise: 'The best K is on paper; the curve is so flat that other reasons decide.',
    },
    bits: {
      question:
        'A plain loop in float32 computes all gradients with K = 1, 4, 31, 128 and 960. Are they the same?',
      options: ['To the last bit', 'Up to rounding', 'Only for small K'],
      x: 'Interval',
      y: 'States that are held',
      reveal: ({ apart, kernels, usual, max }) =>
        apart === 0
          ? `To the last bit: not one of the gradients differs for any K.${
              kernels
                ? ` Nor do those of the scan kernels, which walk all of time at once, with a state stored every 16, 32, 64 or 128 steps: ${say((max as number) / 1024)} KiB to ${say((usual as number) / 1024)} KiB.`
                : ''
            } The bars are the states that the loop held.`
          : `${apart} values differ in their last bits.`,
      why: () =>
        'What is computed again comes from the same numbers by the same operations in the same order.',
      formula: 'h_t = f(h_{t−1}), the same f both times',
      ask: 'When would the bits differ? (Where sums start in other places.)',
      surprise: 'Recomputation is not an approximation.',
    },
    transfer: {
      question: '4,096 steps: which K is best, and how many states are held then?',
      labels: ['K', 'States'],
      x: 'K',
      y: 'States of all channels that are held',
      reveal: ({ min, part }) => `${min} states, a ${say(part as number)}nd of all.`,
      why: () => '√4,096 = 64: 64 are kept, and 64 computed again.',
      formula: 'K = √L, 2·√L states',
      ask: 'And with a third level?',
      surprise: 'Four times the length needs only twice the memory.',
    },
  },
};
