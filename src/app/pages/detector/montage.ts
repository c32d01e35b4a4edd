/** What readers of EEG look at: differences of the 19 electrodes. */
import { applyFilter, butterworthBandPass, notch } from '../../../eeg/signal/filters';
import { CHANNELS, type Channel } from '../../../eeg/signal/montage';

export const MONTAGES = ['bipolar', 'referential', 'average'] as const;
export type MontageName = (typeof MONTAGES)[number];

export interface Trace {
  readonly label: string;
  /** µV; NaN in gaps. */
  readonly values: Float32Array;
}

/** The longitudinal bipolar montage: left temporal, right temporal, left parasagittal, right parasagittal, midline. */
const CHAINS: readonly (readonly Channel[])[] = [
  ['Fp1', 'F7', 'T3', 'T5', 'O1'],
  ['Fp2', 'F8', 'T4', 'T6', 'O2'],
  ['Fp1', 'F3', 'C3', 'P3', 'O1'],
  ['Fp2', 'F4', 'C4', 'P4', 'O2'],
  ['Fz', 'Cz', 'Pz'],
];

/** `channels`: the 19 in the order of CHANNELS. */
export function applyMontage(name: MontageName, channels: readonly Float32Array[]): Trace[] {
  const of = (channel: Channel): Float32Array => channels[CHANNELS.indexOf(channel)] ?? new Float32Array();
  if (name === 'referential') return CHANNELS.map((label) => ({ label, values: of(label) }));
  if (name === 'bipolar')
    return CHAINS.flatMap((chain) =>
      chain.slice(1).map((second, i) => {
        const first = chain[i] as Channel;
        const reference = of(second);
        return {
          label: `${first}–${second}`,
          values: of(first).map((value, at) => value - (reference[at] as number)),
        };
      }),
    );
  const mean = new Float32Array(channels[0]?.length ?? 0);
  for (const values of channels)
    values.forEach((value, i) => (mean[i] = (mean[i] as number) + value / channels.length));
  return CHANNELS.map((label) => ({
    label: `${label}–avg`,
    values: of(label).map((value, i) => value - (mean[i] as number)),
  }));
}

export interface DisplayFilter {
  /** Hz; 0 leaves it out. */
  readonly high: number;
  readonly low: number;
  readonly notch: number;
}

/** Seconds in which a filter's start dies away. */
export const LEAD_IN = 4;

/**
 * First-order high-pass and low-pass (Butterworth) and a notch of Q 30. Each stretch between gaps goes on its own and starts
 * at its first value.
 */
export function displayFilter(
  values: Float32Array,
  rate: number,
  { high, low, notch: line }: DisplayFilter,
): Float32Array {
  const out = values.slice();
  for (let from = 0; from < out.length;) {
    if (Number.isNaN(out[from])) {
      from++;
      continue;
    }
    let to = from;
    while (to < out.length && !Number.isNaN(out[to])) to++;
    const offset = out[from] as number;
    const part = Float64Array.from(out.subarray(from, to), (value) => (high > 0 ? value - offset : value));
    if (low > 0 && low < rate / 2) applyFilter(butterworthBandPass(1, Math.max(high, 0.05), low, rate), part);
    else if (high > 0) highPass(part, rate, high);
    if (line > 0 && line < rate / 2) applyFilter(notch(line, 30, rate), part);
    out.set(part, from);
    from = to;
  }
  return out;
}

/** First order, in place; started at rest. */
function highPass(values: Float64Array, rate: number, cutoff: number): void {
  const keep = 1 / (1 + (2 * Math.PI * cutoff) / rate);
  let [before, filtered] = [values[0] ?? 0, 0];
  values.forEach((value, i) => {
    filtered = keep * (filtered + value - before);
    before = value;
    values[i] = filtered;
  });
}
