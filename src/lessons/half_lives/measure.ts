import { resolveSizes } from '../mamba';
import { copyingRun, separatedSequences, WINDOW } from '../course/copying';
import { Lab, type Both } from '../course/lab';
import type { Line, Measured, Measures, Settings } from '../course/step';
import { sequenceGraph } from '../loop/sequence';
import { storedModel } from '../stored/copying';
import { halfLifeOf, impulse } from '../course/impulse';
import { RULER_STEPS, STRETCHED_FROM, STRETCHED_STEPS, TRAINED } from './plan';
import { deltaFor, DISTANCE, MIXER, trainRecall, type Recall } from './recall';
import { recordedRecall } from './recorded';

const DECAYS = Array.from({ length: 16 }, (_, i) => i + 1);

const setting = (settings: Settings, name: string): number => {
  const value = settings[name];
  if (value === undefined) throw new RangeError(`the setting ${name} is missing`);
  return value;
};

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;

async function ink(lab: Lab, settings: Settings): Promise<Measured> {
  const [delta, a] = [setting(settings, 'delta'), setting(settings, 'a')];
  const series = await impulse(
    lab,
    DECAYS.map((decay) => ({ delta, decay })),
    41,
  );
  const share = (values: ArrayLike<number>): number[] =>
    Array.from(values, (value) => value / (values[0] as number));
  const lines = series.map(({ got, want }, i): Line => ({
    name: `A = −${DECAYS[i]}`,
    x: Array.from(got, (_, t) => t),
    y: share(got),
    reference: share(want),
    strong: DECAYS[i] === a,
  }));
  const halfLife = halfLifeOf((series[a - 1] as Both).got);
  return { answer: [halfLife], facts: { halfLife, delta, a, formula: Math.LN2 / (delta * a) }, lines };
}

/** Trained here on the GPU, or as it was recorded: in float64 a training takes minutes. */
async function recall(
  lab: Lab,
  options: { halfLife: number; seed: number; maxSteps: number; progress: (share: number) => void },
): Promise<Recall> {
  return lab.device ? trainRecall(lab, options) : recordedRecall(options);
}

async function ruler(lab: Lab, settings: Settings): Promise<Measured> {
  const lines: Line[] = [];
  const facts: Record<string, number> = {};
  for (const [i, halfLife] of TRAINED.entries()) {
    const { steps, accuracy, learned } = await recall(lab, {
      halfLife,
      seed: setting(settings, 'seed'),
      maxSteps: RULER_STEPS,
      progress: (share) => lab.progress((i + share) / TRAINED.length),
    });
    facts[`at${halfLife}`] = learned;
    lines.push({
      name: `h = ${halfLife}`,
      x: steps,
      y: accuracy,
      reference: accuracy.map(() => NaN),
      strong: !Number.isNaN(learned),
    });
  }
  const answer = TRAINED.flatMap((halfLife, i) => (Number.isNaN(facts[`at${halfLife}`]) ? [] : [i]));
  return { answer, facts, lines, recorded: !lab.device };
}

const STARTS = [2, 4, 8, 16, 32, 128, 512] as const;

async function whisper(lab: Lab): Promise<Measured> {
  const clocks = STARTS.map((halfLife) => ({ delta: deltaFor(halfLife), decay: 1 }));
  const series = await impulse(lab, clocks, DISTANCE + 1);
  const bars = series.map(({ got, want }, i) => ({
    name: String(STARTS[i]),
    value: got[DISTANCE] as number,
    reference: want[DISTANCE] as number,
  }));
  const left = (halfLife: number): number => bars[STARTS.indexOf(halfLife as 2)]?.value ?? NaN;
  return {
    answer: [1],
    facts: { left512: left(512), left32: left(32), left2: left(2), ratio: left(32) / left(512) },
    bars,
  };
}

/** Half-life from which a clock counts as stretched: none has as much at the start. */
const LONG = 16;

async function stretched(lab: Lab, settings: Settings): Promise<Measured> {
  const { learned, before, after } = await recall(lab, {
    halfLife: STRETCHED_FROM,
    seed: setting(settings, 'seed'),
    maxSteps: STRETCHED_STEPS,
    progress: lab.progress,
  });
  const line = (name: string, y: readonly number[], strong: boolean): Line => ({
    name,
    x: y.map((_, i) => i),
    y,
    reference: y.map(() => NaN),
    strong,
  });
  const long = after.filter((clock) => clock >= LONG).length;
  return {
    answer: [long],
    facts: {
      learned,
      long,
      clocks: after.length,
      slowest: after.at(-1) as number,
      before: median(before),
      after: median(after),
    },
    lines: [line('before', before, false), line('after', after, true)],
    recorded: !lab.device,
  };
}

