/**
 * Selective copying: remember the letters, skip the noise between them, repeat the letters in order.
 *
 * Tokens: 0 noise, 1 … v − 2 letters, v − 1 the recall mark. A sequence is `length − answers` tokens of context, in which
 * `answers` random letters stand at random places among noise, followed by `answers` recall marks; the target at the i-th
 * mark is the i-th letter. This is the layout of the copying task in state-spaces/s4 (`copying.py`, `variable: true`),
 * which the Mamba paper names as its origin. The code of the paper's own task is not public
 * (state-spaces/mamba, issue 343): whether its 4,096 tokens include the marks, and its 16 tokens the mark, is our reading.
 */
import { checkWhole, dataText, type Task } from './task';

const NOISE = 0;

export const selectiveCopying = {
  id: 'selective_copying',
  name: 'Selective copying',
  citation: {
    text: 'Gu & Dao 2023, Mamba: Linear-Time Sequence Modeling with Selective State Spaces, §4.1.1 and appendix E.1',
    url: 'https://arxiv.org/abs/2312.00752',
  },
  description:
    'A few letters are hidden at random places in a long run of noise. Then come question marks, and at each of them the ' +
    'model has to say the next letter, in order. A model that treats every token alike would have to know the distances, ' +
    'and they differ each time. A selective model looks at a token and decides whether to let it in: in most of its ' +
    'channels the step Δ is large at a letter and small at noise, so the noise passes as if no time had gone by.',
  presets: {
    published: {
      label: 'As in the paper',
      note:
        'Sequence, vocabulary, letters, model, steps, rate and batch are the paper’s (appendix E.1). It names neither ' +
        'weight decay nor clipping nor the tying of the head: those are ours. More than a laptop does in a day.',
      sizes: { length: 4096, vocabulary: 16, answers: 16 },
      model: { dModel: 64, layers: 2 },
      training: { steps: 400_000, batch: 64, learningRate: 1e-4, weightDecay: 0, clip: 1 },
    },
    quick: {
      label: 'Quick',
      note: 'Four letters among 44 tokens of context. Δ starts larger than in the paper, because the sequences are short.',
      sizes: { length: 48, vocabulary: 10, answers: 4 },
      model: { dModel: 64, layers: 2, tied: false, dtMin: 0.01, dtMax: 1 },
      training: { steps: 1500, batch: 32, learningRate: 5e-3, weightDecay: 0, clip: 1, solved: 0.96 },
    },
    tiny: {
      label: 'Tiny',
      note:
        'Three letters, one layer: small enough for a CPU. The same model with Δ frozen stays at 88 to 90 %, with B ' +
        'and C frozen too at 54 to 57 %.',
      sizes: { length: 32, vocabulary: 8, answers: 3 },
      model: { dModel: 32, layers: 1, tied: false, dtMin: 0.01, dtMax: 1 },
      training: { steps: 800, batch: 16, learningRate: 1e-2, weightDecay: 0, clip: 1, solved: 0.96 },
    },
  },
  check(sizes) {
    checkWhole(sizes);
    const { length, vocabulary, answers } = sizes;
    if (vocabulary < 3)
      throw new RangeError(`the vocabulary needs noise, a letter and the mark; it has ${vocabulary} tokens`);
    if (length < 2 * answers)
      throw new RangeError(`${answers} letters and ${answers} marks do not fit in ${length} tokens`);
  },
  fill({ tokens, targets }, { length, vocabulary, answers }, random) {
    const context = length - answers;
    random.choose(answers, context).forEach((place, i) => {
      const letter = 1 + random.integer(vocabulary - 2);
      tokens[place] = letter;
      targets[context + i] = letter;
    });
    tokens.fill(vocabulary - 1, context);
  },
  describeToken(token, { vocabulary }) {
    if (token === NOISE) return { kind: 'noise', text: '·' };
    if (token === vocabulary - 1) return { kind: 'special', text: '?' };
    return { kind: 'data', text: dataText(token - 1) };
  },
  chance: ({ vocabulary }) => 1 / (vocabulary - 2),
} as const satisfies Task;
