/** Which signals of a file are the 19 electrodes. */
import type { EdfFile } from '../files/edf/file';
import { quoted } from '../../base/text';
import { DataError } from '../errors';
import { CHANNELS, channelOf, hasPosition, otherwiseReferenced, type Channel } from './montage';
import { splineWeights } from './spline';

/** The only ones that may be interpolated. */
const MIDLINE: readonly Channel[] = ['Fz', 'Pz'];

/**
 * µV per unit. The µ comes in several encodings: as Latin-1 (µ), as the two bytes of UTF-8 read as Latin-1 (Âµ, Î¼), as
 * Shift-JIS (byte 0x83 0xCA), or as a dot where an exporter did not know it.
 */
const MICROVOLTS: ReadonlyMap<string, number> = new Map([
  ['uv', 1],
  ['µv', 1],
  ['μv', 1],
  ['âµv', 1],
  ['î¼v', 1],
  ['\u0083\u00cav', 1],
  ['\u0083êv', 1],
  ['.v', 1],
  ['?v', 1],
  ['nv', 1e-3],
  ['mv', 1e3],
  ['v', 1e6],
]);

/** µV per unit as written, and whether that was a guess; the z-score removes the scale, so a guess costs little. */
export function microvoltsOf(unit: string): { readonly weight: number; readonly guessed: boolean } | null {
  const name = unit
    .toLowerCase()
    .replaceAll(' ', '')
    .replace(/\/bit$/, '');
  if (name === '') return { weight: 1, guessed: true };
  const weight = MICROVOLTS.get(name);
  return weight === undefined ? null : { weight, guessed: !/^[nuµm]?v$/.test(unit.toLowerCase().trim()) };
}

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

/** A recording without the 19 electrodes, such as one of bipolar differences: it can be looked at, but not detected in. */
export class MissingElectrodesError extends DataError {
  override name = 'MissingElectrodesError';
}

/**
 * What becomes of a missing Fz or Pz: `spline` interpolates it; `trainer` does what production does, whose interpolation
 * fails where any signal besides the 19 lacks a position in MNE's standard_1020, and leaves zeros.
 */
export const INTERPOLATIONS = ['spline', 'trainer'] as const;
export type Interpolation = (typeof INTERPOLATIONS)[number];

/** Signals for which production's interpolation of Fz and Pz fails; their labels. */
export const withoutPosition = (file: EdfFile): string[] =>
  file.header.signals
    .filter(({ label, isAnnotations }) => !isAnnotations && channelOf(label) === null && !hasPosition(label))
    .map(({ label }) => label);

/** The 19 channels in order. Throws DataError for a missing, doubled or unusable one. */
export function chooseChannels(file: EdfFile, interpolation: Interpolation = 'spline'): ChannelSource[] {
  const found = new Map<Channel, number>();
  const unreadable: string[] = [];
  for (const [index, signal] of file.header.signals.entries()) {
    const { label } = signal;
    const channel = channelOf(label);
    if (channel === null || signal.isAnnotations) continue;
    if (signal.unreadable !== null) {
      unreadable.push(`${label} cannot be read: ${signal.unreadable}`);
      continue;
    }
    const other = found.get(channel);
    if (other !== undefined)
      throw new DataError(
        file.name,
        'labels',
        `${channel} is there twice, as signals ${other + 1} (${file.header.signals[other]?.label}) and ${index + 1} (${label}); which is meant cannot be known`,
      );
    found.set(channel, index);
  }
  for (const [channel, index] of otherReferences(file)) if (!found.has(channel)) found.set(channel, index);
  const missing = CHANNELS.filter((channel) => !found.has(channel));
  if (missing.some((channel) => !MIDLINE.includes(channel)))
    throw new MissingElectrodesError(
      file.name,
      'labels',
      [
        missing.length === CHANNELS.length
          ? 'none of the 19 electrodes is there'
          : `${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing of the 19 electrodes; only Fz and Pz can be interpolated`,
        ...unreadable,
        `the file has ${listed(file.header.signals.filter((signal) => !signal.isAnnotations).map(({ label }) => label)) || 'no signals'}`,
      ].join('; '),
    );
  const direct = new Map<Channel, ChannelSource>();
  for (const [channel, index] of found) direct.set(channel, directSource(file, channel, index));
  const zeros = interpolation === 'trainer' && withoutPosition(file).length > 0;
  return CHANNELS.map(
    (channel) =>
      direct.get(channel) ?? (zeros ? silent(channel, direct) : interpolated(file, channel, missing, direct)),
  );
}

/** Signals of the 19 electrodes with a reference that the trainer does not know, where each is there once. */
function otherReferences({ header }: EdfFile): ReadonlyMap<Channel, number> {
  const found = new Map<Channel, number | null>();
  for (const [index, { label, isAnnotations, unreadable }] of header.signals.entries()) {
    const channel = isAnnotations || unreadable !== null ? null : otherwiseReferenced(label);
    if (channel !== null) found.set(channel, found.has(channel) ? null : index);
  }
  return new Map([...found].flatMap(([channel, index]) => (index === null ? [] : [[channel, index]])));
}

/** Signals that can be looked at as they are: readable, of a voltage and at a rate of EEG; at most so many. */
const MAX_VIEWED = 64;

/** Of a recording without the 19 electrodes, in the order of the file. */
export function viewedChannels(file: EdfFile): Omit<ChannelSource, 'channel'>[] {
  return file.header.signals
    .flatMap(({ isAnnotations, unreadable, unit, rate }, signal) => {
      const scale = isAnnotations || unreadable !== null ? null : microvoltsOf(unit);
      return scale && rate >= LOWEST_RATE && rate <= HIGHEST_RATE
        ? [{ terms: [{ signal, weight: scale.weight }], rate, interpolated: false }]
        : [];
    })
    .slice(0, MAX_VIEWED);
}

/** Names as a sentence shows them: bounded. */
function listed(names: readonly string[]): string {
  const shown = names.slice(0, 30).map((name) => quoted(name).slice(1, -1));
  return shown.join(', ') + (names.length > 30 ? ` and ${names.length - 30} more` : '');
}

function directSource(file: EdfFile, channel: Channel, signal: number): ChannelSource {
  const { unit = '', rate = 0, label = '' } = file.header.signals[signal] ?? {};
  const scale = microvoltsOf(unit);
  if (!scale)
    throw new DataError(
      file.name,
      `unit of signal ${signal + 1} (${label})`,
      `${quoted(unit)} is no voltage`,
    );
  if (!(rate >= LOWEST_RATE && rate <= HIGHEST_RATE))
    throw new DataError(
      file.name,
      `samples per record of signal ${signal + 1} (${label})`,
      `${rate} Hz is no rate of EEG (${LOWEST_RATE} to ${HIGHEST_RATE} Hz)`,
    );
  return { channel, terms: [{ signal, weight: scale.weight }], rate, interpolated: false };
}

/** Zeros, as long as the other channels. */
function silent(channel: Channel, direct: ReadonlyMap<Channel, ChannelSource>): ChannelSource {
  const [other] = direct.values();
  const terms = (other?.terms ?? []).map(({ signal }) => ({ signal, weight: 0 }));
  return { channel, terms, rate: other?.rate ?? 0, interpolated: true };
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
