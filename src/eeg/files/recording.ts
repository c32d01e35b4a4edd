/** A recording and its annotations: what they are called, how they belong together, what they hold. */
import {
  ANNOTATION_EXTENSIONS,
  decodeAnnotations,
  EVENTS_TSV,
  MAX_ANNOTATION_BYTES,
  parseAnnotations,
} from './annotations';
import { isSeizure, type Annotations, type LabelledEvent } from './labels';
import { blobSource, type ByteSource } from './bytes';
import { EdfFile } from './edf/file';
import { DataError, quoted } from '../errors';
import { chooseChannels, microvoltsOf } from '../signal/channels';
import type { Channel } from '../signal/montage';
import { SAMPLE_RATE } from '../signal/preprocess';
import { resampledLength } from '../signal/resample';

export interface DataFile {
  /** Within the opened folder, with slashes. */
  readonly path: string;
  /** Only Blobs can be sent to workers. */
  readonly data: Blob | ByteSource;
}

export interface RecordingFiles {
  readonly recording: DataFile;
  /** Those beside it, the trainer's choice first. */
  readonly annotations: readonly DataFile[];
}

/** Samples [from, to) of the prepared signal. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Between two gaps of the recording. The prepared signal is the segments one after the other. */
export interface PreparedSegment {
  /** Seconds from the first sample of the recording. */
  readonly start: number;
  readonly firstSample: number;
  /** At SAMPLE_RATE. */
  readonly samples: number;
}

/** All that is known of a recording without its samples; plain data. */
export interface RecordingInfo {
  readonly path: string;
  /** Recordings of one patient have the same. */
  readonly patient: string;
  /** Where the patient was read from; `none`: nothing names one, and the recording is taken as a patient of its own. */
  readonly patientFrom: PatientSource;
  /** Seconds, gaps included. */
  readonly duration: number;
  /** Hz, of the first channel as recorded. */
  readonly rate: number;
  /** Length of the prepared signal at SAMPLE_RATE. */
  readonly samples: number;
  readonly segments: readonly PreparedSegment[];
  /** False where there is no annotation file: then nothing is known, not even that it is background. */
  readonly labelled: boolean;
  readonly events: readonly LabelledEvent[];
  /** Where any channel has a label that the trainer counts as seizure; in order, without overlap. */
  readonly seizures: readonly Span[];
  readonly interpolated: readonly Channel[];
  readonly warnings: readonly string[];
}

const RECORDING = /\.(edf|bdf)$/i;

/** Whether a file of this name is a recording, or annotations as they lie beside one. */
export const isReadable = (name: string): boolean =>
  RECORDING.test(name) ||
  [...ANNOTATION_EXTENSIONS, EVENTS_TSV].some((extension) => name.toLowerCase().endsWith(extension));

export const sourceOf = ({ data }: DataFile): ByteSource => (data instanceof Blob ? blobSource(data) : data);

/**
 * The recordings among `files` with the annotations beside them, by path as Python sorts paths (component by component).
 * Names of annotations are compared without regard to case. Where there are several, `.csv`, the trainer's choice, is first.
 */
export function pairFiles(files: Iterable<DataFile>): RecordingFiles[] {
  const byPath = new Map([...files].map((file) => [file.path, file]));
  const annotations = new Map<string, DataFile>();
  for (const file of byPath.values()) annotations.set(file.path.toLowerCase(), file);
  const recordings = [...byPath.values()].filter((file) => RECORDING.test(file.path));
  return recordings.sort(byComponents).map((recording) => {
    const stem = recording.path.replace(RECORDING, '');
    const names = [
      ...ANNOTATION_EXTENSIONS.map((extension) => stem + extension),
      stem.replace(/_i?eeg$/i, '') + EVENTS_TSV,
    ];
    const found = names.map((name) => byPath.get(name) ?? annotations.get(name.toLowerCase()));
    return { recording, annotations: found.filter((file) => file !== undefined) };
  });
}

function byComponents(a: DataFile, b: DataFile): number {
  const [left, right] = [a.path.split('/'), b.path.split('/')];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const [x = '', y = ''] = [left[i], right[i]];
    if (x !== y) return x < y ? -1 : 1;
  }
  return left.length - right.length;
}

export type PatientSource = 'file name' | 'folder' | 'header' | 'none';

/** Names of recordings that begin with their patient. */
const NAMED_BY_PATIENT = [
  /^([a-z0-9]{8})_s\d{3}(?:_\d{4})?_t\d{3}\./i, // TUSZ, both versions
  /^(chb\d{2})[a-c]?_\d/i, // CHB-MIT; chb01 and chb21 are one girl, which their names do not say
  /^sub-([a-z0-9]+)_/i, // BIDS
  /^(PN\d{2})-\d/i, // Siena
  /^(P_ID\d+)_r\d/i, // SeizeIT1
  /^((?:patient|subject|pat|subj)[-_ ]?\d+)[-_ .]/i,
];

const NAMED_FOLDER = /^(sub-[a-z0-9]+|(?:patient|subject|pat|subj)[-_ ]?\d+|chb\d{2}|PN\d{2}|P_ID\d+)$/i;

/**
 * The patient of a recording by its file's name, a folder's, or the patient field of the header: in EDF+ code, sex, birth
 * date and name, in EDF any text; what is anonymised (X, or nothing) names nobody.
 */
