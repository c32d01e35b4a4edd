import type { Device } from '../../engine/device';
import { differentiate } from '../../engine/gradient';
import type { Tensor } from '../../engine/graph';
import { copyingRun, separatedSequences, WINDOW } from '../course/copying';
import { Lab } from '../course/lab';
import { scanValues, type ScanValues } from '../course/scan_values';
import type { Line, Measured, Measures, Settings } from '../course/step';
import { tokenWords } from '../loop/catalogue';
import { sequenceGraph } from '../loop/sequence';
import { TokenOverrides } from '../overrides';
import { storedModel } from '../stored/copying';
import { kernelGradients } from './kernels';
import { backwardLoop, differing, loopValues, statesHeld } from './loop';

const SEQUENCES = 32;
const ANSWERS = 3;

/** |∂ logit / ∂u| [sequences, tokens]: of the right token's logit at a mark by the scan's input, with Δ, B and C held. */
async function gradients(lab: Lab, mark: number) {
  const { weights } = await storedModel('selective');
  const run = copyingRun('selective');
  const sequences = separatedSequences(SEQUENCES);
  const { tokens, targets } = sequences;
  const { length, vocabulary, answers } = run.preset.sizes;
  const at = length - answers + mark;
  const overrides = new TokenOverrides();
  const view = sequenceGraph(run, SEQUENCES, overrides.edit);
  const { u } = (view.layers[0] as (typeof view.layers)[number]).scan;
  const cotangent = view.graph.input('cotangent', view.logits.shape);
  const du = differentiate(view.graph, [{ of: view.logits, cotangent }], [u]).get(u) as Tensor;
  const plain = sequenceGraph(run, SEQUENCES);
  const { delta, B, C } = (plain.layers[0] as (typeof plain.layers)[number]).scan;
  const plainFeed = new Map([
    [plain.tokens, tokens],
    [plain.targets, targets],
  ]);
  const valueOf = await new Lab(undefined).evaluate(plain.graph, plainFeed, weights, [delta, B, C]);
  const seed = new Float32Array(SEQUENCES * length * vocabulary);
  for (let b = 0; b < SEQUENCES; b++)
    seed[(b * length + at) * vocabulary + (targets[b * length + at] as number)] = 1;
  const { values: held } = overrides;
  for (const [override, tensor] of [
    [held.delta, delta],
    [held.B, B],
    [held.C, C],
  ] as const) {
    override.keep.fill(0);
    override.add.set(Float32Array.from(valueOf(tensor).want));
  }
  const feed = new Map<Tensor, Float32Array | Uint32Array>(overrides.feed);
  feed.set(view.tokens, tokens).set(view.targets, targets).set(cotangent, seed);
  const values = (await lab.evaluate(view.graph, feed, weights, [du]))(du);
  const channels = u.shape[2] as number;
  const sizes = (of: ArrayLike<number>): number[] =>
    Array.from({ length: SEQUENCES * length }, (_, i) =>
      Math.hypot(...Array.from({ length: channels }, (_, d) => of[i * channels + d] as number)),
    );
  return { got: sizes(values.got), want: sizes(values.want), letters: sequences.letters, tokens, length };
}

async function blame(lab: Lab, settings: Settings): Promise<Measured> {
  const mark = (settings['mark'] ?? 2) - 1;
  const { got, want, letters, tokens, length } = await gradients(lab, mark);
  const context = length - ANSWERS;
  let atWrite = 0;
  letters.forEach((places, b) => {
    const row = got.slice(b * length, b * length + context);
    if (row.indexOf(Math.max(...row)) === (places[mark] as number) + WINDOW - 1) atWrite++;
  });
  const [first, first64] = [got, want].map((sizes) => {
    const row = sizes.slice(0, length);
    return row.map((value) => value / Math.max(...row));
  }) as [number[], number[]];
  const words = tokenWords({ task: 'selective_copying', preset: 'tiny' });
  const bars = first.map((value, t) => ({
    name: words[tokens[t] as number]?.text ?? '',
    place: t + 1,
    value,
    reference: first64[t] as number,
  }));
  const places = letters[0] as readonly number[];
  return {
    answer: [atWrite / letters.length > 0.9 ? 1 : 0],
    facts: {
      mark: mark + 1,
      letter: (places[mark] as number) + 1,
      write: (places[mark] as number) + WINDOW,
      share: (100 * atWrite) / letters.length,
    },
    bars,
  };
}

