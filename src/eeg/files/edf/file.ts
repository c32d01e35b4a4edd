/** Recordings in EDF, EDF+ and BDF, read by slices. */
import type { ByteSource } from '../bytes';
import { DataError } from '../../errors';
import { FIXED_BYTES, headerLength, parseHeader, type EdfHeader, type EdfSignal } from './header';
import { parseTals, type Tal } from './tal';

/** Records without a gap between them. Everything but EDF+D and BDF+D is one segment. */
export interface EdfSegment {
  /** Seconds from the first sample of the file to the first of the segment. */
  readonly start: number;
  /** Seconds. */
  readonly duration: number;
  readonly firstRecord: number;
  readonly records: number;
}

export interface EdfAnnotation {
  /** Seconds from the first sample of the file. */
  readonly onset: number;
  /** Seconds; null where none is given. */
  readonly duration: number | null;
  readonly text: string;
}

/** Samples of one signal, in its own rate. */
export interface Piece {
  /** Seconds from the first sample of the file to `values[0]`. */
  readonly start: number;
  /** In the signal's unit. */
  readonly values: Float32Array;
}

/** How much is read at once; small beside a recording, large beside the cost of a call. */
const SLICE_BYTES = 1 << 20;

export class EdfFile {
  readonly #source: ByteSource;

  private constructor(
    source: ByteSource,
    /** As the person knows it, for messages. */
    readonly name: string,
    readonly header: EdfHeader,
    readonly segments: readonly EdfSegment[],
    readonly warnings: readonly string[],
    /** Seconds between the start time of the header and the first sample. */
    readonly startOffset: number,
  ) {
    this.#source = source;
  }

