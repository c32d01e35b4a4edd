/**
 * Annotations of the TUH seizure corpus: `.csv` and `.csv_bi` (version 2), `.tse`, `.tse_bi`, `.lbl` and `.lbl_bi` (version 1). The bi-class
 * files know `bckg` and `seiz`, the others the type of seizure, `.csv` per channel.
 * https://isip.piconepress.com/projects/tuh_eeg/ (file formats in the corpus' documentation).
 */
import { fileName, quoted } from '../../base/text';
import { DataError } from '../errors';
import { parseEventsTsv } from './events_tsv';
import { parseLbl } from './lbl';
import { isSeizure, type Annotations, type LabelledEvent } from './labels';
import { isSummary, parseSummary } from './summaries';
import { parseSeizures } from './wfdb';

/** Seizure types of the corpus that the trainer does not count. */
const UNCOUNTED_SEIZURES = new Set(['cnsz', 'atsz', 'nesz']);

/** The other labels of the TUH corpora: background, artefacts, sleep and non-epileptic patterns. */
const OTHER_LABELS = new Set(
  'bckg null spsw gped pled eybl artf intr slow eyem chew shiv musc elpp elst elec calb hphs trip impd'.split(
    ' ',
  ),
);

/** In the order in which they are looked for beside a recording: the trainer reads `.csv`. */
export const ANNOTATION_EXTENSIONS = ['.csv', '.csv_bi', '.tse', '.tse_bi', '.lbl', '.lbl_bi'] as const;

/** CHB-MIT: `chb01_03.edf` has its seizures in `chb01_03.edf.seizures`. */
export const SEIZURES = '.seizures';

/** BIDS: `sub-01_eeg.edf` has its events in `sub-01_events.tsv`. */
export const EVENTS_TSV = '_events.tsv';

/** Longer files are no annotations; the longest of the corpus have a few hundred kilobytes. */
export const MAX_ANNOTATION_BYTES = 16 << 20;

const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
/** The header line of `.csv` and `.csv_bi`. */
export const CSV_HEADER = 'channel,start_time,stop_time,label,confidence';

/** The text of an annotation file: UTF-8, or UTF-16 as some spreadsheets save it, with or without a byte order mark. */
export function decodeAnnotations(bytes: Uint8Array): string {
  const [first = 0, second = 0] = bytes;
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  const utf16 = (first === 0xff && second === 0xfe) || (first !== 0 && second === 0 && bytes.length > 1);
  return new TextDecoder(utf16 ? 'utf-16le' : 'utf-8').decode(bytes);
}

/**
 * What an annotation file of any format says of the recording of that name; null where it says nothing of it. Throws
 * DataError that names the line.
 */
export function readAnnotationFile(file: string, bytes: Uint8Array, recording: string): Annotations | null {
  if (file.toLowerCase().endsWith(SEIZURES)) return parseSeizures(file, bytes);
  const text = decodeAnnotations(bytes);
  if (isSummary(fileName(file))) return parseSummary(file, text, recording);
  return parseAnnotations(file, text);
}

/** Parses the text of `file`, whose extension says the format. Throws DataError that names the line. */
export function parseAnnotations(file: string, text: string): Annotations {
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  const isTse = /\.tse(_bi)?$/i.test(file);
  const isTsv = /events\.tsv$/i.test(file);
  const isLbl = /\.lbl(_bi)?$/i.test(file);
  if (!isTse && !isTsv && !isLbl && !/\.csv(_bi)?$/i.test(file))
    throw new DataError(
      file,
      'name',
      `it ends in none of ${[...ANNOTATION_EXTENSIONS, EVENTS_TSV].join(', ')}`,
    );
  const parsed = isTsv
    ? parseEventsTsv(file, text)
    : isLbl
      ? parseLbl(file, lines)
      : isTse
        ? parseTse(file, lines)
        : parseCsv(file, lines);
  const warnings = [...parsed.warnings];
  for (const label of new Set(parsed.events.map((event) => event.label))) {
    if (UNCOUNTED_SEIZURES.has(label))
      warnings.push(`${label} is a seizure type that the trainer counts as background, and so it is here`);
    else if (!isSeizure(label) && !isOther(label))
      warnings.push(`the label ${quoted(label)} is unknown and counts as background`);
  }
  const { duration } = parsed;
  let last = 0;
  for (const { stop } of parsed.events) last = Math.max(last, stop);
  if (duration !== null && last > duration + 1)
    warnings.push(`an event ends at ${last} s, after the ${duration} s that the file gives as duration`);
  return { ...parsed, warnings };
}

/** Artefact labels are joined where two coincide, e.g. `eyem_musc`. */
const isOther = (label: string): boolean => label.split('_').every((part) => OTHER_LABELS.has(part));

const HEADER_FIELDS = CSV_HEADER.split(',');

