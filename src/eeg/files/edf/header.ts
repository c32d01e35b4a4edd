/**
 * The header of EDF (Kemp et al. 1992, https://www.edfplus.info/specs/edf.html), EDF+ (Kemp & Olivan 2003,
 * https://www.edfplus.info/specs/edfplus.html) and BDF, BioSemi's variant with 24-bit samples.
 */
import { quoted } from '../../../base/text';
import { DataError } from '../../errors';

export type EdfKind = 'EDF' | 'EDF+C' | 'EDF+D' | 'BDF' | 'BDF+C' | 'BDF+D';

export interface EdfSignal {
  readonly label: string;
  readonly transducer: string;
  /** Physical dimension as written, e.g. `uV`. */
  readonly unit: string;
  readonly prefilter: string;
  readonly samplesPerRecord: number;
  /** Hz; 0 in a file that holds nothing but annotations. */
  readonly rate: number;
  /** physical = gain · digital + offset, in `unit`; zero where `unreadable` says why. */
  readonly gain: number;
  readonly offset: number;
  /** Why its samples cannot be read as physical values; null where they can. */
  readonly unreadable: string | null;
  /** Holds time-stamped annotation lists instead of samples. */
  readonly isAnnotations: boolean;
  /** Bytes from the start of a record. */
  readonly byteOffset: number;
}

export interface EdfHeader {
  readonly kind: EdfKind;
  readonly bytesPerSample: 2 | 3;
  readonly patient: string;
  readonly recording: string;
  /** Milliseconds since 1970 as if UTC, whole seconds; null where the header has no valid date. */
  readonly start: number | null;
  readonly headerBytes: number;
  readonly records: number;
  /** Seconds. */
  readonly recordDuration: number;
  readonly recordBytes: number;
  readonly signals: readonly EdfSignal[];
  /** What is odd but did not prevent reading. */
  readonly warnings: readonly string[];
}

export const FIXED_BYTES = 256;
export const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];

/** Widths of the per-signal fields, in the order of the file. */
export const SIGNAL_FIELDS = [
  ['label', 16],
  ['transducer', 80],
  ['unit', 8],
  ['physicalMinimum', 8],
  ['physicalMaximum', 8],
  ['digitalMinimum', 8],
  ['digitalMaximum', 8],
  ['prefilter', 80],
  ['samplesPerRecord', 8],
  ['reserved', 32],
] as const;
type SignalField = (typeof SIGNAL_FIELDS)[number][0];

/** Latin-1, as old recorders write µ. Only the outer padding goes: spaces, and the NULs that some write instead. */
function text(bytes: Uint8Array, from: number, length: number): string {
  let out = '';
  for (const byte of bytes.subarray(from, from + length)) out += String.fromCharCode(byte);
  return out.replace(/^[ \0]+|[ \0]+$/g, '');
}

/** A decimal number, or NaN; some recorders write a decimal comma. */
function decimal(written: string): number {
  const plain = written.replace(',', '.');
  const value = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(plain) ? Number(plain) : NaN;
  return Number.isFinite(value) ? value : NaN;
}

function number(file: string, field: string, written: string): number {
  const value = decimal(written);
  if (Number.isNaN(value)) throw new DataError(file, field, `${quoted(written)} is no number`);
  return value;
}

function whole(file: string, field: string, written: string, low: number, high: number): number {
  const value = number(file, field, written);
  if (!Number.isInteger(value) || value < low || value > high)
    throw new DataError(file, field, `${quoted(written)} is no whole number from ${low} to ${high}`);
  return value;
}

/** How many bytes the whole header has; `fixed` are the first 256. Throws DataError. */
export function headerLength(file: string, fixed: Uint8Array): number {
  const isBdf = fixed[0] === 0xff && text(fixed, 1, 7) === 'BIOSEMI';
  if (!isBdf && text(fixed, 0, 8) !== '0')
    throw new DataError(file, 'version', `${quoted(text(fixed, 0, 8))} is the start of no EDF or BDF file`);
  const signals = whole(file, 'number of signals', text(fixed, 252, 4), 1, 9999);
  const expected = FIXED_BYTES * (signals + 1);
  const written = whole(file, 'number of bytes in the header', text(fixed, 184, 8), 0, 99_999_999);
  if (written !== expected)
    throw new DataError(
      file,
      'number of bytes in the header',
      `${written} does not fit ${signals} signals, which take ${expected}; the header is damaged`,
    );
  return expected;
}