  /** Reads the header, and of EDF+D the times of all records. Throws DataError for what is no readable recording. */
  static async open(source: ByteSource, name: string): Promise<EdfFile> {
    if (source.size < FIXED_BYTES)
      throw new DataError(name, 'header', `the file has ${source.size} bytes, an EDF header at least 256`);
    const length = headerLength(name, await source.read(0, FIXED_BYTES));
    if (source.size < length)
      throw new DataError(name, 'header', `the file ends within it, after ${source.size} of ${length} bytes`);
    const header = parseHeader(name, await source.read(0, length), source.size);
    const warnings = [...header.warnings];
    const whole: EdfSegment = {
      start: 0,
      duration: header.records * header.recordDuration,
      firstRecord: 0,
      records: header.records,
    };
    const bare = new EdfFile(source, name, header, [whole], warnings, 0);
    if (!header.signals.some((signal) => signal.isAnnotations)) return bare;

    if (header.kind.endsWith('D')) {
      const onsets: number[] = [];
      for await (const { record, tals } of bare.#tals(header.records))
        onsets.push(onsetOf(name, record, tals));
      const segments = toSegments(name, header, onsets);
      return new EdfFile(source, name, header, segments, warnings, onsets[0] ?? 0);
    }
    let startOffset = 0;
    try {
      for await (const { record, tals } of bare.#tals(1)) startOffset = onsetOf(name, record, tals);
    } catch (error) {
      // Without gaps the samples are right whatever the clock says.
      if (!(error instanceof DataError)) throw error;
      warnings.push(
        `${error.field}: ${error.problem}; the recording is taken to start with its header's time`,
      );
    }
    return new EdfFile(source, name, header, [whole], warnings, startOffset);
  }

  /** Seconds from the first sample to the end of the last, gaps included. */
  get duration(): number {
    const last = this.segments.at(-1);
    return last ? last.start + last.duration : 0;
  }

  /** Annotations of EDF+ and BDF+, without those that only keep time, by onset. Reads the file once. Throws DataError. */
  async annotations(): Promise<EdfAnnotation[]> {
    const found: EdfAnnotation[] = [];
    if (!this.header.signals.some((signal) => signal.isAnnotations)) return found;
    for await (const { tals } of this.#tals(this.header.records))
      for (const { onset, duration, texts } of tals)
        for (const text of texts)
          if (text !== '') found.push({ onset: onset - this.startOffset, duration, text });
    return found.sort((a, b) => a.onset - b.onset);
  }

  /**
   * Whole records, decoded: for each signal asked for its samples in physical units, [records · samplesPerRecord].
   * At most about a mebibyte of the file is held besides the result. Throws DataError for signals without calibration.
   */
  async readRecords(first: number, records: number, signals: readonly number[]): Promise<Float32Array[]> {
    const { recordBytes, headerBytes } = this.header;
    const wanted = signals.map((index) => this.#signal(index));
    const out = wanted.map((signal) => new Float32Array(records * signal.samplesPerRecord));
    const perSlice = Math.max(1, Math.floor(SLICE_BYTES / recordBytes));
    for (let done = 0; done < records; done += perSlice) {
      const count = Math.min(perSlice, records - done);
      const base = headerBytes + (first + done) * recordBytes;
      if (recordBytes > SLICE_BYTES) {
        for (const [i, signal] of wanted.entries()) {
          const at = done * signal.samplesPerRecord;
          await this.#decode(
            signal,
            base + signal.byteOffset,
            out[i]?.subarray(at, at + signal.samplesPerRecord),
          );
        }
        continue;
      }
      const bytes = await this.#source.read(base, count * recordBytes);
      for (const [i, signal] of wanted.entries())
        for (let record = 0; record < count; record++)
          this.#convert(
            signal,
            bytes,
            record * recordBytes + signal.byteOffset,
            out[i],
            (done + record) * signal.samplesPerRecord,
            signal.samplesPerRecord,
          );
    }
    return out;
  }

  /**
   * What a view of [from, to) seconds shows: per signal asked for, the pieces between gaps. Reads the records in view, or
   * of huge records only the samples in view. Throws DataError for signals without calibration.
   */
  async view(signals: readonly number[], from: number, to: number): Promise<Piece[][]> {
    const { recordBytes, recordDuration, headerBytes, bytesPerSample } = this.header;
    const pieces: Piece[][] = signals.map(() => []);
    for (const segment of this.segments) {
      const begin = Math.max(0, from - segment.start);
      const end = Math.min(segment.duration, to - segment.start);
      if (begin >= end) continue;
      const firstRecord = Math.floor(begin / recordDuration);
      const records = Math.min(segment.records, Math.ceil(end / recordDuration)) - firstRecord;
      const small = recordBytes <= SLICE_BYTES;
      const whole = small
        ? await this.readRecords(segment.firstRecord + firstRecord, records, signals)
        : undefined;
      for (const [i, index] of signals.entries()) {
        const signal = this.#signal(index);
        const origin = firstRecord * signal.samplesPerRecord;
        const first = Math.ceil(begin * signal.rate - 1e-6);
        const last = Math.min(Math.ceil(end * signal.rate - 1e-6), segment.records * signal.samplesPerRecord);
        if (first >= last) continue;
        let values = whole?.[i]?.subarray(first - origin, last - origin);
        if (!values) {
          values = new Float32Array(last - first);
          for (let at = first; at < last;) {
            const record = Math.floor(at / signal.samplesPerRecord);
            const within = at - record * signal.samplesPerRecord;
            const count = Math.min(last - at, signal.samplesPerRecord - within);
            const byte =
              headerBytes +
              (segment.firstRecord + record) * recordBytes +
              signal.byteOffset +
              within * bytesPerSample;
            await this.#decode(signal, byte, values.subarray(at - first, at - first + count));
            at += count;
          }
        }
        pieces[i]?.push({ start: segment.start + first / signal.rate, values });
      }
    }
    return pieces;
  }

  #signal(index: number): EdfSignal {
    const signal = this.header.signals[index];
    if (!signal) throw new RangeError(`${this.name} has no signal ${index + 1}`);
    if (!signal.calibrated)
      throw new DataError(
        this.name,
        `physical range of signal ${index + 1} (${signal.label})`,
        'minimum and maximum are equal, so its samples have no physical meaning',
      );
    return signal;
  }

  async #decode(signal: EdfSignal, offset: number, out: Float32Array | undefined): Promise<void> {
    if (!out) return;
    const bytes = await this.#source.read(offset, out.length * this.header.bytesPerSample);
    this.#convert(signal, bytes, 0, out, 0, out.length);
  }

