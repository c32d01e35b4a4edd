/**
 * The memory that an incident's document claims for its configurations, beside what PyTorch's rules give for the same
 * batches, and in words why they differ: both are lines, so many bytes a window from so many at none.
 */
import { exactly, type Quantity } from '../../base/quantity';
import type { Incident } from '../../config/incidents';
import { MIXERS } from '../../models/bimamba';
import { incidentSettings } from '../incident';
import type { VramRun } from './options';
import { predictVram } from './predict';
import { replayRun } from './scenarios';

export interface ClaimRow {
  /** Path of the configuration. */
  readonly config: string;
  readonly batch: number;
  /** Bytes. */
  readonly claimed: Quantity;
  readonly prediction: Quantity;
  readonly explanation: string;
  /** What one should know of the claim. */
  readonly note?: string | undefined;
}

export interface ClaimTable {
  readonly source: string;
  /** By batch size; one row a configuration. */
  readonly rows: readonly ClaimRow[];
  /** Why the columns differ, in sentences. */
  readonly explanation: readonly string[];
}

/** Bytes as a line over the batch size. */
interface Line {
  readonly perWindow: number;
  readonly atNone: number;
}

type Point = readonly [batch: number, bytes: number];

const lineThrough = ([a, low]: Point, [b, high]: Point): Line => {
  const perWindow = (high - low) / (b - a);
  return { perWindow, atNone: low - perWindow * a };
};

const mb = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;
const gb = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;

/**
 * For the configuration that ran and those that were made from it, as far as the document claims their memory. `run`: its
 * batch size is replaced by the configuration's, and it passes in one part.
 */
export function claimTable(incident: Incident, run: VramRun): ClaimTable {
  const { before, after } = incident.review;
  const whole = { ...run, microBatches: 1 };
  const rows = [{ ...before, config: incident.config }, ...after]
    .flatMap(({ config, claimedGB, note }): ClaimRow[] => {
      if (claimedGB === undefined) return [];
      const { batch } = incidentSettings(incident, config).loader;
      const claimed = exactly(claimedGB * 1e9, 'assumed', `the ${incident.source}, an estimate`);
      const prediction = predictVram({ ...whole, batch }).total;
      return [
        { config, batch, claimed, prediction, note, explanation: compared(claimed.likely, prediction) },
      ];
    })
    .sort((a, b) => a.batch - b.batch);
  return { source: incident.source, rows, explanation: explained(whole, rows) };
}

function compared(claimed: number, { low, likely, high }: Quantity): string {
  if (low <= claimed && claimed <= high) return 'The claimed figure lies within the predicted range.';
  const times = (larger: number, smaller: number): string => (larger / smaller).toFixed(1);
  return claimed > high
    ? `The claim is ${times(claimed, likely)} times as much, ${gb(claimed - high)} above the highest prediction.`
    : `The prediction is ${times(likely, claimed)} times the claim, at least ${gb(low - claimed)} above it.`;
}

/** Nothing where the rows are of one batch size: then there is no line. */
function explained(run: VramRun, rows: readonly ClaimRow[]): string[] {
  const [first, last] = [rows[0], rows.at(-1)];
  if (!first || !last || first.batch === last.batch) return [];
  const line = (bytes: (row: ClaimRow) => number): Line =>
    lineThrough([first.batch, bytes(first)], [last.batch, bytes(last)]);
  const claimed = line((row) => row.claimed.likely);
  const predicted = line((row) => row.prediction.likely);
  const { savedPerWindow } = predictVram({ ...run, batch: first.batch });
  const largest = largestBuild(run, first.batch, last.batch);
  const more = mb(claimed.perWindow - predicted.perWindow);
  return [
    `The claimed figures rise by ${mb(claimed.perWindow)} per window from ${gb(claimed.atNone)}; nobody measured them.`,
    `By PyTorch’s rules this run rises by ${mb(predicted.perWindow)} per window from ${gb(predicted.atNone)}; ${mb(savedPerWindow)} of each window are activations saved for the backward pass (see the table of layers).`,
    ...(claimed.perWindow > largest.perWindow
      ? [
          `No build of this model needs as much as claimed: the largest, ${largest.name}, takes ${mb(largest.perWindow)} per window.`,
        ]
      : []),
    claimed.perWindow > predicted.perWindow
      ? `No tensor of this run accounts for the other ${more} per window.`
      : 'The claim is less than what is saved alone.',
  ];
}

/** Of both mixers, in fp32: every other choice takes less. Between two batch sizes. */
function largestBuild(
  run: VramRun,
  from: number,
  to: number,
): { readonly name: string; readonly perWindow: number } {
  const builds = MIXERS.map((mixer) => {
    const build = { ...run, mixer, precision: 'fp32', checkpointing: false, convKernel: 5 } as const;
    const at = (batch: number): Point => [batch, replayRun({ ...build, batch }, 'likely').reserved];
    const { perWindow } = lineThrough(at(from), at(to));
    return { name: `${mixer === 'mamba2' ? 'Mamba-2' : 'the convolution mixer'} in fp32`, perWindow };
  });
  return builds.reduce((largest, build) => (build.perWindow > largest.perWindow ? build : largest));
}