/** Reads a whole header (`headerLength` bytes) of a file of `fileSize` bytes. Throws DataError. */
export function parseHeader(file: string, bytes: Uint8Array, fileSize: number): EdfHeader {
  const headerBytes = headerLength(file, bytes);
  const count = headerBytes / FIXED_BYTES - 1;
  const isBdf = bytes[0] === 0xff;
  const bytesPerSample = isBdf ? 3 : 2;
  const kind = kindOf(isBdf, text(bytes, 192, 44));
  const warnings: string[] = [];
  const recordDuration = number(file, 'duration of a record', text(bytes, 244, 8));

  const written = signalFields(bytes, count);
  const signals: EdfSignal[] = [];
  let recordBytes = 0;
  for (const [index, fields] of written.entries()) {
    const signal = readSignal(file, fields, index, { bytesPerSample, recordDuration }, recordBytes);
    recordBytes += signal.samplesPerRecord * bytesPerSample;
    if (signal.unreadable !== null && !signal.isAnnotations)
      warnings.push(`signal ${index + 1} (${signal.label}) is ignored: ${signal.unreadable}`);
    signals.push(signal);
  }

  if (!kind.includes('+') && signals.some((signal) => signal.isAnnotations))
    warnings.push(`${kind} knows no annotations, but a signal is called so: it is read as in ${kind}+`);
  const hasSamples = signals.some((signal) => !signal.isAnnotations && signal.samplesPerRecord > 0);
  if (recordBytes === 0)
    throw new DataError(file, 'samples per record', 'no signal of the file has any samples');
  if (recordDuration < 0 || (recordDuration === 0 && hasSamples))
    throw new DataError(file, 'duration of a record', `${recordDuration} s; it must be above zero`);
  if (kind.endsWith('D') && !signals.some((signal) => signal.isAnnotations))
    throw new DataError(file, 'reserved', `${kind} promises times of the records, but no signal holds them`);

  const records = countRecords(file, text(bytes, 236, 8), fileSize - headerBytes, recordBytes, warnings);
  const recording = text(bytes, 88, 80);
  const start = startTime(text(bytes, 168, 8), text(bytes, 176, 8), recording);
  if (start === null) warnings.push('the start date or time is none, so the clock time is unknown');
  return {
    kind,
    bytesPerSample,
    patient: text(bytes, 8, 80),
    recording,
    start,
    headerBytes,
    records,
    recordDuration,
    recordBytes,
    signals,
    warnings,
  };
}

function kindOf(isBdf: boolean, reserved: string): EdfKind {
  const plus = /^[EB]DF\+([CD])/.exec(reserved)?.[1];
  if (plus === 'C') return isBdf ? 'BDF+C' : 'EDF+C';
  if (plus === 'D') return isBdf ? 'BDF+D' : 'EDF+D';
  return isBdf ? 'BDF' : 'EDF';
}

function signalFields(bytes: Uint8Array, count: number): Readonly<Record<SignalField, string>>[] {
  const starts = new Map<SignalField, number>();
  let at = FIXED_BYTES;
  for (const [field, width] of SIGNAL_FIELDS) {
    starts.set(field, at);
    at += width * count;
  }
  return Array.from({ length: count }, (_, index) => {
    const of = (field: SignalField): string => {
      const width = SIGNAL_FIELDS.find(([name]) => name === field)?.[1] ?? 0;
      return text(bytes, (starts.get(field) ?? 0) + index * width, width);
    };
    return {
      label: of('label'),
      transducer: of('transducer'),
      unit: of('unit'),
      physicalMinimum: of('physicalMinimum'),
      physicalMaximum: of('physicalMaximum'),
      digitalMinimum: of('digitalMinimum'),
      digitalMaximum: of('digitalMaximum'),
      prefilter: of('prefilter'),
      samplesPerRecord: of('samplesPerRecord'),
      reserved: of('reserved'),
    };
  });
}

function readSignal(
  file: string,
  fields: Readonly<Record<SignalField, string>>,
  index: number,
  { bytesPerSample, recordDuration }: Pick<EdfHeader, 'bytesPerSample' | 'recordDuration'>,
  byteOffset: number,
): EdfSignal {
  const { label, transducer, unit, prefilter } = fields;
  const samplesPerRecord = whole(
    file,
    `samples per record of signal ${index + 1} (${quoted(label).slice(1, -1)})`,
    fields.samplesPerRecord,
    0,
    Number.MAX_SAFE_INTEGER,
  );
  const isAnnotations = /^[EB]DF Annotations$/.test(label);
  // The specification asks for limits of annotations too, but they mean nothing.
  const scale = isAnnotations ? 'it holds annotations' : calibration(fields, 2 ** (8 * bytesPerSample - 1));
  const unreadable = typeof scale === 'string' ? scale : samplesPerRecord === 0 ? 'it has no samples' : null;
  return {
    label,
    transducer,
    unit,
    prefilter,
    samplesPerRecord,
    rate: recordDuration > 0 ? samplesPerRecord / recordDuration : 0,
    ...(typeof scale === 'string' ? { gain: 0, offset: 0 } : scale),
    unreadable,
    isAnnotations,
    byteOffset,
  };
}

