import { Random } from '../../base/random';
import { copyingRun, separatedSequences, WINDOW, type Separated } from '../course/copying';
import { answersWith, FORGETS, type EditOf } from '../course/edits';
import type { Both, Lab, Weights } from '../course/lab';
import type { Bar, Measured, Measures, Settings } from '../course/step';
import { generateBatch, IGNORE } from '../tasks/task';
import type { Dynamics } from '../mamba';
import { storedModel } from '../stored/copying';

const UNSEEN = 128;
const SEQUENCES = 64;
const ANSWERS = 3;
/** An answer counts as right where so many percent of it are, and as lost below that. */
const RIGHT = 90;

const MODELS: readonly Dynamics[] = ['selective', 'delta-frozen', 'time-invariant'];

/** Percent of the answers that equal the targets `shift` marks before, at each mark. */
function percentRight(answers: ArrayLike<number>, targets: ArrayLike<number>, shift = 0): number[] {
  const wanted = Array.from(targets).filter((target) => target !== IGNORE);
  const sequences = answers.length / ANSWERS;
  return Array.from({ length: ANSWERS }, (_, mark) => {
    let right = 0;
    for (let b = 0; b < sequences; b++)
      if (mark >= shift && answers[b * ANSWERS + mark] === wanted[b * ANSWERS + mark - shift]) right++;
    return (100 * right) / sequences;
  });
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

const barsOf = (names: readonly string[], got: readonly number[], want: readonly number[]): Bar[] =>
  names.map((name, i) => ({ name, value: got[i] as number, reference: want[i] as number }));

async function plateaus(lab: Lab): Promise<Measured> {
  const bars: Bar[] = [];
  for (const [i, dynamics] of MODELS.entries()) {
    lab.progress(i / MODELS.length);
    const run = copyingRun(dynamics);
    const batch = generateBatch(run.task, run.preset.sizes, UNSEEN, new Random(0).stream('unseen'));
    const { weights } = await storedModel(dynamics);
    const { got, want } = await answersWith(lab, run, weights, batch, () => undefined);
    const [value, reference] = [got, want].map((answers) => mean(percentRight(answers, batch.targets)));
    bars.push({ name: dynamics, value: value as number, reference: reference as number });
  }
  const [selective, frozen, fixed] = bars.map(({ value }) => value) as [number, number, number];
  return { answer: [selective, frozen, fixed], facts: { selective, frozen, fixed }, bars };
}

/** What a selective model, the stored one unless another is given, answers with edits. */
async function edited(lab: Lab, sequences: Separated, editOf: EditOf, weights?: Weights): Promise<Both> {
  weights ??= (await storedModel('selective')).weights;
  return answersWith(lab, copyingRun('selective'), weights, sequences, editOf);
}

const letterOf = ({ letters }: Separated, b: number, index: number): number =>
  (letters[b] as readonly number[])[index] as number;

/** Percent of right answers at each mark, with B = 0 at a token 0 to 3 after the second letter: one entry a token. */
export async function withoutWrite(
  lab: Lab,
  weights?: Weights,
): Promise<{ readonly got: number[]; readonly want: number[] }[]> {
  const sequences = separatedSequences(SEQUENCES);
  const percents: { got: number[]; want: number[] }[] = [];
  for (let place = 0; place < WINDOW; place++) {
    lab.progress(place / WINDOW);
    const editOf: EditOf = (b, t) => (t === letterOf(sequences, b, 1) + place ? { write: false } : undefined);
    const { got, want } = await edited(lab, sequences, editOf, weights);
    percents.push({ got: percentRight(got, sequences.targets), want: percentRight(want, sequences.targets) });
  }
  return percents;
}

async function write(lab: Lab): Promise<Measured> {
  const percents = await withoutWrite(lab);
  const places = percents.map((_, place) => place);
  const own = (key: 'got' | 'want'): number[] => percents.map((one) => one[key][1] as number);
  const others = (key: 'got' | 'want'): number[] =>
    percents.map((one) => mean([one[key][0] as number, one[key][2] as number]));
  const ownGot = own('got');
  const found = ownGot.indexOf(Math.min(...ownGot));
  return {
    answer: [found],
    facts: {
      found,
      letter: ownGot[0] as number,
      own: ownGot[found] as number,
      others: others('got')[found] as number,
    },
    lines: [
      { name: 'edited', x: places, y: ownGot, reference: own('want'), strong: true },
      { name: 'others', x: places, y: others('got'), reference: others('want') },
    ],
  };
}

/** Δ = 0 over the four tokens that see the third letter. */
async function clock(lab: Lab): Promise<Measured> {
  const sequences = separatedSequences(SEQUENCES);
  const { got, want } = await edited(lab, sequences, (b, t) => {
    const after = t - letterOf(sequences, b, 2);
    return after >= 0 && after < WINDOW ? { delta: 0 } : undefined;
  });
  const percents = (answers: ArrayLike<number>): number[] => {
    const [right, earlier] = [0, 1].map((shift) => percentRight(answers, sequences.targets, shift)) as [
      number[],
      number[],
    ];
    return [right[1], right[2], earlier[1], earlier[2]] as number[];
  };
  const bars = barsOf(['2 = B', '3 = C', '2 = A', '3 = B'], percents(got), percents(want));
  const shifted = Math.min(bars[2]?.value ?? 0, bars[3]?.value ?? 0);
  const kept = bars[0]?.value ?? 0;
  return {
    answer: [shifted >= RIGHT ? 2 : kept >= RIGHT ? 0 : 1],
    facts: { shifted, own: bars[1]?.value ?? NaN },
    bars,
  };
}

/** The token before the second letter gets this Δ, and writes or not. */
async function atNoise(lab: Lab, delta: number, writes: boolean): Promise<Measured> {
  const sequences = separatedSequences(SEQUENCES);
  const { got, want } = await edited(lab, sequences, (b, t) =>
    t === letterOf(sequences, b, 1) - 1 ? { delta, write: writes } : undefined,
  );
  const bars = barsOf(
    ['A', 'B', 'C'],
    percentRight(got, sequences.targets),
    percentRight(want, sequences.targets),
  );
  const [first, second, third] = bars.map(({ value }) => value) as [number, number, number];
  return {
    answer: bars.flatMap(({ value }, i) => (value >= RIGHT ? [i] : [])),
    facts: { first, second, third, delta },
    bars,
  };
}

const forget = (lab: Lab, settings: Settings): Promise<Measured> =>
  atNoise(lab, settings['delta'] ?? FORGETS, false);

const loud = (lab: Lab): Promise<Measured> => atNoise(lab, FORGETS, true);

/**
 * What the model answers on one of the separated sequences (`sequence`, from 0) when one token (`token`, from 0; −1 for none) does
 * not write, has its clock stopped, or forgets. Its lines have the tokens that are read, its bars the answers.
 */
async function token(lab: Lab, settings: Settings): Promise<Measured> {
  const [index = 0, at = -1] = [settings['sequence'], settings['token']];
  const { length } = copyingRun('selective').preset.sizes;
  const all = separatedSequences(index + 1);
  const tokens = all.tokens.subarray(index * length);
  const targets = all.targets.subarray(index * length);
  const edit = settings['forget']
    ? { delta: FORGETS, write: false }
    : { write: settings['write'] !== 0, ...(settings['clock'] === 0 && { delta: 0 }) };
  const { got, want } = await edited(lab, { tokens, targets, letters: all.letters.slice(index) }, (_, t) =>
    t === at ? edit : undefined,
  );
  const read = [...tokens];
  return {
    answer: [...targets].filter((target) => target !== IGNORE),
    facts: {},
    lines: [{ name: 'tokens', x: read.map((_, t) => t + 1), y: read, reference: read }],
    bars: barsOf(['1', '2', '3'], Array.from(got), Array.from(want)),
  };
}

/** Letters at tokens 6, 12 and 20, counted from 1, and token 19 forgets. */
async function transfer(lab: Lab): Promise<Measured> {
  const { task, preset } = copyingRun('selective');
  const { sizes } = preset;
  const places = [5, 11, 19];
  const random = new Random(0).stream('transfer');
  const { tokens, targets } = generateBatch(task, sizes, SEQUENCES, random);
  for (let b = 0; b < SEQUENCES; b++) {
    const sequence = tokens.subarray(b * sizes.length, (b + 1) * sizes.length - sizes.answers);
    const letters = sequence.filter((token) => token > 0);
    sequence.fill(0);
    places.forEach((place, i) => (sequence[place] = letters[i] as number));
  }
  const sequences = { tokens, targets, letters: Array.from({ length: SEQUENCES }, () => places) };
  const { got, want } = await edited(lab, sequences, (_, t) =>
    t === 18 ? { delta: FORGETS, write: false } : undefined,
  );
  const bars = barsOf(['A', 'B', 'C'], percentRight(got, targets), percentRight(want, targets));
  const right = bars.filter(({ value }) => value >= RIGHT).length;
  const [first, second, third] = bars.map(({ value }) => value) as [number, number, number];
  return { answer: [right], facts: { right, first, second, third }, bars };
}

export const measures: Measures = { plateaus, write, clock, forget, loud, transfer, token };
