/** Which signals of a file are the 19 electrodes. */
import type { EdfFile } from '../files/edf/file';
import { DataError } from '../errors';
import { CHANNELS, channelOf, type Channel } from './montage';
import { splineWeights } from './spline';

/** The only ones that may be interpolated. */
const MIDLINE: readonly Channel[] = ['Fz', 'Pz'];

/** µV per unit. What has no unit is taken as µV: the z-score removes the scale. */
const MICROVOLTS: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['uv', 1],
  ['µv', 1],
  ['μv', 1],
  ['nv', 1e-3],
  ['mv', 1e3],
  ['v', 1e6],
]);

/** Rates that a recorder of EEG may have; others would be resampled into nonsense or into no memory. */
const LOWEST_RATE = 32;
const HIGHEST_RATE = 65_536;

/** A channel in µV as a weighted sum of signals of the file; a single term unless it is interpolated. */
export interface ChannelSource {
  readonly channel: Channel;
  readonly terms: readonly { readonly signal: number; readonly weight: number }[];
  /** Hz. */
  readonly rate: number;
  readonly interpolated: boolean;
}

/** The 19 channels in order. Throws DataError for a missing, doubled or unusable one. */
export function chooseChannels(file: EdfFile): ChannelSource[] {
  const found = new Map<Channel, number>();
  for (const [index, { label, calibrated }] of file.header.signals.entries()) {
    const channel = calibrated ? channelOf(label) : null;
    if (channel === null) continue;
    const other = found.get(channel);
    if (other !== undefined)
      throw new DataError(
        file.name,
        'labels',
        `${channel} is there twice, as signals ${other + 1} (${file.header.signals[other]?.label}) and ${index + 1} (${label}); which is meant cannot be known`,
      );
    found.set(channel, index);
  }
  const missing = CHANNELS.filter((channel) => !found.has(channel));
  if (missing.some((channel) => !MIDLINE.includes(channel)))
    throw new DataError(
      file.name,
      'labels',
      `${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing of the 19 electrodes; only Fz and Pz can be interpolated`,
    );
  const direct = new Map<Channel, ChannelSource>();
  for (const [channel, index] of found) direct.set(channel, directSource(file, channel, index));
  return CHANNELS.map((channel) => direct.get(channel) ?? interpolated(file, channel, missing, direct));
}

function directSource(file: EdfFile, channel: Channel, signal: number): ChannelSource {
  const { unit = '', rate = 0, label = '' } = file.header.signals[signal] ?? {};
  const weight = MICROVOLTS.get(unit.toLowerCase());
  if (weight === undefined)
    throw new DataError(file.name, `unit of signal ${signal + 1} (${label})`, `${unit} is no voltage`);
  if (!(rate >= LOWEST_RATE && rate <= HIGHEST_RATE))
    throw new DataError(
      file.name,
      `samples per record of signal ${signal + 1} (${label})`,
      `${rate} Hz is no rate of EEG (${LOWEST_RATE} to ${HIGHEST_RATE} Hz)`,
    );
  return { channel, terms: [{ signal, weight }], rate, interpolated: false };
}

function interpolated(
  file: EdfFile,
  channel: Channel,
  missing: readonly Channel[],
  direct: ReadonlyMap<Channel, ChannelSource>,
): ChannelSource {
  const rates = new Set([...direct.values()].map((source) => source.rate));
  const [rate = 0] = rates;
  if (rates.size > 1)
    throw new DataError(
      file.name,
      'samples per record',
      `${channel} is missing, and it cannot be interpolated from electrodes of different rates`,
    );
  const terms = [...splineWeights(channel, missing)].flatMap(([from, weight]) =>
    (direct.get(from)?.terms ?? []).map((term) => ({ signal: term.signal, weight: term.weight * weight })),
  );
  return { channel, terms, rate, interpolated: true };
}
