/** Writes EDF, EDF+ and BDF files; see header.ts for the specifications. */
import type { EdfAnnotation } from './file';
import { FIXED_BYTES, type EdfKind } from './header';

export interface SignalToWrite {
  readonly label: string;
  readonly unit: string;
  /** Hz; times the record's duration it must be whole. */
  readonly rate: number;
  /** Values beyond the physical range are written as its ends. Each limit must fit eight characters. */
  readonly physicalMinimum: number;
  readonly physicalMaximum: number;
  /** The format's whole range where left out. */
  readonly digitalMinimum?: number;
  readonly digitalMaximum?: number;
  readonly transducer?: string;
  readonly prefilter?: string;
  /** In `unit`; a whole number of records. */
  readonly values: ArrayLike<number>;
}

export interface EdfToWrite {
  readonly kind: EdfKind;
  readonly patient?: string;
  readonly recording?: string;
  /** Milliseconds since 1970 as if UTC; fractions of a second need EDF+. */
  readonly start?: number;
  /** Seconds. */
  readonly recordDuration: number;
  readonly signals: readonly SignalToWrite[];
  /** Seconds from the first sample to each record; for the kinds with gaps. */
  readonly recordStarts?: readonly number[];
  /** Needs EDF+ or BDF+. */
  readonly annotations?: readonly EdfAnnotation[];
}

/** The bytes of a file. Throws RangeError for what the format cannot hold. */
export function writeEdf(file: EdfToWrite): Uint8Array<ArrayBuffer> {
  const isBdf = file.kind.startsWith('B');
  const bytesPerSample = isBdf ? 3 : 2;
  const isPlus = file.kind.includes('+');
  const perRecord = file.signals.map(({ rate, label }) => {
    const samples = rate * file.recordDuration;
    if (!Number.isInteger(samples) || samples < 1)
      throw new RangeError(
        `${label}: ${rate} Hz gives no whole number of samples in ${file.recordDuration} s`,
      );
    return samples;
  });
  const records = countRecords(file, perRecord);
  if (!isPlus && ((file.annotations?.length ?? 0) > 0 || (file.start ?? 0) % 1000 !== 0))
    throw new RangeError(
      `${file.kind} holds no annotations and no fractions of a second; write ${file.kind}+C`,
    );
  const lists = isPlus
    ? annotationLists({
        starts: file.recordStarts ?? Array.from({ length: records }, (_, i) => i * file.recordDuration),
        offset: ((file.start ?? 0) % 1000) / 1000,
        annotations: file.annotations ?? [],
        keepsTime: true,
      })
    : [];
  const listSamples = Math.ceil(
    lists.reduce((longest, { length }) => Math.max(longest, length), 0) / bytesPerSample,
  );

  const range = 2 ** (8 * bytesPerSample - 1);
  const signals = file.signals.map((signal, i) => ({
    digitalMinimum: -range,
    digitalMaximum: range - 1,
    transducer: '',
    prefilter: '',
    ...signal,
    samples: perRecord[i] ?? 0,
  }));
  const columns = [
    ...signals,
    ...(isPlus
      ? [
          {
            label: `${isBdf ? 'BDF' : 'EDF'} Annotations`,
            transducer: '',
            unit: '',
            physicalMinimum: -1,
            physicalMaximum: 1,
            digitalMinimum: -range,
            digitalMaximum: range - 1,
            prefilter: '',
            samples: listSamples,
          },
        ]
      : []),
  ];
  const headerBytes = FIXED_BYTES * (columns.length + 1);
  const recordBytes = bytesPerSample * columns.reduce((sum, { samples }) => sum + samples, 0);
  const out = new Uint8Array(headerBytes + records * recordBytes);
  out.set(latin1(headerText(file, columns.length, headerBytes, records)), 0);
  const fields = [
    columns.map((c) => fixed(c.label, 16)),
    columns.map((c) => fixed(c.transducer, 80)),
    columns.map((c) => fixed(c.unit, 8)),
    columns.map((c) => fixed(decimal(c.physicalMinimum), 8)),
    columns.map((c) => fixed(decimal(c.physicalMaximum), 8)),
    columns.map((c) => fixed(String(c.digitalMinimum), 8)),
    columns.map((c) => fixed(String(c.digitalMaximum), 8)),
    columns.map((c) => fixed(c.prefilter, 80)),
    columns.map((c) => fixed(String(c.samples), 8)),
    columns.map(() => fixed('', 32)),
  ];
  out.set(latin1(fields.flat().join('')), FIXED_BYTES);
  if (isBdf) out[0] = 0xff;

  let offset = headerBytes;
  for (const signal of signals) {
    writeSamples(out, offset, recordBytes, records, bytesPerSample, signal);
    offset += signal.samples * bytesPerSample;
  }
  for (const [record, list] of lists.entries()) out.set(list, offset + record * recordBytes);
  return out;
}

