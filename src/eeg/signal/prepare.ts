/** A whole recording through the signal path, in bounded memory, into blocks that windows are cut from. */
import type { EdfFile } from '../files/edf/file';
import { openEdf, type RecordingFiles, type RecordingInfo } from '../files/recording';
import { chooseChannels, type ChannelSource } from './channels';
import { CHANNELS } from './montage';
import { SignalPath } from './preprocess';
import { WINDOW } from '../windows/windows';

/** Samples of a block: a window touches two at most. */
export const BLOCK = WINDOW;

/** Bytes of raw samples that are held at once; the transforms of a pair of channels take about as much again. */
export const GROUP_BYTES = 256 << 20;

/** Bytes read from the file at once. */
const SLICE_BYTES = 4 << 20;

/** Channels that pass together: all 19 of an ordinary recording, pairs of one that lasts a day. */
export function channelGroups(samples: number, groupBytes = GROUP_BYTES): number[][] {
  const pairs = Math.max(1, Math.floor(groupBytes / (8 * samples)));
  const size = Math.min(CHANNELS.length, 2 * pairs);
  const groups: number[][] = [];
  for (let first = 0; first < CHANNELS.length; first += size)
    groups.push([...CHANNELS.keys()].slice(first, first + size));
  return groups;
}

/** Some channels of a block. */
export interface PreparedPart {
  readonly block: number;
  /** Indices of channels. */
  readonly group: readonly number[];
  /** [BLOCK, channels of the group]; what is behind the recording's end is 0. */
  readonly values: Float32Array;
}

/**
 * The whole recording through the signal path: for each of `groups` its blocks in order. The file is read once for each
 * group. Throws DataError.
 */
export async function* prepareRecording(
  files: RecordingFiles,
  info: Pick<RecordingInfo, 'segments' | 'samples'>,
  groups: readonly (readonly number[])[] = channelGroups(info.samples),
): AsyncGenerator<PreparedPart> {
  const file = await openEdf(files);
  for (const group of groups) yield* prepareGroup(file, info, group);
}

/** Puts a part [BLOCK, channels of the group] into its columns of a block [BLOCK, 19]. */
export function addPart(block: Float32Array, group: readonly number[], values: Float32Array): void {
  for (let i = 0; i < BLOCK; i++)
    for (const [column, channel] of group.entries())
      block[i * CHANNELS.length + channel] = values[i * group.length + column] as number;
}

async function* prepareGroup(
  file: EdfFile,
  { segments, samples }: Pick<RecordingInfo, 'segments' | 'samples'>,
  group: readonly number[],
): AsyncGenerator<PreparedPart> {
  const all = chooseChannels(file);
  const sources = group.flatMap((channel) => all[channel] ?? []);
  const raw = await readChannels(file, sources);
  const prepared: Float32Array[] = [];
  const paths = new Map<number, SignalPath>();
  const silence = file.segments.map(() => new Float32Array(0));
  // Pairs of one rate share a transform; an odd one out goes with silence of its own length.
  const left = [...sources.keys()];
  while (left.length > 0) {
    const a = left.shift() ?? 0;
    const rate = sources[a]?.rate ?? 0;
    const partner = left.findIndex((i) => sources[i]?.rate === rate);
    const b = partner < 0 ? undefined : left.splice(partner, 1)[0];
    const rawA = raw[a] ?? silence;
    const rawB = (b === undefined ? undefined : raw[b]) ?? rawA.map((part) => new Float32Array(part.length));
    const path =
      paths.get(rate) ??
      new SignalPath(
        rawA.map((part) => part.length),
        segments.map((segment) => segment.samples),
      );
    paths.set(rate, path);
    const [preparedA, preparedB] = path.prepare(rawA, rawB);
    prepared[a] = preparedA;
    raw[a] = [];
    if (b !== undefined) {
      prepared[b] = preparedB;
      raw[b] = [];
    }
  }
  const width = group.length;
  for (let block = 0; block * BLOCK < samples; block++) {
    const values = new Float32Array(BLOCK * width);
    const count = Math.min(BLOCK, samples - block * BLOCK);
    for (const [column, signal] of prepared.entries())
      for (let i = 0; i < count; i++) values[i * width + column] = signal[block * BLOCK + i] ?? 0;
    yield { block, group, values };
  }
}

/** Per source its segments in µV, as float32 like the trainer's reader gives them. */
async function readChannels(file: EdfFile, sources: readonly ChannelSource[]): Promise<Float32Array[][]> {
  const { recordBytes, signals } = file.header;
  const wanted = [...new Set(sources.flatMap(({ terms }) => terms.map((term) => term.signal)))];
  const perSlice = Math.max(1, Math.floor(SLICE_BYTES / recordBytes));
  const raw = sources.map((): Float32Array[] => []);
  for (const { firstRecord, records } of file.segments) {
    const parts = sources.map(({ terms }, i) => {
      const part = new Float32Array(records * (signals[terms[0]?.signal ?? -1]?.samplesPerRecord ?? 0));
      raw[i]?.push(part);
      return part;
    });
    for (let done = 0; done < records; done += perSlice) {
      const slice = await file.readRecords(firstRecord + done, Math.min(perSlice, records - done), wanted);
      for (const [i, { terms }] of sources.entries()) {
        const sum = new Float64Array(slice[wanted.indexOf(terms[0]?.signal ?? -1)]?.length ?? 0);
        for (const { signal, weight } of terms) {
          const values = slice[wanted.indexOf(signal)] ?? new Float32Array(0);
          for (let k = 0; k < sum.length; k++) sum[k] = (sum[k] ?? 0) + weight * (values[k] ?? 0);
        }
        parts[i]?.set(sum, (done * sum.length) / Math.min(perSlice, records - done));
      }
    }
  }
  return raw;
}
