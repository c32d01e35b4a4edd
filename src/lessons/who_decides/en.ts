import { say, type LessonText } from '../course/step';

const p = (value: number | undefined): string => `${say(value ?? NaN)} %`;

/** What may be tried on one token. */
export const toggles = {
  title: 'Try it on any token of one sequence',
  sequence: 'Another sequence',
  tokens: 'Token to edit',
  token: (place: number, letter: string): string => `Token ${place}: ${letter}`,
  write: 'It writes (off: B = 0)',
  clock: 'Its clock runs (off: Δ = 0)',
  forget: 'It forgets (Δ = 100 and B = 0)',
  mark: (number: number): string => `Mark ${number}`,
  right: 'right',
  wrong: 'wrong',
  waiting: 'Computing',
  failed: 'The answers could not be computed',
};

/** English. */
export const en: LessonText = {
  title: 'Who decides what is remembered?',
  about:
    'Three letters stand in noise and are asked for at the end, at three marks. The questions call them A, B and C in this order; which of six letters they are differs. At each token Δ sets how much of the state h is kept, B what is written into it, C what is read. The models are stored (tiny preset, seed 2, the selective one after 400 steps, the others after 800); all answers are computed here, on sequences that no training saw.',
  names: {
    selective: 'selective',
    'delta-frozen': 'Δ frozen',
    'time-invariant': 'time-invariant',
    edited: 'B',
    others: 'A and C',
  },
  path: 'Steps 1, 2 and 4. Step 2 is the one to wait for: let everybody choose the letter itself first.',
  steps: {
    plateaus: {
      question:
        'Three models trained on the same sequences. In the selective one Δ, B and C depend on the token, with Δ frozen only B and C, in the time-invariant one nothing. How many percent of the answers does each get right?',
      labels: ['Selective', 'Δ frozen', 'Time-invariant'],
      unit: ' %',
      x: 'Model',
      y: 'Right answers in percent',
      reveal: ({ selective, frozen, fixed }) =>
        `Selective ${p(selective)}, Δ frozen ${p(frozen)}, time-invariant ${p(fixed)}. Guessing is 17 %.`,
      why: () =>
        'A model that cannot look at a token before it decides has to know the distances, and they differ each time. Over five seeds: selective 94 to 100 %, Δ frozen 87 to 90 %, time-invariant 54 to 57 %.',
      formula: 'h ← exp(Δ·A)·h + Δ·B·u,  y = C·h',
      ask: 'Why is the time-invariant model far above guessing?',
      surprise: 'Most is won by B and C that follow from the token. Δ wins the last ten percent.',
    },
    write: {
      question:
        'The selective model reads noise and the letters A, B, C. You may switch off the writing (B = 0) at one token, so that letter B is forgotten. Which token?',
      options: ['The letter itself', 'One token after it', 'Two tokens after it', 'Three tokens after it'],
      x: 'Tokens after the letter B',
      y: 'Right answers in percent',
      reveal: ({ found, letter, own, others }, [guess]) =>
        `${guess === found ? '' : `Where you chose, B is still remembered. `}At the letter itself ${p(letter)} of the answers stay right. ${found === 3 ? 'Three tokens' : `${found} tokens`} later it is ${p(own)}, and the other two letters keep ${p(others)}.`,
      why: () =>
        'The convolution hands each token on to the three after it. The model writes when the letter reaches the last of its four weights. Four of five seeds write there alone; in the fifth the writing is spread over two tokens, the second and the third after the letter.',
      formula: 'u_t = silu(Σ w_k · x_{t−k}), k = 0 … 3',
      ask: 'Who sees the letter last?',
      surprise: 'Everybody chooses the letter. Nothing happens there.',
    },
    clock: {
      question:
        'Now the clock is stopped (Δ = 0) over the four tokens that see the last letter, C. What does the model say at the three marks?',
      options: [
        'A, B, and nothing sensible for C',
        'Nothing sensible at any mark',
        'The letters before it move up by one: ?, A, B',
        'A, B, C as before',
      ],
      x: 'Mark and letter',
      y: 'Sequences in percent',
      reveal: ({ shifted }) =>
        `It is as if C had never been there. In ${p(shifted)} of the sequences the second mark gets A and the third gets B.`,
      why: () =>
        'The state works like a shift register whose clock is the write itself. Silence only the write and one answer is blank; stop the clock too and the letters stand one place off.',
      formula: 'Δ = 0: h ← h, nothing decays and nothing enters',
      ask: 'What is the difference from B = 0?',
      surprise: 'A letter that was never read moves the answers of those that were.',
    },
    forget: {
      question:
        'The noise token just before letter B forgets: its Δ is 100 and it writes nothing. Which answers survive?',
      options: ['A', 'B', 'C'],
      x: 'Letter',
      y: 'Right answers in percent',
      controls: { delta: 'Δ at that token' },
      reveal: ({ first, second, third, delta }) =>
        `With Δ = ${say(delta ?? NaN)}: A ${p(first)}, B ${p(second)}, C ${p(third)}.`,
      why: () =>
        'exp(Δ·A) is 0, so all that came before is gone, and all that comes after is safe. Noise therefore has to have a small Δ.',
      formula: 'exp(Δ·A) → 0 for large Δ',
      ask: 'How small may Δ become before A survives? Move the slider.',
      surprise: 'One token is enough to forget everything. Seeds differ at Δ = 10, not at 100.',
    },
    loud: {
      question: 'The same token with Δ = 100, but now it also writes what it reads. Which answers survive?',
      options: ['A', 'B', 'C'],
      x: 'Letter',
      y: 'Right answers in percent',
      reveal: ({ first, second, third }) => `A ${p(first)}, B ${p(second)}, C ${p(third)}.`,
      why: () =>
        'What enters is Δ·B·u, and Δ is a hundred times what the model is used to. The noise is so loud that later letters drown, too. How loud a token writes is the question of “The paper’s B̄ and the code’s”.',
      formula: 'what enters = Δ·B·u',
      ask: 'Which part of the model could have protected the later letters?',
      surprise: 'Letters that come after the token are lost, although nothing of them was forgotten.',
    },
    transfer: {
      question:
        'Letters stand at tokens 6, 12 and 20, and token 19 forgets (Δ = 100, nothing written). How many of the three answers are right?',
      labels: ['Right answers'],
      x: 'Letter',
      y: 'Right answers in percent',
      reveal: ({ first, second, third }) =>
        `The first letter ${p(first)}, the second ${p(second)}, the third ${p(third)}: only the third is safe.`,
      why: () =>
        'Token 19 stands right before the third letter. Both others were written at tokens 9 and 15, before it.',
      formula: 'written at: letter + 3',
      ask: 'And if token 15 forgets?',
      surprise: 'Token 15 would be a trap: the second letter is written there.',
    },
  },
};