function countRecords({ signals, recordStarts, kind }: EdfToWrite, perRecord: readonly number[]): number {
  const [first] = signals;
  if (!first) throw new RangeError('a recording needs a signal');
  const records = first.values.length / (perRecord[0] ?? 1);
  for (const [i, { values, label }] of signals.entries())
    if (values.length !== records * (perRecord[i] ?? 0) || !Number.isInteger(records) || records < 1)
      throw new RangeError(`${label}: ${values.length} samples are not ${records} whole records`);
  if (kind.endsWith('D') !== (recordStarts !== undefined) || (recordStarts ?? []).length % records !== 0)
    throw new RangeError(
      `${kind} and ${recordStarts?.length ?? 'no'} times for ${records} records do not fit`,
    );
  return records;
}

/** Multiplying by a gain is what a reader does; both sides compute it alike, so digital values survive. */
function writeSamples(
  out: Uint8Array,
  offset: number,
  recordBytes: number,
  records: number,
  bytesPerSample: 2 | 3,
  signal: Required<SignalToWrite> & { readonly samples: number },
): void {
  const { digitalMinimum, digitalMaximum, physicalMinimum, physicalMaximum, values, samples } = signal;
  const gain = (physicalMaximum - physicalMinimum) / (digitalMaximum - digitalMinimum);
  for (let record = 0; record < records; record++) {
    let at = offset + record * recordBytes;
    for (let i = record * samples; i < (record + 1) * samples; i++) {
      const exact = ((values[i] ?? 0) - physicalMinimum) / gain + digitalMinimum;
      const digital = Math.min(digitalMaximum, Math.max(digitalMinimum, Math.round(exact)));
      out[at++] = digital;
      out[at++] = digital >> 8;
      if (bytesPerSample === 3) out[at++] = digital >> 16;
    }
  }
}

function headerText(file: EdfToWrite, columns: number, headerBytes: number, records: number): string {
  const start = new Date(file.start ?? Date.UTC(1985, 0, 1));
  const [date = '', clock = ''] = start.toISOString().split('T');
  const [year = '', month = '', day = ''] = date.split('-');
  const isBdf = file.kind.startsWith('B');
  const reserved = file.kind.includes('+') ? file.kind : isBdf ? '24BIT' : '';
  const monthName = start.toLocaleString('en', { month: 'short', timeZone: 'UTC' }).toUpperCase();
  return [
    fixed(isBdf ? ' BIOSEMI' : '0', 8), // a BDF's first byte is no character and is set later
    fixed(file.patient ?? 'X X X X', 80),
    fixed(file.recording ?? `Startdate ${day}-${monthName}-${year} X X X`, 80),
    `${day}.${month}.${year.slice(2)}`,
    clock.slice(0, 8).replaceAll(':', '.'),
    fixed(String(headerBytes), 8),
    fixed(reserved, 44),
    fixed(String(records), 8),
    fixed(decimal(file.recordDuration), 8),
    fixed(String(columns), 4),
  ].join('');
}

/** What `annotationLists` writes. */
export interface ListsToWrite {
  /** Seconds from the first sample to each record. */
  readonly starts: readonly number[];
  /** Seconds between the start time of the header and the first sample. */
  readonly offset: number;
  readonly annotations: readonly EdfAnnotation[];
  /** Whether each list starts with the time of its record. */
  readonly keepsTime: boolean;
}

/** One record's list each: an annotation stands in the record in which it starts, or the one before it in a gap. */
export function annotationLists({ starts, offset, annotations, keepsTime }: ListsToWrite): Uint8Array[] {
  const encoder = new TextEncoder();
  const stamp = (seconds: number): string => `${seconds < 0 ? '-' : '+'}${plain(Math.abs(seconds))}`;
  const sorted = [...annotations].sort((a, b) => a.onset - b.onset);
  let next = 0;
  return starts.map((start, i) => {
    const end = starts[i + 1] ?? Infinity;
    const lists = keepsTime ? [`${stamp(start + offset)}\x14\x14\0`] : [];
    for (let one = sorted[next]; one && one.onset < end; one = sorted[++next]) {
      const { onset, duration, text } = one;
      const length = duration === null ? '' : `\x15${plain(duration)}`;
      lists.push(`${stamp(onset + offset)}${length}\x14${text}\x14\0`);
    }
    return encoder.encode(lists.join(''));
  });
}

/** Decimal digits without an exponent, to a tenth of a microsecond. */
const plain = (seconds: number): string => seconds.toFixed(7).replace(/\.?0+$/, '');

function decimal(value: number): string {
  const written = String(value);
  if (written.length > 8 || !Number.isFinite(value))
    throw new RangeError(`${written} does not fit the eight characters of an EDF header`);
  return written;
}

function fixed(text: string, width: number): string {
  if (text.length > width || /[^\x20-\xff]/.test(text))
    throw new RangeError(`${JSON.stringify(text)} does not fit the ${width} Latin-1 characters of its field`);
  return text.padEnd(width);
}

/** The bytes of a text of Latin-1 characters. */
export const latin1 = (text: string): Uint8Array =>
  Uint8Array.from(text, (character) => character.charCodeAt(0));
