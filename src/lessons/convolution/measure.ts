import type { Tensor } from '../../engine/graph';
import { copyingRun, separatedSequences } from '../course/copying';
import { Lab, type Both } from '../course/lab';
import { scanAgain, scanValues, type ScanValues } from '../course/scan_values';
import type { Line, Measured, Measures, Settings } from '../course/step';
import { sequenceGraph } from '../loop/sequence';
import type { FromTokens } from '../mamba';
import { TokenOverrides } from '../overrides';
import { storedModel } from '../stored/copying';
import {
  averagedKernel,
  blend,
  blendBy,
  convolve,
  frozenKernel,
  matrixOf,
  meansOf,
  relativeError,
} from './blend';

const SEQUENCES = 16;
const LAMBDAS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1] as const;
const ONE_PERCENT = 0.01;

async function trainedValues(): Promise<ScanValues> {
  const { weights } = await storedModel('selective');
  return scanValues(copyingRun('selective'), weights, new Lab(undefined), separatedSequences(SEQUENCES));
}

/** The matrix of one channel of the first sequence: on the kernels, a scan for each unit vector. */
async function matrix(lab: Lab, settings: Settings): Promise<Measured> {
  const values = blend(await trainedValues(), blendBy(settings['lambda'] ?? 0));
  const channel = (settings['channel'] ?? 1) - 1;
  const { length, channels, states } = values;
  const unit = (from: Float32Array, width: number): Float32Array =>
    Float32Array.from({ length: length * length * width }, (_, i) => from[i % (length * width)] as number);
  const probes: ScanValues = {
    ...values,
    batch: length,
    u: Float32Array.from({ length: length * length * channels }, (_, i) => {
      const row = Math.floor(i / channels);
      return Math.floor(row / length) === row % length ? 1 : 0;
    }),
    delta: unit(values.delta, channels),
    B: unit(values.B, states),
    C: unit(values.C, states),
  };
  const { got } = await scanAgain(lab, probes);
  const measured = Array.from(
    { length: length * length },
    (_, at) => got[((at % length) * length + Math.floor(at / length)) * channels + channel] as number,
  );
  const reference = [...matrixOf(values, 0, channel)];
  return {
    answer: [1],
    facts: { lambda: settings['lambda'] ?? 0, defect: toeplitzDefect(reference, length) },
    matrix: { name: 'row', columns: length, values: measured, reference },
  };
}

/** ‖M − its diagonals’ means‖ / ‖M‖: 0 for a convolution. */
function toeplitzDefect(matrix: readonly number[], length: number): number {
  const means = Array.from({ length }, (_, lag) => {
    let sum = 0;
    for (let j = 0; j + lag < length; j++) sum += matrix[(j + lag) * length + j] as number;
    return sum / (length - lag);
  });
  return relativeError(
    matrix.map((value, at) => {
      const lag = Math.floor(at / length) - (at % length);
      return lag < 0 ? value : (means[lag] as number);
    }),
    matrix,
  );
}

interface Curve {
  readonly line: Line;
  /** λ at which the error is 1 %. */
  readonly crossing: number;
}

/** The error of the frozen kernel's convolution against the scan with selection `share`. */
async function errorAt(lab: Lab, values: ScanValues, kernel: Float64Array, share: number): Promise<Both> {
  const blended = blend(values, blendBy(share));
  const { got, want } = await scanAgain(lab, blended);
  const convolved = convolve(blended, kernel);
  return { got: [relativeError(convolved, got)], want: [relativeError(convolved, want)] };
}

async function errorCurve(lab: Lab): Promise<Curve> {
  const values = await trainedValues();
  const kernel = frozenKernel(values);
  const y: number[] = [];
  const reference: number[] = [];
  for (const [i, share] of LAMBDAS.entries()) {
    lab.progress(i / LAMBDAS.length);
    const { got, want } = await errorAt(lab, values, kernel, share);
    y.push(got[0] as number);
    reference.push(want[0] as number);
  }
  const above = y.findIndex((error) => error >= ONE_PERCENT);
  const [x0, x1] = [LAMBDAS[above - 1], LAMBDAS[above]].map((value) => Math.log(value as number)) as [
    number,
    number,
  ];
  const [y0, y1] = [y[above - 1], y[above]].map((value) => Math.log(value as number)) as [number, number];
  const crossing = Math.exp(x0 + ((Math.log(ONE_PERCENT) - y0) * (x1 - x0)) / (y1 - y0));
  return { line: { name: 'error', x: LAMBDAS, y, reference, strong: true }, crossing };
}

