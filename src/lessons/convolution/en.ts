import { say, type LessonText } from '../course/step';

const p = (value: number | undefined): string => `${say(Math.round(value ?? NaN))} %`;

/** English. */
export const en: LessonText = {
  title: 'Convolution or recurrence?',
  about:
    'The trained selective model of the lesson “Who decides what is remembered?”, with Δ, B and C pulled towards their means over all tokens: λ = 0 is time-invariant, λ = 1 is the model as it was trained.',
  names: { row: 'row', error: 'error', best: 'diagonals’ means', accuracy: 'accuracy' },
  path: 'Steps 1, 2 and 5. In step 1, move λ from 0 to 1 after the answer.',
  steps: {
    matrix: {
      question:
        'A scan over 32 tokens is a matrix: row i says how much token i hears of token j. At λ = 0 nothing depends on the token. What do you expect of the matrix?',
      options: [
        'Every row is the same',
        'Every diagonal has one value',
        'It is symmetric',
        'It has no pattern',
      ],
      y: 'Row hears, column is heard; hollow: negative',
      controls: { lambda: 'λ', channel: 'Channel' },
      reveal: ({ lambda, defect }) =>
        `At λ = ${say(lambda ?? 0)}, ${(defect ?? 0) < 1e-6 ? 'each diagonal has one value: every row is the one above, moved on by one. That is a convolution.' : `the diagonals are no longer of one value: ${p(100 * (defect ?? 0))} of the matrix is left when their means are taken away.`}`,
      why: () =>
        'What token i hears of token j follows from Δ, B and C. Where these are the same at all tokens, only the distance i − j matters.',
      formula: 'M[i, j] = Σ_n C_i · exp(A · Σ Δ_t) · Δ_j · B_j, t from j + 1 to i',
      ask: 'Move λ to 1. What happened to the diagonals?',
      surprise: 'The lower triangle is all there is: nothing is heard of the future.',
    },
    threshold: {
      question:
        'Turn selection on slowly. From which λ on is the convolution (with the kernel of λ = 0) wrong by 1 %?',
      labels: ['λ'],
      x: 'λ, how far Δ, B and C follow from the token',
      y: 'Relative error of the convolution',
      reveal: ({ crossing, slope }) =>
        `From λ = ${say(crossing as number)}. On these axes the curve is straight with slope ${say(slope as number)}: error and λ grow together.`,
      why: () =>
        'Pulling Δ, B and C away from their means changes each entry of the matrix in proportion to λ, to first order. There is no range in which selection is free.',
      formula: 'error ∝ λ for small λ',
      ask: 'What would a safe zone look like in this picture?',
      surprise: 'About one percent of selection is one percent of error. Over three seeds: 0.7 to 1.3 %.',
    },
    average: {
      question:
        'At λ = 1 the kernel of λ = 0 no longer fits. How large is the error, in percent, of the kernel made of the mean of each diagonal?',
      labels: ['Error in percent'],
      unit: ' %',
      x: 'Kernel',
      y: 'Relative error in percent',
      reveal: ({ frozen, best }) =>
        `The kernel of λ = 0 leaves ${p(frozen)}, that of the diagonals’ means ${p(best)}.`,
      why: () =>
        'Every row has a kernel of its own, and every sequence has other rows. No single kernel comes near them.',
      formula: 'k[τ] = mean of M[j + τ, j]',
      ask: 'What would have to be known to choose the right kernel for a row?',
      surprise: 'Even an average made for these very sequences does not help.',
    },
    which: {
      question:
        'Only one of the three may follow from the token (λ = 1 for it, 0 for the others). With which is the convolution least wrong?',
      options: ['Δ', 'B', 'C'],
      x: 'Follows from the token',
      y: 'Relative error in percent',
      reveal: ({ delta, B, C }) => `Δ ${p(delta)}, B ${p(B)}, C ${p(C)}.`,
      why: () =>
        'A B that follows from the token scales what goes in, a C what comes out, and a Δ changes both what goes in and how everything before it decays.',
      formula: 'M[i, j] = C_i · decay(i, j) · Δ_j · B_j',
      ask: 'With which could one still use a fast Fourier transform? (B alone: scale the input first.)',
      surprise:
        'It is not the same in all models: B alone was least wrong in three models that were trained for fewer steps.',
    },
    price: {
      question:
        'Give up selection to get the fast convolution back: with Δ, B and C at their means (λ = 0), how many percent of the answers does the trained model still get right?',
      labels: ['Right answers in percent'],
      unit: ' %',
      x: 'λ',
      y: 'Right answers in percent',
      reveal: ({ none, half, all }) =>
        `At λ = 1 ${p(all)}, at one half ${p(half)}, at 0 ${p(none)}. Guessing is 17 %.`,
      why: () => 'At λ = 0 a letter and noise are written alike, so what is read at the marks is the noise.',
      formula: 'Δ ← Δ̄ + λ·(Δ − Δ̄), the same for B and C',
      ask: 'A time-invariant model that is trained as such reaches 54 to 57 %. Why is this one worse?',
      surprise: 'Taking selection away later costs more than never having had it.',
    },
    transfer: {
      question:
        'You found the λ at which the convolution is wrong by 1 %. How large is its error, in percent, at a fifth of that λ?',
      labels: ['Error in percent'],
      unit: ' %',
      x: 'λ, how far Δ, B and C follow from the token',
      y: 'Relative error of the convolution',
      reveal: ({ error, crossing }) =>
        `At λ = ${say((crossing as number) / 5)} the error is ${say(error as number)} %.`,
      why: () => 'The error is proportional to λ, so a fifth of λ is a fifth of the error.',
      formula: 'error(λ / 5) ≈ error(λ) / 5',
      ask: 'And at ten times that λ? Does the rule still hold?',
      surprise: 'Near λ = 1 the line bends: B and C together give terms of λ².',
    },
  },
};
