/** What readers of EEG look at: differences of the 19 electrodes. */
import { CHANNELS, type Channel } from '../../../data/signal/montage';

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

/** EEG is shown with slow drifts removed: a first-order high-pass at `cutoff` Hz, started at the first value. */
export function highPass(values: Float32Array, rate: number, cutoff: number): Float32Array {
  const keep = 1 / (1 + (2 * Math.PI * cutoff) / rate);
  let [before, filtered] = [NaN, 0];
  return values.map((value) => {
    if (Number.isNaN(value)) return value;
    filtered = Number.isNaN(before) ? 0 : keep * (filtered + value - before);
    before = value;
    return filtered;
  });
}
