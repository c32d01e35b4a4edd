/**
 * Induction heads: recall what followed a mark when the mark comes again.
 *
 * Tokens: 0 … v − 2 letters, v − 1 the mark. A sequence is random letters; the mark stands at one random place among
 * them and at the end, and the target there is the letter after the first mark. H3 (Dao et al. 2023, arXiv:2212.14052,
 * §3.1), which the Mamba paper compares with, has the mark; the code of the Mamba paper's own task is not public, so
 * whether its 16 tokens include the mark is our reading.
 */
import { checkWhole, dataText, type Task } from './task';

export const inductionHeads = {
  id: 'induction_heads',
  name: 'Induction heads',
  citation: {
    text: 'Gu & Dao 2023, Mamba: Linear-Time Sequence Modeling with Selective State Spaces, §4.1.2 and appendix E.1; after Olsson et al. 2022 and Dao et al. 2023',
    url: 'https://arxiv.org/abs/2312.00752',
  },
  description:
    'Whoever has read “Harry Potter” once expects “Potter” the next time “Harry” comes. Here a mark appears somewhere in a ' +
    'run of random letters; when it appears again, the model has to say the letter that followed it the first time. All ' +
    'other letters look just as important, so the model must let in exactly the one after the mark and keep it unharmed ' +
    'to the end.',
  presets: {
    published: {
      label: 'As in the paper',
      note:
        'Length, vocabulary, model, batch, steps (25 epochs of 8,192), rate and the lack of weight decay are the paper’s ' +
        '(§4.1.2 and appendix E.1). It does not name clipping or the tying of the head: those are ours.',
      sizes: { length: 256, vocabulary: 16, answers: 1 },
      model: { dModel: 64, layers: 2 },
      training: { steps: 204_800, batch: 8, learningRate: 1e-3, weightDecay: 0, clip: 1 },
    },
    quick: {
      label: 'Quick',
      note: 'Shorter sequences, two layers. Δ starts larger than in the paper, because the sequences are short.',
      sizes: { length: 64, vocabulary: 16, answers: 1 },
      model: { dModel: 64, layers: 2, tied: false, dtMin: 0.01, dtMax: 1 },
      training: { steps: 1500, batch: 32, learningRate: 3e-3, weightDecay: 0, clip: 1, solved: 0.96 },
    },
    tiny: {
      label: 'Tiny',
      note: 'One layer, five letters: small enough for a CPU.',
      sizes: { length: 24, vocabulary: 6, answers: 1 },
      model: { dModel: 32, layers: 1, tied: false, dtMin: 0.01, dtMax: 1 },
      training: { steps: 400, batch: 32, learningRate: 5e-3, weightDecay: 0, clip: 1, solved: 0.96 },
    },
  },
  check(sizes) {
    checkWhole(sizes);
    const { length, vocabulary, answers } = sizes;
    if (vocabulary < 2)
      throw new RangeError(`the vocabulary needs a letter and the mark; it has ${vocabulary} tokens`);
    if (answers !== 1) throw new RangeError(`the task has one answer; answers is ${answers}`);
    if (length < 3)
      throw new RangeError(`two marks with a letter between them do not fit in ${length} tokens`);
  },
  fill({ tokens, targets }, { length, vocabulary }, random) {
    const mark = vocabulary - 1;
    const last = length - 1;
    for (let i = 0; i < last; i++) tokens[i] = random.integer(mark);
    const first = random.integer(last - 1);
    targets[last] = tokens[first + 1] as number;
    tokens[first] = mark;
    tokens[last] = mark;
  },
  describeToken(token, { vocabulary }) {
    return token === vocabulary - 1
      ? { kind: 'special', text: '→' }
      : { kind: 'data', text: dataText(token) };
  },
  chance: ({ vocabulary }) => 1 / (vocabulary - 1),
} as const satisfies Task;
