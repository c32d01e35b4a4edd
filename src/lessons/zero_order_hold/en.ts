import { say, type LessonText } from '../course/step';

const p = (value: number | undefined): string => `${say(value ?? NaN)} %`;
const times = (value: number | undefined): string => `${say(value ?? NaN)} times`;

/** English. */
export const en: LessonText = {
  title: 'The paper’s B̄ and the code’s',
  about:
    'Between two tokens the input is held, so the exact step writes (1 − e^(−Δ|A|))/|A| of B·u. The paper gives this as its equation 4; Mamba’s code writes Δ·B·u instead. The scan kernel here has both, forward and backward.',
  names: {
    gain: 'gain',
    'exact write': 'exact write',
    decay: 'decay',
    'Mamba’s B̄': 'Mamba’s B̄',
    'exact B̄': 'exact B̄',
    Mamba: 'Mamba',
    exact: 'exact',
  },
  path: 'Steps 1, 4 and 5. Open step 5 early: its two models train behind the question.',
  steps: {
    gain: {
      question:
        'With x = Δ·|A|, the exact step writes 1 − e^(−x) (in units of 1/|A|) and Mamba writes x. At x = 2, how many times too loud is Mamba?',
      labels: ['Times'],
      unit: ' times',
      x: 'x = Δ·|A|',
      y: 'Gain, exact write and decay',
      controls: { x: 'x' },
      reveal: ({ gain, x }) => `At x = ${say(x ?? NaN)} the kernels write ${times(gain)} as much.`,
      why: () =>
        'What is written also decays while it is held. For a small x there is no time for that, and both are equal; for a large one the exact write ends at 1, and Mamba’s grows on.',
      formula: 'gain = x / (1 − e^(−x))',
      ask: 'From which x on is the gain more than 1.1? (From 0.194.)',
      surprise: 'The two differ most where the state forgets most.',
    },
    decay: {
      question:
        'And if the decay, too, were done the simple way: 1 − x instead of e^(−x)? From which x on does a state grow instead of fading?',
      labels: ['x'],
      x: 'x = Δ·|A|',
      y: 'Size of what is left after four tokens',
      reveal: ({ from, atOne, atThree }) =>
        `From ${say(from ?? NaN)}. At x = 1 it forgets everything at once (${say(atOne ?? NaN)}), beyond 1 each token flips the sign, and at x = 3 the state is ${times(atThree)} as large after four tokens.`,
      why: () =>
        'e^(−x) lies between 0 and 1 for every x; 1 − x is negative beyond x = 1, and below −1 beyond x = 2. So Mamba keeps the exponential in the decay, and leaves it out in the write. The kernels have no decay of 1 − x: its curve is four multiplications in float32.',
      formula: '|1 − x| > 1 for x > 2',
      ask: 'Why is the sign wrong between 1 and 2?',
      surprise: 'One of the two shortcuts is harmless, the other one explodes.',
    },
    trained: {
      question:
        'How large is x in a model that has learned to copy letters? Say how many percent of all its writes are more than twice too loud.',
      labels: ['Percent'],
      unit: ' %',
      x: 'Times too loud',
      y: 'Percent of writes, over tokens, channels and states',
      reveal: ({ tenth, twice, tenfold }) =>
        `${p(twice)} are more than twice too loud, ${p(tenth)} more than 1.1 times, and ${p(tenfold)} more than ten times.`,
      why: () =>
        'A reaches −16 and Δ starts at up to 1, so many states forget within one token, already before training.',
      formula: 'x = Δ_t·|A|',
      ask: 'Which states are those: the ones that remember, or the ones that forget?',
      surprise: 'The approximation is not a small one.',
    },
    swap: {
      question:
        'So give the trained model the exact B̄, with the weights as they are. How many percent of its answers are right then?',
      labels: ['Exact B̄'],
      unit: ' %',
      x: 'What the scan writes',
      y: 'Right answers in percent',
      controls: { steps: 'Training steps of the weights' },
      reveal: ({ mamba, exact, steps }) =>
        `After ${say(steps ?? NaN)} steps: ${p(mamba)} with Mamba’s B̄, ${p(exact)} with the exact one.`,
      why: () =>
        'The weights had learned the loud writes. The exact ones are quieter. Over five seeds, 74 to 76 % of the answers stay right.',
      formula: 'the same weights, another B̄',
      ask: 'Set the training steps to 0. What does the swap cost now?',
      surprise: 'The better formula makes the worse model.',
    },
    again: {
      question:
        'Train again from the start, with the exact B̄ and the same seed. How many percent of its answers are right in the end?',
      labels: ['Exact B̄'],
      unit: ' %',
      x: 'Training steps',
      y: 'Right answers on unseen sequences, in percent',
      reveal: ({ mamba, exact }) =>
        `The exact B̄ ends at ${say(exact ?? NaN)} %, Mamba’s at ${say(mamba ?? NaN)} % (means of the last five points of the curves).`,
      why: () =>
        'A factor that training can absorb is no error, as long as nobody changes it afterwards. Over five seeds Mamba’s B̄ ends at 96 to 100 %, the exact one at 98 to 99 % in four and at 91 % in the fifth, which needs 600 steps to get there.',
      formula: 'loss(weights, B̄) is least for other weights',
      ask: 'What follows for a checkpoint that is loaded by other code?',
      surprise: 'Both end in the same place; the seed matters more than the formula.',
    },
    transfer: {
      question: 'Δ = 0.1 and A = −16: how many times louder than exact does Mamba write?',
      labels: ['Times'],
      x: 'x = Δ·|A|',
      y: 'Gain, exact write and decay',
      reveal: ({ gain }) => `${(gain ?? NaN).toFixed(3)} times, by the kernels.`,
      why: () => 'x = 1.6, and 1.6 / (1 − e^(−1.6)) = 2.005.',
      formula: 'x / (1 − e^(−x))',
      ask: 'And for A = −1?',
      surprise: 'Only the product of Δ and A counts.',
    },
  },
};
