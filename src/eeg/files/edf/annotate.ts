/**
 * A recording as EDF+ (https://www.edfplus.info/specs/edfplus.html) or BDF+ with annotations written in: a copy, byte by
 * byte, with one annotation signal more behind the others.
 */
import type { PredictedEvent } from '../../events/events';
import type { ByteSource } from '../bytes';
import type { EdfAnnotation, EdfFile } from './file';
import { FIXED_BYTES, MONTHS, SIGNAL_FIELDS, type EdfHeader } from './header';
import { annotationLists, latin1 } from './write';

/** A detected event as an annotation. */
export const detectedAnnotation = ({ start, end, confidence }: PredictedEvent): EdfAnnotation => ({
  onset: start,
  duration: end - start,
  text: `seizure (detected, confidence ${confidence.toFixed(2)})`,
});

/** Bytes of the copy that are made at once. */
const SLICE_BYTES = 1 << 20;

/**
 * The copy in pieces, in order. `source`: the bytes of `file`. Memory does not grow with the recording. Throws RangeError
 * where the source ends too early.
 */
export async function* withAnnotations(
  file: EdfFile,
  source: ByteSource,
  annotations: readonly EdfAnnotation[],
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const { header } = file;
  const { records, recordBytes, headerBytes, bytesPerSample } = header;
  const lists = annotationLists({
    starts: recordStarts(file),
    offset: file.startOffset,
    annotations,
    // The first annotation signal of a file keeps its time.
    keepsTime: !header.signals.some(({ isAnnotations }) => isAnnotations),
  });
  let longest = 1;
  for (const list of lists) longest = Math.max(longest, list.length);
  const samples = Math.ceil(longest / bytesPerSample);
  yield headerWith(header, await source.read(0, headerBytes), samples);
  const added = samples * bytesPerSample;
  const perSlice = Math.max(1, Math.floor(SLICE_BYTES / recordBytes));
  for (let done = 0; done < records; done += perSlice) {
    const count = Math.min(perSlice, records - done);
    const bytes = await source.read(headerBytes + done * recordBytes, count * recordBytes);
    const out = new Uint8Array(count * (recordBytes + added));
    for (let i = 0; i < count; i++) {
      const at = i * (recordBytes + added);
      out.set(bytes.subarray(i * recordBytes, (i + 1) * recordBytes), at);
      out.set(lists[done + i] ?? new Uint8Array(0), at + recordBytes);
    }
    yield out;
  }
}

/** When each record starts, in seconds from the first sample. */
function recordStarts({ header, segments }: EdfFile): number[] {
  const starts: number[] = [];
  for (const { start, records } of segments)
    for (let i = 0; i < records; i++) starts.push(start + i * header.recordDuration);
  return starts;
}

function headerWith(header: EdfHeader, old: Uint8Array, samples: number): Uint8Array<ArrayBuffer> {
  const count = header.signals.length;
  const isBdf = header.bytesPerSample === 3;
  const out = new Uint8Array(FIXED_BYTES * (count + 2)).fill(0x20);
  out.set(old.subarray(0, FIXED_BYTES));
  const write = (at: number, width: number, text: string): void =>
    out.set(latin1(text.slice(0, width).padEnd(width)), at);
  if (!header.kind.includes('+')) {
    write(8, 80, plusPatient(header.patient));
    write(88, 80, plusRecording(header));
    write(192, 44, isBdf ? 'BDF+C' : 'EDF+C');
  }
  write(184, 8, String(out.length));
  write(236, 8, String(header.records));
  write(252, 4, String(count + 1));
  const range = 2 ** (8 * header.bytesPerSample - 1);
  const own: Readonly<Record<(typeof SIGNAL_FIELDS)[number][0], string>> = {
    label: `${isBdf ? 'BDF' : 'EDF'} Annotations`,
    transducer: '',
    unit: '',
    physicalMinimum: '-1',
    physicalMaximum: '1',
    digitalMinimum: String(-range),
    digitalMaximum: String(range - 1),
    prefilter: '',
    samplesPerRecord: String(samples),
    reserved: '',
  };
  let [from, to] = [FIXED_BYTES, FIXED_BYTES];
  for (const [field, width] of SIGNAL_FIELDS) {
    out.set(old.subarray(from, from + width * count), to);
    write(to + width * count, width, own[field]);
    from += width * count;
    to += width * (count + 1);
  }
  return out;
}

/** EDF+ asks for code, sex, birth date and name; what a plain header says becomes the name. */
function plusPatient(patient: string): string {
  const parts = patient.split(/\s+/);
  if (parts.length >= 4 && /^[MFX]$/.test(parts[1] ?? '')) return patient;
  return `X X X ${patient.trim().replaceAll(/\s+/g, '_') || 'X'}`;
}

/** EDF+ asks for start date, hospital code, technician and equipment; what a plain header says becomes the equipment. */
function plusRecording({ recording, start }: EdfHeader): string {
  if (/^Startdate (X|\d{2}-[A-Z]{3}-\d{4}) \S+ \S+ \S+/.test(recording)) return recording;
  const date = start === null ? undefined : new Date(start);
  const day = date
    ? [String(date.getUTCDate()).padStart(2, '0'), MONTHS[date.getUTCMonth()], date.getUTCFullYear()].join(
        '-',
      )
    : 'X';
  const rest = recording.replace(/^Startdate \S+\s*/, '').trim();
  return `Startdate ${day} X X ${rest.replaceAll(/\s+/g, '_') || 'X'}`;
}