/** Fields between delimiters; a quoted field may hold delimiters and doubled quotes (RFC 4180). */
function fieldsOf(line: string, delimiter: string): string[] {
  if (!line.includes('"')) return line.split(delimiter).map((field) => field.trim());
  const fields: string[] = [];
  let [field, inside] = ['', false];
  for (let i = 0; i < line.length; i++) {
    const letter = line.charAt(i);
    if (letter === '"' && inside && line[i + 1] === '"') {
      field += letter;
      i++;
    } else if (letter === '"') inside = !inside;
    else if (letter === delimiter && !inside) {
      fields.push(field.trim());
      field = '';
    } else field += letter;
  }
  return [...fields, field.trim()];
}

/** What separates the fields of the header line: a comma, or what spreadsheets write where the comma is decimal. */
const delimiterOf = (line: string): string | undefined =>
  [',', ';', '\t'].find(
    (delimiter) => fieldsOf(line, delimiter).join().toLowerCase() === HEADER_FIELDS.join(),
  );

function parseCsv(file: string, lines: readonly string[]): Annotations {
  let duration: number | null = null;
  let delimiter: string | undefined;
  const events: LabelledEvent[] = [];
  for (const [index, raw] of lines.entries()) {
    const line = raw.trim();
    const where = `line ${index + 1}`;
    if (line === '') continue;
    if (line.startsWith('#')) {
      const version = /^#\s*version\s*=\s*(.*)$/i.exec(line)?.[1];
      if (version !== undefined && !version.startsWith('csv_v'))
        throw new DataError(file, where, `version ${quoted(version)} is not known, only csv_v1.0.0`);
      const written = /^#\s*duration\s*=\s*(.*?)\s*(secs?)?$/i.exec(line)?.[1];
      if (written !== undefined) duration = decimal(file, `${where}, duration`, written.replace(',', '.'));
      continue;
    }
    if (delimiter === undefined) {
      delimiter = delimiterOf(line);
      if (delimiter === undefined)
        throw new DataError(file, where, `${quoted(line)} stands where the header ${CSV_HEADER} should`);
      continue;
    }
    const fields = fieldsOf(line, delimiter);
    if (fields.length !== HEADER_FIELDS.length)
      throw new DataError(file, where, `it has ${fields.length} fields, not the 5 of ${CSV_HEADER}`);
    const [channel = '', label = ''] = [fields[0], fields[3]];
    const [start = '', stop = '', confidence = ''] = [fields[1], fields[2], fields[4]].map((field) =>
      delimiter === ',' ? field : field?.replace(',', '.'),
    );
    events.push({ channel, ...eventFields(file, where, start, stop, label, confidence) });
  }
  if (delimiter === undefined)
    throw new DataError(file, 'header', `the line ${CSV_HEADER} is missing: this is no annotation file`);
  return { duration, events, warnings: [] };
}

function parseTse(file: string, lines: readonly string[]): Annotations {
  let started = false;
  const events: LabelledEvent[] = [];
  for (const [index, raw] of lines.entries()) {
    const line = raw.trim();
    const where = `line ${index + 1}`;
    if (line === '' || line.startsWith('#')) continue;
    if (!started) {
      if (!/^version\s*=\s*tse_v/i.test(line))
        throw new DataError(file, where, `${quoted(line)} stands where version = tse_v1.0.0 should`);
      started = true;
      continue;
    }
    const fields = line.split(/\s+/);
    if (fields.length !== 4)
      throw new DataError(
        file,
        where,
        `it has ${fields.length} fields, not the 4 of start, stop, label, confidence`,
      );
    const [start = '', stop = '', label = '', confidence = ''] = fields;
    events.push({ channel: null, ...eventFields(file, where, start, stop, label, confidence) });
  }
  if (!started)
    throw new DataError(
      file,
      'header',
      'the line version = tse_v1.0.0 is missing: this is no annotation file',
    );
  return { duration: null, events, warnings: [] };
}

function eventFields(
  file: string,
  where: string,
  startText: string,
  stopText: string,
  label: string,
  confidenceText: string,
): Omit<LabelledEvent, 'channel'> {
  const start = decimal(file, `${where}, start`, startText);
  const stop = decimal(file, `${where}, stop`, stopText);
  if (stop < start) throw new DataError(file, `${where}, stop`, `${stop} s is before the start, ${start} s`);
  if (!/^[a-z][a-z0-9_]*$/i.test(label))
    throw new DataError(file, `${where}, label`, `${quoted(label)} is no label`);
  const confidence = decimal(file, `${where}, confidence`, confidenceText);
  if (confidence > 1)
    throw new DataError(file, `${where}, confidence`, `${confidence} is no number from 0 to 1`);
  return { start, stop, label: label.toLowerCase(), confidence };
}

/** Times within a million hours: beyond that sample numbers are no longer exact, and it is no recording either. */
function decimal(file: string, field: string, written: string): number {
  const value = DECIMAL.test(written) ? Number(written) : NaN;
  if (!(value >= 0 && value <= 3.6e9))
    throw new DataError(file, field, `${quoted(written)} is no number of zero or more`);
  return value;
}
