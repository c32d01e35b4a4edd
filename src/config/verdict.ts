/**
 * Whether a run fits its machine, its deadline and its budget. The estimator decides it (estimate/forecast.ts); the rules, the
 * pages, the commands and the review show this one answer.
 */
import type { Quantity } from '../base/quantity';
import type { GpuId } from './gpus';
import type { Jobs } from './launches';

/** `borderline`: the likely value fits and the high one does not; or it is above what is asked for, where that is no limit. */
export type Fit = 'fits' | 'borderline' | "won't fit";

const ORDER: readonly Fit[] = ['fits', 'borderline', "won't fit"];

/** Whether a need stays within a limit of the same unit; a need without end fits no limit. */
export function fitOf({ likely, high }: Pick<Quantity, 'likely' | 'high'>, limit: number): Fit {
  const within = (value: number): boolean => value <= limit && value < Infinity;
  return within(high) ? 'fits' : within(likely) ? 'borderline' : "won't fit";
}

/** The verdict on a need beside what is asked for: more may be used, as long as the host has it, so it is borderline at worst. */
export const fitOfRequest = (fit: Fit): Fit => (fit === "won't fit" ? 'borderline' : fit);

/** The verdict on all of several needs; `fits` for none. */
export const worstFit = (fits: readonly Fit[]): Fit =>
  ORDER[Math.max(0, ...fits.map((fit) => ORDER.indexOf(fit)))] ?? 'fits';

export interface Judged {
  readonly fit: Fit;
  /** Memory in bytes, time in hours, cost in dollars. */
  readonly need: Quantity;
  /** Infinity where there is none. */
  readonly limit: number;
}

/** A need against a limit, which is Infinity where nothing is said. */
export const judge = (need: Quantity, limit = Infinity): Judged => ({ fit: fitOf(need, limit), need, limit });

/** System RAM. `need` is the higher of training and validation. */
export interface RamJudged extends Judged {
  readonly training: Judged;
  readonly validation: Judged;
  /** Share of `runs` simulated runs that are OOM-killed in training. */
  readonly oomShare: number;
  readonly runs: number;
}

type Numbered<C> = C extends string ? { readonly change: C; readonly value: number } : never;

/** One change with which what does not fit would fit, or what is slow would be faster. */
export type Remedy =
  | Numbered<'batch' | 'layers' | 'workers' | 'split'>
  /** Batch for system RAM, where there are no workers to do without. */
  | Numbered<'ram-batch'>
  /** GiB of system RAM. */
  | Numbered<'ram'>
  /** Workers with which an epoch, whose loader bounds it, takes so many hours. */
  | (Numbered<'loading'> & { readonly hours: number })
  /** Mixed precision, with which a run completes that does not. */
  | { readonly change: 'precision'; readonly value: true }
  /** The smallest GPU that holds the run; a rented GPU with which a run completes that does not. */
  | { readonly change: 'gpu'; readonly value: GpuId }
  | { readonly change: 'faster-gpu'; readonly value: GpuId };

export interface Verdict {
  /** The worst of all. */
  readonly fit: Fit;
  /** Near the limit a run needs less than `need`, because PyTorch’s allocator frees its cache before it gives up. */
  readonly gpu: Judged;
  readonly ram: RamJudged;
  /** Of the whole run, from early stopping to all epochs. */
  readonly time: Judged;
  /** Undefined where the price of an hour is not known. */
  readonly cost: Judged | undefined;
  readonly epochs: number;
  /** Hours of an epoch. */
  readonly epoch: Quantity;
  /** Hours of a launch before its first epoch. */
  readonly start: Quantity;
  /** Dollars an hour; undefined where the price list does not have the GPU. */
  readonly rate: Quantity | undefined;
  /** Of all epochs; undefined where no number of jobs completes the run. */
  readonly jobs: Jobs | undefined;
  /** Empty where everything fits, and no more workers would be faster. */
  readonly remedies: readonly Remedy[];
}

/** The remedy of a kind, where a verdict has it. */
export const remedyOf = <C extends Remedy['change']>(
  verdict: Verdict | undefined,
  change: C,
): Extract<Remedy, { readonly change: C }> | undefined =>
  verdict?.remedies.find((one): one is Extract<Remedy, { readonly change: C }> => one.change === change);