export function patientOf(
  path: string,
  header = '',
): { readonly patient: string; readonly patientFrom: PatientSource } {
  const [name = path, ...folders] = path.split('/').reverse();
  for (const pattern of NAMED_BY_PATIENT) {
    const patient = pattern.exec(name)?.[1];
    if (patient !== undefined) return { patient: patient.toLowerCase(), patientFrom: 'file name' };
  }
  const folder = folders.find((folder) => NAMED_FOLDER.test(folder));
  if (folder !== undefined)
    return { patient: folder.toLowerCase().replace(/^sub-/, ''), patientFrom: 'folder' };
  // EDF+ writes code, sex, birth date and name; sex and birth date are no name.
  const parts = header.trim().split(/\s+/);
  const isPlus = parts.length >= 4 && /^[mfx]$/i.test(parts[1] ?? '');
  const names = (isPlus ? [parts[0] ?? '', ...parts.slice(3)] : parts).filter(
    (part) => /[\p{L}\d]/u.test(part) && !/^(x+|anonym\w*|unknown|none)$/i.test(part),
  );
  if (names.length > 0) return { patient: names.join(' ').toLowerCase(), patientFrom: 'header' };
  return { patient: path.toLowerCase(), patientFrom: 'none' };
}

/** Opens the recording alone. Throws DataError. */
export const openEdf = ({ recording }: RecordingFiles): Promise<EdfFile> =>
  EdfFile.open(sourceOf(recording), recording.path);

/** Reads headers and annotations, a few kilobytes. Throws DataError for what cannot be used. */
export async function inspectRecording(files: RecordingFiles): Promise<RecordingInfo> {
  const { path } = files.recording;
  if (/[\r\n]/.test(path))
    throw new DataError(quoted(path), 'name', 'it contains a line break; rename the file or its folder');
  const edf = await openEdf(files);
  const sources = chooseChannels(edf);
  const [first] = sources;
  const rate = first?.rate ?? 0;
  const samplesPerRecord = edf.header.signals[first?.terms[0]?.signal ?? -1]?.samplesPerRecord ?? 0;
  const segments: PreparedSegment[] = [];
  let samples = 0;
  for (const { start, records } of edf.segments) {
    const length = resampledLength(records * samplesPerRecord, rate, SAMPLE_RATE);
    segments.push({ start, firstSample: samples, samples: length });
    samples += length;
  }
  const warnings = [...edf.warnings];
  const interpolated = sources.filter((source) => source.interpolated).map((source) => source.channel);
  if (interpolated.length > 0)
    warnings.push(`${interpolated.join(' and ')} interpolated from the other electrodes`);

  const guessed = sources
    .flatMap(({ terms }) => terms.map(({ signal }) => edf.header.signals[signal]?.unit ?? ''))
    .filter((unit) => microvoltsOf(unit)?.guessed);
  if (guessed.length > 0)
    warnings.push(`the unit ${[...new Set(guessed)].map(quoted).join(', ')} is taken as µV`);

  const annotations = await readAnnotations(files.annotations);
  if (annotations) {
    const { file, duration } = annotations;
    warnings.push(...annotations.warnings);
    if (duration !== null && Math.abs(duration - edf.duration) > 1)
      warnings.push(
        `${file} gives a duration of ${duration} s, the recording has ${edf.duration} s: do they belong together?`,
      );
  } else warnings.push('no annotations beside it: it cannot be trained on');
  const events = annotations?.events ?? [];
  return {
    path,
    ...patientOf(path, edf.header.patient),
    duration: edf.duration,
    rate,
    samples,
    segments,
    labelled: annotations !== null,
    events,
    seizures: seizureSpans(events, segments),
    interpolated,
    warnings,
  };
}

/** The first of `files` that can be read, with a remark on those before it. Throws the first one's DataError where none can. */
async function readAnnotations(
  files: readonly DataFile[],
): Promise<(Annotations & { readonly file: string }) | null> {
  const failures: DataError[] = [];
  for (const file of files) {
    try {
      const parsed = parseAnnotations(file.path, await readText(file));
      const remarks = failures.map(({ message }) => `${message}; ${file.path} is used instead`);
      return { ...parsed, file: file.path, warnings: [...remarks, ...parsed.warnings] };
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      failures.push(error);
    }
  }
  if (failures[0]) throw failures[0];
  return null;
}

async function readText(file: DataFile): Promise<string> {
  const source = sourceOf(file);
  if (source.size > MAX_ANNOTATION_BYTES)
    throw new DataError(file.path, 'size', `${source.size} bytes are too many for annotations`);
  return decodeAnnotations(await source.read(0, source.size));
}

/** The trainer's rounding: a label covers the samples from ⌊256 start⌋ to before ⌊256 stop⌋. */
function seizureSpans(events: readonly LabelledEvent[], segments: readonly PreparedSegment[]): Span[] {
  const spans: Span[] = [];
  for (const { label, start, stop } of events) {
    if (!isSeizure(label)) continue;
    for (const segment of segments) {
      const within = (time: number): number =>
        Math.min(segment.samples, Math.max(0, Math.floor((time - segment.start) * SAMPLE_RATE)));
      const [from, to] = [within(start), within(stop)];
      if (from < to) spans.push({ from: segment.firstSample + from, to: segment.firstSample + to });
    }
  }
  spans.sort((a, b) => a.from - b.from);
  const merged: Span[] = [];
  for (const span of spans) {
    const last = merged.at(-1);
    if (last && span.from <= last.to)
      merged[merged.length - 1] = { from: last.from, to: Math.max(last.to, span.to) };
    else merged.push(span);
  }
  return merged;
}
