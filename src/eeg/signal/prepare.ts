/** Preprocesses a whole recording, in bounded memory, into blocks that windows are cut from. */
import type { EdfFile, EdfSegment } from '../files/edf/file';
import { openEdf, type RecordingFiles, type RecordingInfo } from '../files/recording';
import { chooseChannels, type ChannelSource, type Interpolation } from './channels';
import { CHANNELS } from './montage';
import { prepareByStretches, Preprocessor, type Stretch } from './preprocess';
import { WINDOW } from '../windows/windows';

/** Samples of a block: a window touches two at most. */
export const BLOCK = WINDOW;

/** Bytes of raw samples that are held at once; the transforms of a pair of channels take about as much again. */
const GROUP_BYTES = 256 << 20;

/** Bytes read from the file at once. */
const SLICE_BYTES = 4 << 20;

/** Channels that pass together: all 19 of an ordinary recording, pairs of one that lasts a day. */
function channelGroups(samples: number, groupBytes = GROUP_BYTES): number[][] {
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

/** What preprocessing needs of a recording; `interpolation` is `spline` where it is left out. */
export type Prepared = Pick<RecordingInfo, 'segments' | 'samples' | 'resampled'> & {
  readonly interpolation?: Interpolation;
};

/** The groups in which a recording is prepared: one where it is short or need not be resampled. */
export const groupsOf = ({ samples, resampled }: Prepared, groupBytes = GROUP_BYTES): number[][] =>
  resampled ? channelGroups(samples, groupBytes) : [[...CHANNELS.keys()]];

/**
 * Preprocesses the whole recording: for each of `groupsOf(info)` its blocks in order. The file is read once for
 * each group; three times, in bounded memory, where it is long and need not be resampled. `turn` is called between slices
 * of the file and may throw. Throws DataError.
 */
export async function* prepareRecording(
  files: RecordingFiles,
  info: Prepared,
  turn: () => void = () => undefined,
  groupBytes = GROUP_BYTES,
): AsyncGenerator<PreparedPart> {
  const file = await openEdf(files);
  const groups = groupsOf(info, groupBytes);
  if (!info.resampled && channelGroups(info.samples, groupBytes).length > 1)
    yield* prepareInOrder(file, info, groups[0] ?? [], turn);
  else for (const group of groups) yield* prepareGroup(file, info, group, turn);
}

/** Of a long recording that need not be resampled. */
async function* prepareInOrder(
  file: EdfFile,
  { samples, interpolation }: Prepared,
  group: readonly number[],
  turn: () => void,
): AsyncGenerator<PreparedPart> {
  const sources = chooseChannels(file, interpolation);
  const width = sources.length;
  const read = async function* (): AsyncGenerator<Stretch> {
    for await (const { channels, done } of readStretches(file, sources)) {
      turn();
      yield { channels, first: done === 0 };
    }
  };
  let [at, values] = [0, new Float32Array(BLOCK * width)];
  for await (const channels of prepareByStretches(read, width)) {
    const count = channels[0]?.length ?? 0;
    for (let done = 0; done < count;) {
      const place = at % BLOCK;
      const length = Math.min(count - done, BLOCK - place);
      for (const [column, signal] of channels.entries())
        for (let i = 0; i < length; i++) values[(place + i) * width + column] = signal[done + i] ?? 0;
      done += length;
      at += length;
      if (at % BLOCK !== 0 && at < samples) continue;
      yield { block: Math.ceil(at / BLOCK) - 1, group, values };
      values = new Float32Array(BLOCK * width);
    }
  }
}

/** Puts a part [BLOCK, channels of the group] into its columns of a block [BLOCK, 19]. */
export function addPart(block: Float32Array, group: readonly number[], values: Float32Array): void {
  for (let i = 0; i < BLOCK; i++)
    for (const [column, channel] of group.entries())
      block[i * CHANNELS.length + channel] = values[i * group.length + column] as number;
}

async function* prepareGroup(
  file: EdfFile,
  { segments, samples, interpolation }: Prepared,
  group: readonly number[],
  turn: () => void,
): AsyncGenerator<PreparedPart> {
  const all = chooseChannels(file, interpolation);
  const sources = group.flatMap((channel) => all[channel] ?? []);
  const raw = await readChannels(file, sources, turn);
  const prepared: Float32Array[] = [];
  const paths = new Map<number, Preprocessor>();
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
      new Preprocessor(
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
async function readChannels(
  file: EdfFile,
  sources: readonly ChannelSource[],
  turn: () => void,
): Promise<Float32Array[][]> {
  const raw = sources.map((): Float32Array[] => []);
  for await (const { channels, done, segment } of readStretches(file, sources)) {
    turn();
    for (const [i, values] of channels.entries()) {
      const all = raw[i] ?? [];
      if (done === 0) all.push(new Float32Array(segment.records * perRecord(file, sources[i])));
      all.at(-1)?.set(values, done * perRecord(file, sources[i]));
    }
  }
  return raw;
}

const perRecord = (file: EdfFile, source: ChannelSource | undefined): number =>
  file.header.signals[source?.terms[0]?.signal ?? -1]?.samplesPerRecord ?? 0;

/** The file in slices of whole records: per source its samples in µV. `done`: records of the segment that came before. */
async function* readStretches(
  file: EdfFile,
  sources: readonly ChannelSource[],
): AsyncGenerator<{ channels: Float32Array[]; done: number; segment: EdfSegment }> {
  const wanted = [...new Set(sources.flatMap(({ terms }) => terms.map((term) => term.signal)))];
  const perSlice = Math.max(1, Math.floor(SLICE_BYTES / file.header.recordBytes));
  for (const segment of file.segments)
    for (let done = 0; done < segment.records; done += perSlice) {
      const records = Math.min(perSlice, segment.records - done);
      const slice = await file.readRecords(segment.firstRecord + done, records, wanted);
      const channels = sources.map(({ terms }) => {
        const sum = new Float64Array(slice[wanted.indexOf(terms[0]?.signal ?? -1)]?.length ?? 0);
        for (const { signal, weight } of terms) {
          const values = slice[wanted.indexOf(signal)] ?? new Float32Array(0);
          for (let k = 0; k < sum.length; k++) sum[k] = (sum[k] ?? 0) + weight * (values[k] ?? 0);
        }
        return new Float32Array(sum);
      });
      yield { channels, done, segment };
    }
}
