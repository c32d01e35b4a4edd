/**
 * The figures of the review that started this project (2025-01-19, estimates) beside what PyTorch's rules give for the same
 * batches, and in words why they differ: both are lines, so many bytes a window from so many at none.
 */
import { MIXERS } from '../../models/bimamba';
import { exactly, type Quantity } from '../../base/quantity';
import type { VramRun } from './options';
import { predictVram } from './predict';
import { replayRun } from './scenarios';

/** Decimal gigabytes, as the review writes them. */
const FIGURES = [
  { batch: 8, preset: 'configs/local/train', gigabytes: 6 },
  { batch: 16, preset: 'tusz_train, whose crash was of host RAM', gigabytes: 11 },
  { batch: 64, preset: 'configs/modal/train_a100', gigabytes: 40 },
] as const;

export interface ReviewRow {
  readonly batch: number;
  readonly preset: string;
  /** Bytes. */
  readonly review: Quantity;
  readonly prediction: Quantity;
  readonly explanation: string;
}

export interface ReviewTable {
  readonly rows: readonly ReviewRow[];
  /** Why the columns differ, in sentences. */
  readonly explanation: readonly string[];
}

interface Line {
  readonly perWindow: number;
  readonly atNone: number;
}

const [FIRST, , LAST] = FIGURES;

const lineOf = (bytes: (batch: number) => number): Line => {
  const perWindow = (bytes(LAST.batch) - bytes(FIRST.batch)) / (LAST.batch - FIRST.batch);
  return { perWindow, atNone: bytes(FIRST.batch) - perWindow * FIRST.batch };
};

const mb = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;
const gb = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;

/** `run`: its batch is replaced by the review's, its parts by one. */
export function reviewTable(run: VramRun): ReviewTable {
  const whole = { ...run, microBatches: 1 };
  const rows = FIGURES.map(({ batch, preset, gigabytes }): ReviewRow => {
    const review = exactly(gigabytes * 1e9, 'assumed', 'the review of 2025-01-19, an estimate');
    const prediction = predictVram({ ...whole, batch }).total;
    return { batch, preset, review, prediction, explanation: compared(review.likely, prediction) };
  });
  return { rows, explanation: explained(whole, rows) };
}

function compared(review: number, { low, likely, high }: Quantity): string {
  if (low <= review && review <= high) return 'The review’s figure lies within the predicted range.';
  const times = (larger: number, smaller: number): string => (larger / smaller).toFixed(1);
  return review > high
    ? `The review has ${times(review, likely)} times as much, ${gb(review - high)} above the highest prediction.`
    : `The prediction is ${times(likely, review)} times the review’s figure, ${gb(low - review)} above it at the least.`;
}

function explained(run: VramRun, rows: readonly ReviewRow[]): string[] {
  const at = (batch: number, column: 'review' | 'prediction'): number =>
    rows.find((row) => row.batch === batch)?.[column].likely ?? NaN;
  const review = lineOf((batch) => at(batch, 'review'));
  const ours = lineOf((batch) => at(batch, 'prediction'));
  const { savedPerWindow } = predictVram({ ...run, batch: FIRST.batch });
  const dearest = dearestBuild(run);
  const sentences = [
    `The review’s figures rise by ${mb(review.perWindow)} a window from ${gb(review.atNone)}; nobody measured them.`,
    `By PyTorch’s rules this run rises by ${mb(ours.perWindow)} a window from ${gb(ours.atNone)}; ${mb(savedPerWindow)} of each window’s are saved for the backward pass, which layer by layer can be looked up in the table of layers.`,
  ];
  if (review.perWindow > dearest.perWindow)
    sentences.push(
      `No build of this model needs as much as the review says: the dearest, ${dearest.name}, takes ${mb(dearest.perWindow)} a window.`,
    );
  sentences.push(
    review.perWindow > ours.perWindow
      ? `For the other ${mb(review.perWindow - ours.perWindow)} a window there is no tensor in this run.`
      : 'The review counted less than what is saved alone.',
  );
  return sentences;
}

/** Of both mixers, in fp32: every other choice takes less. */
function dearestBuild(run: VramRun): { readonly name: string; readonly perWindow: number } {
  const builds = MIXERS.map((mixer) => {
    const build = { ...run, mixer, precision: 'fp32', checkpointing: false, convKernel: 5 } as const;
    const { perWindow } = lineOf((batch) => replayRun({ ...build, batch }, 'likely').reserved);
    return { name: `${mixer === 'mamba2' ? 'Mamba-2' : 'the convolution mixer'} in fp32`, perWindow };
  });
  return builds.reduce((dearest, build) => (build.perWindow > dearest.perWindow ? build : dearest));
}