const SPEED_SEQUENCES = 32;

async function speeds(lab: Lab): Promise<Measured> {
  const { weights } = await storedModel('selective');
  const run = copyingRun('selective');
  const { tokens, targets, letters } = separatedSequences(SPEED_SEQUENCES);
  const view = sequenceGraph(run, SPEED_SEQUENCES);
  const { delta } = view.layers[0] as (typeof view.layers)[number];
  const feed = new Map([
    [view.tokens, tokens],
    [view.targets, targets],
  ]);
  const valueOf = await lab.evaluate(view.graph, feed, weights, [delta]);
  const { length, answers } = run.preset.sizes;
  const { dInner, dState } = resolveSizes(run.model);
  const bias = weights.get(`${MIXER}dt_proj.bias`) as Float32Array;
  const decayLog = weights.get(`${MIXER}A_log`) as Float32Array;
  const halfLives = (
    values: ArrayLike<number>,
    chosen: (place: number, of: readonly number[]) => boolean,
  ) => {
    const found: number[] = [];
    letters.forEach((of, b) => {
      for (let t = 0; t < length - answers; t++) {
        if (!chosen(t, of)) continue;
        for (let d = 0; d < dInner; d++) {
          const raw = (values[(b * length + t) * dInner + d] as number) + (bias[d] as number);
          for (let n = 0; n < dState; n++)
            found.push(Math.LN2 / (Math.log1p(Math.exp(raw)) * Math.exp(decayLog[d * dState + n] as number)));
        }
      }
    });
    return found.toSorted((a, b) => a - b);
  };
  const noise = (t: number, of: readonly number[]): boolean => of.every((at) => t < at || t >= at + WINDOW);
  const write = (t: number, of: readonly number[]): boolean => of.includes(t - WINDOW + 1);
  const { got, want } = valueOf(delta);
  const quantiles = (sorted: readonly number[]): number[] =>
    Array.from({ length: 51 }, (_, i) => sorted[Math.round(((sorted.length - 1) * i) / 50)] as number);
  const line = (name: string, chosen: typeof noise, strong: boolean): Line => ({
    name,
    x: Array.from({ length: 51 }, (_, i) => 2 * i),
    y: quantiles(halfLives(got, chosen)),
    reference: quantiles(halfLives(want, chosen)),
    strong,
  });
  const lines = [line('noise', noise, false), line('write', write, true)];
  const answer = lines.map(({ y }) => y[25] as number);
  const beyond = (chosen: typeof noise): number => {
    const all = halfLives(got, chosen);
    return all.filter((tokens) => tokens > length).length / all.length;
  };
  return {
    answer,
    facts: {
      noise: answer[0] as number,
      write: answer[1] as number,
      ratio: (answer[0] as number) / (answer[1] as number),
      noiseBeyond: beyond(noise),
      writeBeyond: beyond(write),
    },
    lines,
  };
}

const RATE = 16;
const SECONDS = 8;
/** Halvings of the interval: to the last bits of float64. */
const SEARCH = 50;

/** The Δ whose impulse halves in 8 s at 16 tokens a second, found by halving an interval on the measured half-life. */
async function transfer(lab: Lab): Promise<Measured> {
  const wanted = RATE * SECONDS;
  const measured = async (on: Lab, delta: number) =>
    (await impulse(on, [{ delta, decay: 1 }], 2 * wanted + 1))[0] as Both;
  const reference = new Lab(undefined);
  let [low, high] = [1e-4, 1];
  for (let i = 0; i < SEARCH; i++) {
    const middle = Math.sqrt(low * high);
    if (halfLifeOf((await measured(reference, middle)).want) > wanted) low = middle;
    else high = middle;
  }
  const delta = Math.sqrt(low * high);
  const { got, want } = await measured(lab, delta);
  const share = (values: ArrayLike<number>): number[] =>
    Array.from(values, (value) => value / (values[0] as number));
  const line: Line = {
    name: 'A = −1',
    x: Array.from(got, (_, t) => t),
    y: share(got),
    reference: share(want),
    strong: true,
  };
  return { answer: [delta], facts: { delta, halfLife: halfLifeOf(got) }, lines: [line] };
}

export const measures: Measures = { ink, ruler, whisper, stretched, speeds, transfer };
