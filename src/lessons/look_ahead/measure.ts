import { SAMPLE_RATE } from '../../eeg/signal/preprocess';
import { WINDOW } from '../../eeg/windows/windows';
import { initialise } from '../../models/initialise';
import {
  onsetOf,
  PATIENTS,
  Reader,
  readingGraph,
  scaledFrom,
  windowBefore,
  type Onset,
  type Probabilities,
} from '../course/eeg';
import type { Both, Lab, Weights } from '../course/lab';
import type { Bar, Line, Measured, Measures, Settings } from '../course/step';
import { DETECTOR, storedDetector } from '../stored/detector';
import { AROUND, LOOK_AHEADS, MOMENTS, NAMED, SHORT } from './plan';

/** The detector without its backward scan, whose columns of the projection that joins both are 0. */
function forwardOnly(weights: Weights): Weights {
  const name = 'mamba.layers.0.output_proj.weight';
  const width = 2 * DETECTOR.baseChannels * 2 ** (DETECTOR.depth - 1);
  const kept = weights.get(name)?.map((value, i) => (i % width < width / 2 ? value : 0));
  return kept ? new Map(weights).set(name, kept) : weights;
}

/** The EEG of so many patients: of all on kernels, of few where everything is computed in float64. */
const onsets = (lab: Lab): Promise<Onset[]> =>
  Promise.all(PATIENTS.slice(0, lab.device ? undefined : 2).map(onsetOf));

/** How much P changes at each sample before a window's middle, backwards from there, when the EEG after it is turned over. */
async function changes(
  lab: Lab,
  config: typeof DETECTOR,
  weights: Weights,
  window: Float32Array,
): Promise<{ change: Both; reach: number; reach64: number }> {
  const samples = window.length / config.electrodes;
  const line = samples / 2;
  const reader = await Reader.open(lab, { config, weights, samples, batch: 2 });
  try {
    const [as, other] = (await reader.read([window, scaledFrom(window, -1, line)])) as [
      Probabilities,
      Probabilities,
    ];
    const differences = (a: ArrayLike<number>, b: ArrayLike<number>): number[] =>
      Array.from({ length: line }, (_, distance) =>
        Math.abs((a[line - 1 - distance] as number) - (b[line - 1 - distance] as number)),
      );
    const got = differences(as.got, other.got);
    const want = differences(as.want ?? as.got, other.want ?? other.got);
    const farthest = (values: readonly number[]): number => values.findLastIndex((change) => change > 0) + 1;
    return { change: { got, want }, reach: farthest(got), reach64: farthest(want) };
  } finally {
    reader.destroy();
  }
}

/** The largest change in each of some equal parts of the way from the line. */
function changeLine(name: string, { got, want }: Both, strong = false): Line {
  const PART = SAMPLE_RATE / 8;
  const largest = (values: ArrayLike<number>): number[] =>
    Array.from({ length: Math.floor(values.length / PART) }, (_, i) =>
      Math.max(...Array.from({ length: PART }, (_, k) => values[i * PART + k] as number)),
    );
  const y = largest(got);
  return { name, x: y.map((_, i) => ((i + 0.5) * PART) / SAMPLE_RATE), y, reference: largest(want), strong };
}

