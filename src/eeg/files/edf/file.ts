/** Recordings in EDF, EDF+ and BDF, read by slices. */
import type { ByteSource } from '../bytes';
import { DataError } from '../../errors';
import { FIXED_BYTES, headerLength, parseHeader, type EdfHeader, type EdfSignal } from './header';
import { parseTals, type Tals } from './tal';

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
      for await (const { record, lists } of bare.#tals(0, header.records))
        onsets.push(onsetOf(name, record, lists));
      const segments = toSegments(name, header, onsets, warnings);
      return new EdfFile(source, name, header, segments, warnings, onsets[0] ?? 0);
    }
    let startOffset = 0;
    try {
      startOffset = await bare.#onset(0);
      const last = header.records - 1;
      const late = last === 0 ? 0 : (await bare.#onset(last)) - startOffset - last * header.recordDuration;
      if (Math.abs(late) > toleranceOf(header))
        warnings.push(
          `${header.kind} promises no gaps, but the last record starts ${shown(late)} s ${late > 0 ? 'late' : 'early'} ` +
            'by its own time stamp; it is read as one stretch without gaps',
        );
    } catch (error) {
      // Without gaps the samples are right whatever the clock says.
      if (!(error instanceof DataError)) throw error;
      warnings.push(`${error.field}: ${error.problem}; the time stamps are not used`);
    }
    return new EdfFile(source, name, header, [whole], warnings, startOffset);
  }

  /** Seconds from the first sample to the end of the last, gaps included. */
  get duration(): number {
    const last = this.segments.at(-1);
    return last ? last.start + last.duration : 0;
  }

  /**
   * Annotations of EDF+ and BDF+, without those that only keep time, by onset; `damaged` counts those that could not be
   * read. Reads the file once.
   */
  async annotations(): Promise<{ readonly events: EdfAnnotation[]; readonly damaged: number }> {
    const events: EdfAnnotation[] = [];
    let damaged = 0;
    if (!this.header.signals.some((signal) => signal.isAnnotations)) return { events, damaged };
    for await (const { lists } of this.#tals(0, this.header.records))
      for (const list of lists) {
        damaged += list.damaged.length;
        for (const { onset, duration, texts } of list.tals)
          for (const text of texts)
            if (text !== '') events.push({ onset: onset - this.startOffset, duration, text });
      }
    events.sort((a, b) => a.onset - b.onset);
    return { events, damaged };
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
      const start = Math.max(0, from - segment.start);
      const end = Math.min(segment.duration, to - segment.start);
      if (start >= end) continue;
      const firstRecord = Math.floor(start / recordDuration);
      const records = Math.min(segment.records, Math.ceil(end / recordDuration)) - firstRecord;
      const small = recordBytes <= SLICE_BYTES;
      const whole = small
        ? await this.readRecords(segment.firstRecord + firstRecord, records, signals)
        : undefined;
      for (const [i, index] of signals.entries()) {
        const signal = this.#signal(index);
        const origin = firstRecord * signal.samplesPerRecord;
        const first = Math.ceil(start * signal.rate - 1e-6);
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
    if (signal.unreadable !== null)
      throw new DataError(this.name, `signal ${index + 1} (${signal.label})`, signal.unreadable);
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

  /** When a record starts by its own time stamp. Throws DataError where it has none. */
  async #onset(record: number): Promise<number> {
    for await (const { lists } of this.#tals(record, 1)) return onsetOf(this.name, record, lists);
    throw new RangeError(`there is no record ${record + 1}`);
  }

  /** The annotation lists of `records` records from `first` on, one for each annotation signal. */
  async *#tals(first: number, records: number): AsyncGenerator<{ record: number; lists: Tals[] }> {
    const { recordBytes, headerBytes, bytesPerSample, signals } = this.header;
    const places = signals.filter((signal) => signal.isAnnotations);
    const bulk = recordBytes <= SLICE_BYTES;
    const perSlice = bulk ? Math.floor(SLICE_BYTES / recordBytes) : 1;
    for (let done = 0; done < records; done += perSlice) {
      const count = Math.min(perSlice, records - done);
      const base = headerBytes + (first + done) * recordBytes;
      const slice = bulk ? await this.#source.read(base, count * recordBytes) : undefined;
      for (let i = 0; i < count; i++) {
        const lists: Tals[] = [];
        for (const { byteOffset, samplesPerRecord } of places) {
          const at = i * recordBytes + byteOffset;
          const length = samplesPerRecord * bytesPerSample;
          lists.push(
            parseTals(slice?.subarray(at, at + length) ?? (await this.#source.read(base + at, length))),
          );
        }
        yield { record: first + done + i, lists };
      }
    }
  }
}

/** The first list of the first annotation signal says when the record starts. */
function onsetOf(name: string, record: number, lists: readonly Tals[]): number {
  const stamp = lists.find(({ tals }) => tals[0]?.texts[0] === '')?.tals[0];
  if (!stamp)
    throw new DataError(
      name,
      `annotations of record ${record + 1}`,
      `they do not say when the record starts${lists[0]?.damaged[0] ? ` (${lists[0].damaged[0]})` : ''}`,
    );
  return stamp.onset;
}

/** Less than half a sample, in seconds, is no gap but rounding. */
function toleranceOf({ signals }: EdfHeader): number {
  let highest = 1;
  for (const { isAnnotations, rate } of signals) if (!isAnnotations) highest = Math.max(highest, rate);
  return 0.5 / highest;
}

const shown = (seconds: number): string => String(Number(Math.abs(seconds).toPrecision(3)));

/**
 * Records into stretches without gaps. Clocks drift and records overlap by a little in real files: less than half a record
 * is reported and read as if it fitted, so that a stretch is as long as its records. Throws DataError for more.
 */
function toSegments(
  name: string,
  header: EdfHeader,
  onsets: readonly number[],
  warnings: string[],
): EdfSegment[] {
  const { recordDuration } = header;
  const tolerance = toleranceOf(header);
  const origin = onsets[0] ?? 0;
  const segments: { start: number; duration: number; firstRecord: number; records: number }[] = [];
  let overlaps = 0;
  let drift = 0;
  for (const [i, onset] of onsets.entries()) {
    const current = segments.at(-1);
    const step = onset - ((onsets[i - 1] ?? -Infinity) + recordDuration);
    if (step < -recordDuration / 2 && current)
      throw new DataError(
        name,
        `annotations of record ${i + 1}`,
        `it starts at ${onset} s, before the record ahead of it ends`,
      );
    if (current && step <= tolerance) {
      if (step < -tolerance) overlaps++;
      current.records++;
      current.duration = current.records * recordDuration;
      drift = Math.max(drift, Math.abs(onset + recordDuration - origin - current.start - current.duration));
    } else {
      const end = current ? current.start + current.duration : 0;
      segments.push({
        start: Math.max(onset - origin, end),
        duration: recordDuration,
        firstRecord: i,
        records: 1,
      });
    }
  }
  if (overlaps > 0)
    warnings.push(
      `${overlaps} records start a little before the one ahead ends; they are read one after the other`,
    );
  else if (drift > Math.max(tolerance, recordDuration / 2))
    warnings.push(`the clock of the records drifts by ${shown(drift)} s; samples are counted instead`);
  return segments;
}