  /** Little-endian two's complement → physical, computed in float64 and rounded once to float32. */
  #convert(
    { gain, offset }: EdfSignal,
    bytes: Uint8Array,
    from: number,
    out: Float32Array | undefined,
    to: number,
    count: number,
  ): void {
    if (!out) return;
    if (this.header.bytesPerSample === 2) {
      for (let i = 0, at = from; i < count; i++, at += 2) {
        const digital = (((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8)) << 16) >> 16;
        out[to + i] = gain * digital + offset;
      }
      return;
    }
    for (let i = 0, at = from; i < count; i++, at += 3) {
      const digital =
        (((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16)) << 8) >> 8;
      out[to + i] = gain * digital + offset;
    }
  }

  /** The annotation lists of the first `records` records; those of several annotation signals together. */
  async *#tals(records: number): AsyncGenerator<{ record: number; tals: Tal[] }> {
    const { recordBytes, headerBytes, bytesPerSample, signals } = this.header;
    const lists = signals.filter((signal) => signal.isAnnotations);
    const bulk = recordBytes <= SLICE_BYTES;
    const perSlice = bulk ? Math.floor(SLICE_BYTES / recordBytes) : 1;
    for (let first = 0; first < records; first += perSlice) {
      const count = Math.min(perSlice, records - first);
      const base = headerBytes + first * recordBytes;
      const slice = bulk ? await this.#source.read(base, count * recordBytes) : undefined;
      for (let i = 0; i < count; i++) {
        const tals: Tal[] = [];
        for (const { byteOffset, samplesPerRecord } of lists) {
          const at = i * recordBytes + byteOffset;
          const length = samplesPerRecord * bytesPerSample;
          const bytes = slice?.subarray(at, at + length) ?? (await this.#source.read(base + at, length));
          try {
            tals.push(...parseTals(bytes));
          } catch (error) {
            if (!(error instanceof SyntaxError)) throw error;
            throw new DataError(this.name, `annotations of record ${first + i + 1}`, error.message);
          }
        }
        yield { record: first + i, tals };
      }
    }
  }
}

function onsetOf(name: string, record: number, tals: readonly Tal[]): number {
  const [first] = tals;
  if (!first || first.texts[0] !== '')
    throw new DataError(
      name,
      `annotations of record ${record + 1}`,
      'they do not say when the record starts',
    );
  return first.onset;
}

function toSegments(name: string, header: EdfHeader, onsets: readonly number[]): EdfSegment[] {
  const { recordDuration, signals } = header;
  const highest = Math.max(...signals.filter((s) => !s.isAnnotations).map((s) => s.rate), 1);
  const tolerance = 0.5 / highest; // less than half a sample is no gap but rounding
  const origin = onsets[0] ?? 0;
  const starts: number[] = [];
  for (const [i, onset] of onsets.entries()) {
    const gap = onset - ((onsets[i - 1] ?? -Infinity) + recordDuration);
    if (gap < -tolerance)
      throw new DataError(
        name,
        `annotations of record ${i + 1}`,
        `it starts at ${onset} s, before the record ahead of it ends`,
      );
    if (gap > tolerance) starts.push(i);
  }
  return starts.map((firstRecord, i) => {
    const records = (starts[i + 1] ?? onsets.length) - firstRecord;
    return {
      start: (onsets[firstRecord] ?? 0) - origin,
      duration: records * recordDuration,
      firstRecord,
      records,
    };
  });
}