/** How far before a changed sample the answers change, exactly. */
async function reach(lab: Lab): Promise<Measured> {
  const { weights } = await storedDetector();
  const [onset] = await onsets(lab);
  const { start } = onset as Onset;
  const window = windowBefore(onset as Onset, start + WINDOW / 2, WINDOW);
  const both = await changes(lab, DETECTOR, weights, window);
  lab.progress(1 / 2);
  const forward = await changes(lab, DETECTOR, forwardOnly(weights), window);
  return {
    answer: [both.reach / SAMPLE_RATE, forward.reach / SAMPLE_RATE],
    facts: {
      both: both.reach / SAMPLE_RATE,
      both64: both.reach64 / SAMPLE_RATE,
      forward: forward.reach / SAMPLE_RATE,
      forward64: forward.reach64 / SAMPLE_RATE,
    },
    lines: [changeLine('both', both.change, true), changeLine('forward', forward.change)],
  };
}

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** P around the onsets, the mean over patients in each half second. */
async function onset(lab: Lab): Promise<Measured> {
  const { weights } = await storedDetector();
  const all = await onsets(lab);
  const windows = all.map((one) => windowBefore(one, one.start + WINDOW / 2, WINDOW));
  const PART = SAMPLE_RATE / 2;
  const FROM = -20;
  const course = (read: readonly ArrayLike<number>[]): number[] =>
    Array.from({ length: 80 }, (_, i) => {
      const first = WINDOW / 2 + FROM * SAMPLE_RATE + i * PART;
      return meanOf(
        read.flatMap((values) => Array.from({ length: PART }, (_, k) => values[first + k] as number)),
      );
    });
  const x = Array.from({ length: 80 }, (_, i) => FROM + (i + 0.5) / 2);
  const courseWith = async (used: Weights, compared: boolean): Promise<Both> => {
    const reader = await Reader.open(lab, { config: DETECTOR, weights: used, samples: WINDOW, batch: 2 });
    try {
      const read = await reader.read(
        windows,
        () => compared,
        (share) => lab.progress(share / 2 + (compared ? 0 : 0.5)),
      );
      const want = read.map((one) => one.want ?? []);
      return { got: course(read.map(({ got }) => got)), want: compared ? course(want) : x.map(() => NaN) };
    } finally {
      reader.destroy();
    }
  };
  const both = await courseWith(weights, true);
  const forward = await courseWith(forwardOnly(weights), false);
  const y = [...(both.got as number[])];
  const between = (values: ArrayLike<number>, from: number, to: number): number =>
    meanOf(Array.from(values).filter((_, i) => (x[i] as number) > from && (x[i] as number) < to));
  const [early, late] = [between(y, -15, -8), between(y, 5, 20)];
  const half = (early + late) / 2;
  const last = y.findLastIndex((value, i) => (x[i] as number) < 10 && value < half);
  const [y0, y1] = [y[last] as number, y[last + 1] as number];
  const crossing = (x[last] as number) + (0.5 * (half - y0)) / (y1 - y0);
  return {
    answer: [crossing],
    facts: {
      crossing,
      early,
      late,
      rise: between(y, -4, -1) - early,
      soon: between(y, 0, 5),
      soonForward: between(forward.got, 0, 5),
      patients: all.length,
    },
    lines: [
      { name: 'both', x, y, reference: [...(both.want as number[])], strong: true },
      { name: 'forward', x, y: [...(forward.got as number[])], reference: [...(forward.want as number[])] },
    ],
  };
}

/** A window that ends some seconds after the moment that it is read for; `edit` changes what comes after that moment. */
interface Cut {
  readonly ahead: number;
  readonly edit?: (window: Float32Array, at: number) => Float32Array;
}

const always = (): boolean => true;

/** P at moments of each onset: [cut][onset][moment]. Where `compared` says so also in float64. */
async function readAt(
  lab: Lab,
  weights: Weights,
  all: readonly Onset[],
  moments: readonly number[],
  cuts: readonly Cut[],
  compared: (cut: number, onset: number, moment: number) => boolean,
): Promise<Probabilities[][][]> {
  const samples = SHORT * SAMPLE_RATE;
  const reader = await Reader.open(lab, { config: DETECTOR, weights, samples, batch: 8 });
  const windows = cuts.flatMap(({ ahead, edit = (window) => window }) =>
    all.flatMap((one) =>
      moments.map((moment) => {
        const end = one.start + (moment + ahead) * SAMPLE_RATE;
        return edit(windowBefore(one, end, samples), samples - ahead * SAMPLE_RATE);
      }),
    ),
  );
  try {
    const read = await reader.read(
      windows,
      (index) => {
        const each = Math.floor(index / moments.length);
        return compared(Math.floor(each / all.length), each % all.length, index % moments.length);
      },
      (share) => lab.progress(share),
    );
    return cuts.map(({ ahead }, c) =>
      all.map((_, o) =>
        moments.map((_, m) => {
          const { got, want } = read[(c * all.length + o) * moments.length + m] as Probabilities;
          const at = samples - ahead * SAMPLE_RATE - 1;
          return { got: [got[at] as number], want: want && [want[at] as number] };
        }),
      ),
    );
  } finally {
    reader.destroy();
  }
}

