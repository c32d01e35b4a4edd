import { say, sharePercent, type LessonText } from '../course/step';

const learnedAt = (step: number | undefined): string =>
  step === undefined || Number.isNaN(step) ? 'not learned' : `learned at step ${step}`;

/** English. */
export const en: LessonText = {
  title: 'Sixteen clocks in one channel',
  about:
    'Each channel of a Mamba has 16 states, and each state forgets at its own speed. The curves come from the scan kernel; the small models of steps 2 and 4 train while you answer. They have learned when 16 test sequences are all answered right at three looks in a row, one every 20 steps.',
  names: { before: 'before', after: 'after', noise: 'noise', write: 'write' },
  path: 'Steps 1, 2, 3 and the last. Start step 2 early: its four models train behind the question.',
  steps: {
    ink: {
      question:
        'A drop of ink falls into one channel, and 16 states fade at 16 speeds. Δ is 0.05 and A is −2. After how many tokens is half of it left?',
      unit: ' tokens',
      labels: ['Tokens'],
      x: 'Tokens after the drop',
      y: 'Share that is left',
      controls: { delta: 'Δ', a: '|A| of the strong curve' },
      reveal: ({ halfLife, delta, a, formula }) =>
        `The kernel measures ${say(halfLife as number)} tokens for Δ = ${say(delta as number)} and A = −${a}. The formula gives ${say(formula as number)}.`,
      why: () =>
        'Each token multiplies the state by exp(Δ·A), so it halves after the same number of tokens again and again.',
      formula: 'half-life = ln 2 / (Δ·|A|)',
      ask: 'What happens to the half-life when Δ doubles? And for A = −16?',
      surprise:
        'One channel holds 16 half-lives at once, a factor of 16 apart. Δ moves all of them together.',
    },
    ruler: {
      question:
        'Before training, a Mamba’s clocks reach from 0.4 to 693 tokens. Here one of four letters stands 32 tokens before the question, and between them always the same noise. Four models start with their slowest half-life at 2, 8, 32 or 512 tokens. Which of them learn it within 500 steps?',
      options: ['2 tokens', '8 tokens', '32 tokens', '512 tokens'],
      x: 'Training steps',
      y: 'Right answers in 16 test sequences, of 1',
      reveal: ({ at2, at8, at32, at512 }) =>
        `Starting at 2: ${learnedAt(at2)}. At 8: ${learnedAt(at8)}. At 32: ${learnedAt(at32)}. At 512: ${learnedAt(at512)}.`,
      why: () =>
        'What reaches the letter is a gradient of 2^(−32/h) of a near token’s: a 65,536th for h = 2, a 16th for h = 8. AdamW rescales small gradients, so 8 comes late; 2 has not come, not even in 3,000 steps of three seeds. Within 500 steps, five seeds: 2 never, 8 four times, 32 and 512 always, and 512 later than 32.',
      formula: 'first gradient ∝ 2^(−distance / h)',
      ask: 'Which start would you choose if you did not know the distance?',
      surprise: 'The slowest clocks are not the fastest learners. The next question asks why.',
    },
    whisper: {
      question:
        'A start at 2 tokens is too fast. A start at 512 forgets nothing on the way, and yet it learned later than 32 in each of five seeds. Why?',
      options: [
        'It still forgets the letter on the way',
        'It hardly writes the letter at all',
        'Its gradient explodes',
        'It needs more states',
      ],
      x: 'Starting half-life h',
      y: 'What is left of the letter at the mark',
      reveal: ({ ratio, left512, left32 }) =>
        `At the mark, 512 holds ${say(left512 as number)} and 32 holds ${say(left32 as number)}: ${say(ratio as number)} times as much.`,
      why: () =>
        'A clock with a small Δ also writes little, because what enters is Δ·B·u. A fast clock forgets, a slow clock whispers; most is left where h is near the distance.',
      formula: 'left at distance d = Δ·2^(−d/h), Δ = ln 2 / h',
      ask: 'For which h is most left at distance 32? (h = 32·ln 2 ≈ 22.)',
      surprise: 'Δ sets two things at once: how long a state remembers and how loudly it is written.',
    },
    stretched: {
      question:
        'This model starts with its slowest half-life at 8 tokens, and trains now. It has 128 clocks, and none starts at 16 tokens or more. How many will be there when it has learned?',
      unit: ' clocks',
      labels: ['Clocks'],
      x: 'Clocks, from the fastest to the slowest',
      y: 'Half-life in tokens',
      reveal: ({ learned, long, clocks, slowest, before, after }) =>
        `It was ${learnedAt(learned)}. Of ${clocks} clocks ${long === 1 ? 'one reaches' : `${long} reach`} 16 tokens or more; the slowest has ${say(slowest as number)} tokens. The median went from ${say(before as number)} to ${say(after as number)}.`,
      why: () =>
        'Over five seeds, four of which learn it within 700 steps, one to four clocks stretch to 16 tokens or more, the slowest to between 19 and 61. They do the job. Most hardly move: the task gives them no reason to.',
      formula: 'half-life = ln 2 / (softplus(bias)·exp(A_log))',
      ask: 'What would happen if all clocks had to stretch?',
      surprise: 'Training does not tune the whole ruler. It pulls out a few marks.',
    },
    speeds: {
      question:
        'A selective model learned to copy letters out of noise. Its clocks change with each token. What is the median half-life at a noise token, and at the token that writes a letter (three tokens after it)?',
      unit: ' tokens',
      labels: ['At noise', 'Where a letter is written'],
      x: 'Clocks, in percent from the fastest',
      y: 'Half-life in tokens',
      reveal: ({ noise, write, ratio, noiseBeyond, writeBeyond }) =>
        `At noise half is kept for ${say(noise as number)} tokens, where a letter is written for ${say(write as number)}: ${say(ratio as number)} times faster. Longer than the sequence of 32 tokens are ${sharePercent(noiseBeyond as number)} of the clocks at noise, and ${sharePercent(writeBeyond as number)} where a letter is written.`,
      why: () =>
        'Δ follows from the token. It is small at noise: the slow clocks nearly stand still and keep what they hold. It is large at the token that writes: old content moves on and the new letter enters.',
      formula: 'half-life at token t = ln 2 / (Δ_t·|A|)',
      ask: 'Which of the two speeds does a time-invariant model have?',
      surprise:
        'The same clock has two speeds. Selection sets it at each token. Over six models: 4 to 20 tokens at noise, 0.8 to 2 where it writes.',
    },
    transfer: {
      question:
        'A detector reads 16 tokens a second. A state has A = −1. Which Δ keeps half of an event for 8 seconds?',
      labels: ['Δ'],
      x: 'Tokens after the event',
      y: 'Share that is left',
      reveal: ({ delta, halfLife }) =>
        `With Δ = ${say(delta as number)} the kernel’s impulse halves in ${say(halfLife as number)} tokens, which are 8 seconds.`,
      why: () => '8 seconds are 128 tokens, so Δ = ln 2 / 128. With A = −16 it would be a 16th of that.',
      formula: 'Δ = ln 2 / (|A|·tokens)',
      ask: 'And for A = −16?',
      surprise: 'The unit is the token. The sampling rate has to be known before Δ means anything.',
    },
  },
};