async function threshold(lab: Lab): Promise<Measured> {
  const { line, crossing } = await errorCurve(lab);
  const slope = Math.log((line.y[6] as number) / (line.y[0] as number)) / Math.log(100);
  return { answer: [crossing], facts: { crossing, slope, whole: line.y.at(-1) as number }, lines: [line] };
}

async function average(lab: Lab): Promise<Measured> {
  const values = await trainedValues();
  const { got, want } = await scanAgain(lab, values);
  const bars = [
    { name: 'λ = 0', kernel: frozenKernel(values) },
    { name: 'best', kernel: averagedKernel(values) },
  ].map(({ name, kernel }) => {
    const convolved = convolve(values, kernel);
    return {
      name,
      value: 100 * relativeError(convolved, got),
      reference: 100 * relativeError(convolved, want),
    };
  });
  const [frozen, best] = bars.map(({ value }) => value) as [number, number];
  return { answer: [best], facts: { frozen, best }, bars };
}

async function which(lab: Lab): Promise<Measured> {
  const values = await trainedValues();
  const kernel = frozenKernel(values);
  const names = ['delta', 'B', 'C'] as const;
  const bars = [];
  for (const name of names) {
    const blended = blend(values, { ...blendBy(0), [name]: 1 });
    const { got, want } = await scanAgain(lab, blended);
    const convolved = convolve(blended, kernel);
    bars.push({
      name: name === 'delta' ? 'Δ' : name,
      value: 100 * relativeError(convolved, got),
      reference: 100 * relativeError(convolved, want),
    });
  }
  const errors = bars.map(({ value }) => value);
  const best = errors.indexOf(Math.min(...errors));
  const [delta, B, C] = errors as [number, number, number];
  return { answer: [best], facts: { delta, B, C }, bars };
}

const TASK_LAMBDAS = [0, 0.25, 0.5, 0.75, 0.9, 1] as const;

/** Accuracy of the selective model with Δ, B and C pulled towards their means. */
async function price(lab: Lab): Promise<Measured> {
  const { weights } = await storedModel('selective');
  const run = copyingRun('selective');
  const sequences = separatedSequences(64);
  const batch = sequences.letters.length;
  const overrides = new TokenOverrides();
  const view = sequenceGraph(run, batch, overrides.edit);
  const plain = sequenceGraph(run, batch);
  const { delta, B, C } = (plain.layers[0] as (typeof plain.layers)[number]).scan;
  const plainFeed = new Map([
    [plain.tokens, sequences.tokens],
    [plain.targets, sequences.targets],
  ]);
  const valueOf = await new Lab(undefined).evaluate(plain.graph, plainFeed, weights, [delta, B, C]);
  const means = Object.entries({ delta, B, C }).map(
    ([name, tensor]) =>
      [name as keyof FromTokens, meansOf(valueOf(tensor).want, tensor.shape[2] as number)] as const,
  );
  const y: number[] = [];
  const reference: number[] = [];
  for (const [i, share] of TASK_LAMBDAS.entries()) {
    lab.progress(i / TASK_LAMBDAS.length);
    for (const [name, mean] of means) {
      const { keep, add } = overrides.values[name];
      keep.fill(share);
      add.forEach((_, j) => (add[j] = (1 - share) * (mean[j % mean.length] as number)));
    }
    const feed = new Map<Tensor, Float32Array | Uint32Array>(overrides.feed);
    feed.set(view.tokens, sequences.tokens).set(view.targets, sequences.targets);
    const { got, want } = (await lab.evaluate(view.graph, feed, weights, [view.correct]))(view.correct);
    y.push(100 * (got[0] as number));
    reference.push(100 * (want[0] as number));
  }
  return {
    answer: [y[0] as number],
    facts: { none: y[0] as number, half: y[2] as number, all: y.at(-1) as number },
    lines: [{ name: 'accuracy', x: TASK_LAMBDAS, y, reference, strong: true }],
  };
}

/** The error, in percent, at a fifth of the λ at which it is 1 %. */
async function transfer(lab: Lab): Promise<Measured> {
  const { line, crossing } = await errorCurve(lab);
  const values = await trainedValues();
  const { got } = await errorAt(lab, values, frozenKernel(values), crossing / 5);
  const error = 100 * (got[0] as number);
  return { answer: [error], facts: { error, crossing }, lines: [line] };
}

export const measures: Measures = { matrix, threshold, average, which, price, transfer };