/** Seconds after the onset from which on a seizure is asked for around one onset. */
const LATE = 5;

const ALL_MOMENTS = [...MOMENTS.before, ...MOMENTS.after];

/** Mean P after the onset minus mean P before it; NaN where not all was computed. */
function contrastOf(read: readonly (readonly Probabilities[])[], of: keyof Probabilities): number {
  const mean = (from: number, to: number): number =>
    meanOf(read.flatMap((moments) => moments.slice(from, to).map((one) => one[of]?.[0] ?? NaN)));
  const { length } = MOMENTS.before;
  return mean(length, ALL_MOMENTS.length) - mean(0, length);
}

/** The shortest of some look-aheads from which on the contrast is at least 95 % of that with the last, between two by a line. */
function waitOf(contrasts: readonly number[]): number {
  const enough = 0.95 * (contrasts.at(-1) as number);
  const last = contrasts.findLastIndex((contrast) => contrast < enough);
  if (last < 0) return 0;
  const [y0, y1] = [contrasts[last], contrasts[last + 1]] as [number, number];
  const [x0, x1] = [LOOK_AHEADS[last], LOOK_AHEADS[last + 1]] as [number, number];
  return x0 + ((enough - y0) * (x1 - x0)) / (y1 - y0);
}

/** P around the first patient's onset: with windows that end a look-ahead after each moment, and with all of a minute. */
async function bedside(lab: Lab, settings: Settings): Promise<Measured> {
  const { weights } = await storedDetector();
  const one = await onsetOf(PATIENTS[0]);
  const asked = settings['ahead'] ?? 0;
  // Windows end with a sample.
  const ahead = Math.round(asked * SAMPLE_RATE) / SAMPLE_RATE;
  const { min, max } = AROUND;
  const x = Array.from({ length: max - min + 1 }, (_, i) => min + i);
  const [[cut]] = (await readAt(
    lab,
    weights,
    [one],
    x,
    [{ ahead }],
    (_cut, _onset, moment) => moment % 5 === 0,
  )) as [[Probabilities[]]];
  const reader = await Reader.open(lab, { config: DETECTOR, weights, samples: WINDOW, batch: 1 });
  try {
    const [whole] = (await reader.read([windowBefore(one, one.start + WINDOW / 2, WINDOW)])) as [
      Probabilities,
    ];
    const at = (values: ArrayLike<number> | undefined): number[] =>
      x.map((moment) => values?.[WINDOW / 2 + moment * SAMPLE_RATE - 1] ?? NaN);
    const [y, all] = [cut.map(({ got }) => got[0] as number), at(whole.got)];
    const late = (values: readonly number[]): number =>
      meanOf(values.filter((_, i) => (x[i] as number) >= LATE));
    return {
      answer: [late(y)],
      at: [(LATE + max) / 2],
      facts: { ahead: asked, late: late(y), all: late(all) },
      lines: [
        { name: 'all EEG', x, y: all, reference: at(whole.want) },
        {
          name: 'cut',
          x,
          y,
          reference: cut.map(({ want }) => want?.[0] ?? NaN),
          strong: true,
        },
      ],
    };
  } finally {
    reader.destroy();
  }
}

async function wait(lab: Lab): Promise<Measured> {
  const { weights } = await storedDetector();
  const all = await onsets(lab);
  const cuts = LOOK_AHEADS.map((ahead) => ({ ahead }));
  const read = await readAt(
    lab,
    weights,
    all,
    ALL_MOMENTS,
    cuts,
    (cut, onset) => onset === 0 && NAMED.some((ahead) => ahead === LOOK_AHEADS[cut]),
  );
  const contrasts = read.map((onsets) => contrastOf(onsets, 'got'));
  const first = read.map((onsets) => contrastOf(onsets.slice(0, 1), 'got'));
  const reference = read.map((onsets) => contrastOf(onsets.slice(0, 1), 'want'));
  const answer = waitOf(contrasts);
  return {
    answer: [answer],
    facts: {
      wait: answer,
      none: contrasts[0] as number,
      eighth: contrasts[1] as number,
      one: contrasts[LOOK_AHEADS.indexOf(1)] as number,
      all: contrasts.at(-1) as number,
      patients: all.length,
    },
    lines: [
      {
        name: 'mean',
        x: LOOK_AHEADS,
        y: contrasts,
        reference: read.map((onsets) => contrastOf(onsets, 'want')),
        strong: true,
      },
      { name: 'one onset', x: LOOK_AHEADS, y: first, reference },
    ],
  };
}