/** What one token leaves of a state, exp(Δ·A): the median over channels and states, and their slowest quarter. */
async function noise(lab: Lab): Promise<Measured> {
  const { weights } = await storedModel('selective');
  const sequences = separatedSequences(SEQUENCES);
  const run = copyingRun('selective');
  const [got, want] = [
    await scanValues(run, weights, lab, sequences, 'got'),
    await scanValues(run, weights, lab, sequences),
  ];
  const left = (
    { delta, A, length, channels, states }: ScanValues,
    chosen: (t: number, of: readonly number[]) => boolean,
    part = 1 / 2,
  ): number => {
    const shares: number[] = [];
    sequences.letters.forEach((of, b) => {
      for (let t = 0; t < length - ANSWERS; t++)
        if (chosen(t, of))
          for (let d = 0; d < channels; d++)
            for (let n = 0; n < states; n++)
              shares.push(
                Math.exp((delta[(b * length + t) * channels + d] as number) * (A[d * states + n] as number)),
              );
    });
    return shares.toSorted((a, b) => a - b)[Math.floor(part * shares.length)] as number;
  };
  const isNoise = (t: number, of: readonly number[]): boolean => of.every((at) => t < at || t >= at + WINDOW);
  const isWrite = (t: number, of: readonly number[]): boolean => of.includes(t - WINDOW + 1);
  const SLOW = 3 / 4;
  const [atNoise, atWrite] = [left(got, isNoise), left(got, isWrite)];
  const atSlow = left(got, isNoise, SLOW);
  return {
    answer: [2],
    facts: { noise: atNoise, write: atWrite, slow: atSlow },
    bars: [
      { name: 'noise', value: atNoise, reference: left(want, isNoise) },
      { name: 'slow', value: atSlow, reference: left(want, isNoise, SLOW) },
      { name: 'write', value: atWrite, reference: left(want, isWrite) },
    ],
  };
}

const MIB = 2 ** 20;
const LENGTH = 960;
const CHANNELS = 1024;
const STATES = 16;

async function bytes(): Promise<Measured> {
  // Of the numbers that would be kept, one step's are allocated.
  const all = (LENGTH * new Float32Array(CHANNELS * STATES).byteLength) / MIB;
  const input = (LENGTH * new Float32Array(CHANNELS).byteLength) / MIB;
  return {
    answer: [all],
    facts: { all, input },
    bars: [
      { name: 'input', value: input, reference: NaN },
      { name: 'states', value: all, reference: NaN },
    ],
  };
}

function counts(length: number) {
  const ks = Array.from({ length }, (_, i) => i + 1).filter(
    (k, i) => k <= 64 || k === length || i % Math.ceil(length / 64) === 0,
  );
  const total = ks.map((k) => statesHeld(length, k));
  const min = Math.min(...total);
  const best = ks.filter((_, i) => total[i] === min);
  const line = (name: string, y: number[], strong = false): Line => ({
    name,
    x: ks,
    y,
    reference: y.map(() => NaN),
    strong,
  });
  const lines = [
    line(
      'kept',
      ks.map((k) => Math.ceil(length / k)),
    ),
    line(
      'again',
      ks.map((k) => Math.min(k, length)),
    ),
    line('both', total, true),
  ];
  return { lines, min, best };
}

async function interval(): Promise<Measured> {
  const { lines, min, best } = counts(LENGTH);
  const mib = (min * CHANNELS * STATES * 4) / MIB;
  return {
    answer: [best[Math.floor(best.length / 2)] as number],
    facts: { min, mib, from: best[0] as number, to: best.at(-1) as number },
    lines,
  };
}

const LOOP = { length: LENGTH, channels: 4, states: STATES } as const;
const INTERVALS = [1, 4, 31, 128, LENGTH] as const;
/** Steps from one stored state of the scan kernel to the next. */
const STORED = [128, 16, 32, 64] as const;

/** Gradients of a plain loop with each interval, all compared with those of all states kept; then the same of the kernels. */
async function bits(lab: Lab): Promise<Measured> {
  const values = loopValues(LOOP);
  const all = backwardLoop(values, LOOP, 1);
  let apart = 0;
  const rounds = INTERVALS.length + STORED.length;
  const bars = INTERVALS.map((k, i) => {
    lab.progress(i / rounds);
    const result = backwardLoop(values, LOOP, k);
    apart += differing(all, result);
    return { name: `K = ${k}`, value: result.held, reference: NaN };
  });
  const kernels = [];
  for (const [i, k] of (lab.device ? STORED : []).entries()) {
    lab.progress((INTERVALS.length + i) / rounds);
    kernels.push(await kernelGradients(lab.device as Device, values, LOOP, k));
  }
  const [usual] = kernels;
  if (usual) apart += kernels.reduce((sum, result) => sum + differing(usual, result), 0);
  return {
    answer: [apart === 0 ? 0 : 1],
    facts: {
      apart,
      kernels: kernels.length,
      usual: usual?.storedBytes ?? NaN,
      max: kernels[1]?.storedBytes ?? NaN,
    },
    bars,
  };
}

async function transfer(): Promise<Measured> {
  const { lines, min, best } = counts(4096);
  return {
    answer: [best[Math.floor(best.length / 2)] as number, min],
    facts: { min, part: 4096 / min },
    lines,
  };
}

export const measures: Measures = { blame, noise, bytes, interval, bits, transfer };
