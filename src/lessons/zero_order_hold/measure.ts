import { copyingRun, separatedSequences } from '../course/copying';
import { impulse } from '../course/impulse';
import type { Lab } from '../course/lab';
import { scanValues, type ScanValues } from '../course/scan_values';
import type { Bar, Line, Measured, Measures, Settings } from '../course/step';
import { storedModel } from '../stored/copying';
import { TOKENS } from './plan';
import {
  accuracyWith,
  endOf,
  initialWeights,
  recordedTraining,
  trainCopying,
  type Training,
  type TrainingOptions,
} from './train';

const { fround } = Math;

/** Of the picture: x = Δ·|A| from a twentieth to 4. */
const XS = Array.from({ length: 80 }, (_, i) => (i + 1) / 20);

/** What one token writes for each Δ and |A|, as Mamba has it and by zero-order hold, and what is left of it a token later. */
async function writes(lab: Lab, clocks: readonly { readonly delta: number; readonly decay: number }[]) {
  const [mamba, hold] = [await impulse(lab, clocks, 2), await impulse(lab, clocks, 2, true)];
  const of = (key: 'got' | 'want') =>
    clocks.map((_, i) => {
      const [loud, exact] = [mamba[i]?.[key] ?? [], hold[i]?.[key] ?? []];
      const written = exact[0] as number;
      return { gain: (loud[0] as number) / written, written, left: (exact[1] as number) / written };
    });
  return { got: of('got'), want: of('want') };
}

/** The gain over x, and that of `clock`, which is the answer. */
async function gains(lab: Lab, clock: { readonly delta: number; readonly decay: number }): Promise<Measured> {
  const { got, want } = await writes(lab, [...XS.map((delta) => ({ delta, decay: 1 })), clock]);
  const line = (name: string, key: 'gain' | 'written' | 'left', strong = false): Line => ({
    name,
    x: XS,
    y: XS.map((_, i) => got[i]?.[key] as number),
    reference: XS.map((_, i) => want[i]?.[key] as number),
    strong,
  });
  const gain = got.at(-1)?.gain as number;
  const x = clock.delta * clock.decay;
  return {
    answer: [gain],
    at: [x],
    facts: { gain, x, ...clock },
    lines: [line('gain', 'gain', true), line('exact write', 'written'), line('decay', 'left')],
  };
}

const gain = (lab: Lab, settings: Settings): Promise<Measured> =>
  gains(lab, { delta: settings['x'] ?? 2, decay: 1 });

/** |1 − x|^TOKENS, multiplied in float32 or float64. */
function simple(x: number, round: (value: number) => number): number {
  let left = 1;
  for (let t = 0; t < TOKENS; t++) left = round(left * round(1 - round(x)));
  return left;
}

/** The decay's two ways; of 1 − x the engine has no kernel. */
async function decay(lab: Lab): Promise<Measured> {
  const xs = XS.filter((x) => x <= 3);
  const series = await impulse(
    lab,
    xs.map((delta) => ({ delta, decay: 1 })),
    TOKENS + 1,
  );
  const left = (key: 'got' | 'want'): number[] =>
    series.map((one) => (one[key][TOKENS] as number) / (one[key][0] as number));
  // Between 1, where nothing is left, and 3 there is one place from which on more is left than there was.
  let [low, high] = [1, 3];
  while (high - low > 1e-6) {
    const middle = (low + high) / 2;
    if (Math.abs(simple(middle, fround)) > 1) high = middle;
    else low = middle;
  }
  return {
    answer: [high],
    facts: { from: high, atOne: simple(1, fround), atThree: simple(3, fround) },
    lines: [
      {
        name: '1 − x',
        x: xs,
        y: xs.map((x) => Math.abs(simple(x, fround))),
        reference: xs.map((x) => Math.abs(simple(x, (value) => value))),
        strong: true,
      },
      { name: 'e^−x', x: xs, y: left('got'), reference: left('want') },
    ],
  };
}

const LOUDER = [1.1, 1.5, 2, 5, 10] as const;

/** Percent of a trained model's writes that are louder than exact by more than each factor. */
async function trained(lab: Lab): Promise<Measured> {
  const { weights } = await storedModel('selective');
  const run = copyingRun('selective');
  const sequences = separatedSequences(16);
  const shares = ({ delta, A, channels, states }: ScanValues): number[] => {
    const over = LOUDER.map(() => 0);
    for (let i = 0; i < delta.length; i++)
      for (let n = 0; n < states; n++) {
        const x = -(delta[i] as number) * (A[(i % channels) * states + n] as number);
        const louder = x / -Math.expm1(-x);
        LOUDER.forEach((factor, k) => {
          if (louder > factor) over[k] = (over[k] as number) + 1;
        });
      }
    return over.map((count) => (100 * count) / (delta.length * states));
  };
  const [got, want] = [
    shares(await scanValues(run, weights, lab, sequences, 'got')),
    shares(await scanValues(run, weights, lab, sequences)),
  ];
  const bars = LOUDER.map((factor, i): Bar => ({
    name: `> ${factor}`,
    value: got[i] as number,
    reference: want[i] as number,
  }));
  const [tenth, , twice, , tenfold] = got as [number, number, number, number, number];
  return { answer: [twice], facts: { tenth, twice, tenfold }, bars };
}

/** The same weights with either B̄: of the stored model, or before its training. */
async function swap(lab: Lab, settings: Settings): Promise<Measured> {
  const { seed, steps, weights: stored } = await storedModel('selective');
  const weights = settings['steps'] === 0 ? initialWeights(seed) : stored;
  const bars: Bar[] = [];
  for (const [name, zeroOrderHold] of [
    ['Mamba’s B̄', false],
    ['exact B̄', true],
  ] as const) {
    const { got, want } = await accuracyWith(lab, weights, zeroOrderHold);
    bars.push({ name, value: 100 * (got[0] as number), reference: 100 * (want[0] as number) });
  }
  const [mamba, exact] = bars.map(({ value }) => value) as [number, number];
  return { answer: [exact], facts: { mamba, exact, steps: settings['steps'] ?? steps }, bars };
}

async function again(lab: Lab, settings: Settings): Promise<Measured> {
  const train = (options: TrainingOptions): Promise<Training> =>
    lab.device ? trainCopying(lab, options) : recordedTraining(options);
  const seed = settings['seed'] ?? 1;
  const trainings: Training[] = [];
  for (const [i, zeroOrderHold] of [false, true].entries())
    trainings.push(await train({ zeroOrderHold, seed, progress: (share) => lab.progress((i + share) / 2) }));
  const [mamba, exact] = trainings.map(endOf) as [number, number];
  return {
    answer: [exact],
    at: [trainings[1]?.steps.at(-1) as number],
    facts: { mamba, exact },
    lines: trainings.map(({ steps, accuracy }, i) => ({
      name: i === 0 ? 'Mamba' : 'exact',
      x: steps,
      y: accuracy,
      reference: accuracy.map(() => NaN),
      strong: i === 1,
    })),
    recorded: !lab.device,
  };
}

const transfer = (lab: Lab): Promise<Measured> => gains(lab, { delta: 0.1, decay: 16 });

export const measures: Measures = { gain, decay, trained, swap, again, transfer };