const bar = (name: string, value: number, reference: number): Bar => ({ name, value, reference });

/** Which loss makes it blind at the edge: that of the backward scan, or that of the second that the convolutions see. */
async function blind(lab: Lab): Promise<Measured> {
  const { weights } = await storedDetector();
  const all = (await onsets(lab)).slice(0, 2);
  const [whole, cut] = (
    await readAt(lab, weights, all, ALL_MOMENTS, [{ ahead: 4 }, { ahead: 0 }], always)
  ).map((read) => [contrastOf(read, 'got'), contrastOf(read, 'want')] as const) as [
    readonly [number, number],
    readonly [number, number],
  ];
  const [scan] = (await readAt(lab, forwardOnly(weights), all, ALL_MOMENTS, [{ ahead: 4 }], always)).map(
    (read) => [contrastOf(read, 'got'), contrastOf(read, 'want')] as const,
  ) as [readonly [number, number]];
  return {
    answer: [scan[0] - cut[0] > whole[0] - scan[0] ? 1 : 0],
    facts: { whole: whole[0], scan: scan[0], cut: cut[0] },
    bars: [bar('4 s ahead', ...whole), bar('forward scan only', ...scan), bar('0 s ahead', ...cut)],
  };
}

/** Seconds of zeros after the moment. */
const ZEROS = 4;

/** P after the onset with the real future, with none, and with zeros instead of it. */
async function zeros(lab: Lab): Promise<Measured> {
  const { weights } = await storedDetector();
  const all = (await onsets(lab)).slice(0, 2);
  const cuts: Cut[] = [
    { ahead: ZEROS },
    { ahead: 0 },
    { ahead: ZEROS, edit: (window, at) => scaledFrom(window, 0, at) },
  ];
  const read = await readAt(lab, weights, all, MOMENTS.after, cuts, always);
  const means = (of: keyof Probabilities): number[] =>
    read.map((onsets) => meanOf(onsets.flat().map((one) => one[of]?.[0] ?? NaN)));
  const [got, want] = [means('got'), means('want')];
  const names = ['real future', 'ends here', 'zeros'];
  return {
    answer: [got[2] as number],
    facts: { real: got[0] as number, ends: got[1] as number, zeros: got[2] as number },
    bars: names.map((name, i) => bar(name, got[i] as number, want[i] as number)),
  };
}

/** The convolutions of the stored detector, and of one with a stage more, which nobody trained: reach needs no training. */
async function transfer(lab: Lab): Promise<Measured> {
  const [onset] = await onsets(lab);
  const samples = SHORT * SAMPLE_RATE;
  const window = windowBefore(onset as Onset, (onset as Onset).start + samples / 2, samples);
  const lines: Line[] = [];
  const reaches: number[] = [];
  for (const more of [0, 1]) {
    const config = { ...DETECTOR, depth: DETECTOR.depth + more, layers: 0 };
    const { graph, declared } = readingGraph(config, 1, samples);
    const weights = new Map(initialise(declared, 1));
    for (const { name, shape, initial } of graph.buffers)
      weights.set(name, new Float32Array(shape.reduce((count, size) => count * size, 1)).fill(initial));
    const { change, reach: samplesReached } = await changes(lab, config, weights, window);
    lines.push(changeLine(`${config.depth} stages`, change, more === 1));
    reaches.push(samplesReached / SAMPLE_RATE);
  }
  const [four, five] = reaches as [number, number];
  return { answer: [five], facts: { four, five }, lines };
}

export const measures: Measures = { reach, onset, bedside, wait, blind, zeros, transfer };
