/** Stretches of a recording to look at: its channels as recorded, on one grid of time. */
import type { EdfFile } from './edf/file';
import { openEdf, sourcesOf, type RecordingFiles } from './recording';
import type { ChannelSource } from '../signal/channels';

/** Channels of a stretch of a recording in µV, as recorded; gaps are NaN. */
export interface SignalPage {
  /** Seconds from the first sample of the recording to the first of the page. */
  readonly start: number;
  /** Hz, of all channels: the highest that one of them was recorded with. */
  readonly rate: number;
  readonly channels: readonly Float32Array[];
  /** Names of the channels where they are not the 19 electrodes; null where they are. */
  readonly labels: readonly string[] | null;
}

interface Opened {
  readonly edf: EdfFile;
  readonly sources: readonly Omit<ChannelSource, 'channel'>[];
  readonly labels: readonly string[] | null;
}

/** Keeps the last recording open: to open one with gaps reads the times of all its records. */
export class PageReader {
  #files: RecordingFiles | undefined;
  #opened: Promise<Opened> | undefined;

  /** Reads `seconds` from `start`, kilobytes of the file. Throws DataError for what cannot be read. */
  async read(files: RecordingFiles, start: number, seconds: number): Promise<SignalPage> {
    const { edf, sources, labels } = await this.#open(files);
    const wanted = [...new Set(sources.flatMap(({ terms }) => terms.map(({ signal }) => signal)))];
    const rate = Math.max(...sources.map((source) => source.rate));
    // A sample before and after, between which slower channels are interpolated.
    const margin = 2 / Math.min(...sources.map((source) => source.rate));
    const pieces = await edf.view(wanted, start - margin, start + seconds + margin);
    const channels = sources.map((source) => {
      const out = new Float32Array(Math.ceil(seconds * rate)).fill(NaN);
      for (const { signal, weight } of source.terms)
        for (const piece of pieces[wanted.indexOf(signal)] ?? []) {
          const first = Math.max(0, Math.round((piece.start - start) * rate));
          const end = piece.start + piece.values.length / source.rate;
          const last = Math.min(out.length, Math.round((end - start) * rate));
          for (let i = first; i < last; i++) {
            const at = (i / rate + start - piece.start) * source.rate;
            const value =
              weight * (source.rate === rate ? nearest(piece.values, at) : linear(piece.values, at));
            out[i] = (Number.isNaN(out[i]) ? 0 : (out[i] as number)) + value;
          }
        }
      return out;
    });
    return { start, rate, channels, labels };
  }

  #open(files: RecordingFiles): Promise<Opened> {
    if (this.#opened && this.#files === files) return this.#opened;
    const opened = openEdf(files).then((edf) => {
      const { sources, unusable } = sourcesOf(edf);
      const labelOf = ({ terms }: Pick<ChannelSource, 'terms'>): string =>
        edf.header.signals[terms[0]?.signal ?? -1]?.label ?? '';
      return { edf, sources, labels: unusable === null ? null : sources.map(labelOf) };
    });
    [this.#files, this.#opened] = [files, opened];
    // A file that could not be read is tried again when it is asked for again.
    opened.catch(() => this.#opened === opened && (this.#opened = undefined));
    return opened;
  }
}

const within = (values: Float32Array, at: number): number =>
  values[Math.min(values.length - 1, Math.max(0, at))] ?? NaN;

const nearest = (values: Float32Array, at: number): number => within(values, Math.round(at));

function linear(values: Float32Array, at: number): number {
  const left = Math.floor(at);
  return within(values, left) + (at - left) * (within(values, left + 1) - within(values, left));
}