const LIMITS = [
  ['physicalMinimum', 'physical minimum'],
  ['physicalMaximum', 'physical maximum'],
  ['digitalMinimum', 'digital minimum'],
  ['digitalMaximum', 'digital maximum'],
] as const satisfies readonly (readonly [SignalField, string])[];

/**
 * Gain and offset from a signal's limits, or what is wrong with them. `range` is 2¹⁵ for EDF; some recorders write it as the
 * digital maximum, which no sample reaches.
 */
function calibration(
  fields: Readonly<Record<SignalField, string>>,
  range: number,
): Pick<EdfSignal, 'gain' | 'offset'> | string {
  const limits = LIMITS.map(([field]) => decimal(fields[field]));
  for (const [i, [field, name]] of LIMITS.entries())
    if (Number.isNaN(limits[i])) return `its ${name} ${quoted(fields[field])} is no number`;
  const [physicalMinimum, physicalMaximum, digitalMinimum, digitalMaximum] = limits as [
    number,
    number,
    number,
    number,
  ];
  for (const [i, [, name]] of LIMITS.entries()) {
    const value = limits[i] ?? NaN;
    if (name.startsWith('digital') && !(Number.isInteger(value) && value >= -range && value <= range))
      return `its ${name} ${value} is no whole number from ${-range} to ${range - 1}`;
  }
  if (digitalMinimum >= digitalMaximum)
    return `its digital maximum ${digitalMaximum} is not above its digital minimum ${digitalMinimum}`;
  if (physicalMinimum === physicalMaximum) return 'its physical minimum and maximum are equal';
  const gain = (physicalMaximum - physicalMinimum) / (digitalMaximum - digitalMinimum);
  const offset = physicalMinimum - gain * digitalMinimum;
  if (!Number.isFinite(gain) || !Number.isFinite(offset))
    return 'its physical range is too large to compute with';
  return gain === 0 ? 'its physical range is too small to compute with' : { gain, offset };
}

function countRecords(
  file: string,
  written: string,
  dataBytes: number,
  recordBytes: number,
  warnings: string[],
): number {
  const field = 'number of records';
  const promised = whole(file, field, written, -1, 99_999_999);
  const held = Math.floor(dataBytes / recordBytes);
  if (held < 1)
    throw new DataError(
      file,
      field,
      `the file ends within its first record: a record takes ${recordBytes} bytes, after the header there are ${Math.max(0, dataBytes)}`,
    );
  if (promised === 0) throw new DataError(file, field, 'the header says that there is none');
  if (promised === -1) {
    warnings.push(`the header leaves the number of records open; the file holds ${held}`);
    return held;
  }
  if (promised > held) warnings.push(`the file is cut short: ${held} of ${promised} records are there`);
  if (promised < held)
    warnings.push(`${held - promised} records follow the ${promised} of the header and are not read`);
  return Math.min(promised, held);
}

/**
 * `dd.mm.yy` and `hh.mm.ss` with any of the separators that recorders write. Two-digit years are 1985 to 2084, unless the
 * recording field gives the full date, as EDF+ does (`Startdate 02-MAR-2002`).
 */
function startTime(date: string, time: string, recording: string): number | null {
  const separated = /^(\d{1,2})[.:/\- ](\d{1,2})[.:/\- ](\d{1,2})$/;
  const [, day, month, year] = separated.exec(date) ?? [];
  const [, hour, minute, second] = separated.exec(time) ?? [];
  if (year === undefined || second === undefined) return null;
  let full = [Number(year) + (Number(year) >= 85 ? 1900 : 2000), Number(month) - 1, Number(day)] as const;
  const plus = /^Startdate (\d{2})-([A-Z]{3})-(\d{4})\b/i.exec(recording);
  const monthOfPlus = MONTHS.indexOf(plus?.[2]?.toUpperCase() ?? '');
  if (plus && monthOfPlus >= 0) full = [Number(plus[3]), monthOfPlus, Number(plus[1])];
  const moment = new Date(Date.UTC(...full, Number(hour), Number(minute), Number(second)));
  const same =
    moment.getUTCMonth() === full[1] &&
    moment.getUTCDate() === full[2] &&
    moment.getUTCHours() === Number(hour) &&
    moment.getUTCMinutes() === Number(minute) &&
    moment.getUTCSeconds() === Number(second);
  return same ? moment.getTime() : null;
}
