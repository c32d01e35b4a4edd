/** A recording and its annotations: what they are called, how they belong together, what they hold. */
import { ANNOTATION_EXTENSIONS, MAX_ANNOTATION_BYTES, SEIZURE_LABELS, parseAnnotations } from './annotations';
import type { LabelledEvent } from './annotations';
import { blobSource, type ByteSource } from './bytes';
import { EdfFile } from './edf/file';
import { DataError } from '../errors';
import { chooseChannels } from '../signal/channels';
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
  readonly annotations: DataFile | null;
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
  /** Recordings of one patient have the same; the path where its form is unknown. */
  readonly patient: string;
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
  /** Where any channel has a label that production counts as seizure; in order, without overlap. */
  readonly seizures: readonly Span[];
  readonly interpolated: readonly Channel[];
  readonly warnings: readonly string[];
}

const RECORDING = /\.(edf|bdf)$/i;

export const sourceOf = ({ data }: DataFile): ByteSource => (data instanceof Blob ? blobSource(data) : data);

/**
 * The recordings among `files` with the annotations beside them, by path as Python sorts paths (component by component).
 * Where there are several annotation files production's choice is first: `.csv`.
 */
export function pairFiles(files: Iterable<DataFile>): RecordingFiles[] {
  const byPath = new Map([...files].map((file) => [file.path, file]));
  const recordings = [...byPath.values()].filter((file) => RECORDING.test(file.path));
  return recordings.sort(byComponents).map((recording) => {
    const stem = recording.path.replace(RECORDING, '');
    const found = ANNOTATION_EXTENSIONS.map((extension) => byPath.get(stem + extension));
    return { recording, annotations: found.find((file) => file !== undefined) ?? null };
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

/** The patient in file names of TUSZ (both versions), CHB-MIT and BIDS; otherwise each file is taken as its own. */
export function patientOf(path: string): string {
  const name = path.split('/').at(-1) ?? path;
  return (
    /^([a-z0-9]{8})_s\d{3}(_\d{4})?_t\d{3}\./i.exec(name)?.[1] ??
    /^(chb\d{2})[a-c]?_\d/i.exec(name)?.[1] ??
    /^sub-([a-z0-9]+)_/i.exec(name)?.[1] ??
    path
  ).toLowerCase();
}

/** Opens the recording alone. Throws DataError. */
export const openEdf = ({ recording }: RecordingFiles): Promise<EdfFile> =>
  EdfFile.open(sourceOf(recording), recording.path);

/** Reads headers and annotations, a few kilobytes. Throws DataError for what cannot be used. */
export async function inspectRecording(files: RecordingFiles): Promise<RecordingInfo> {
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

  let events: readonly LabelledEvent[] = [];
  if (files.annotations) {
    const { path } = files.annotations;
    const parsed = parseAnnotations(path, await readText(files.annotations));
    events = parsed.events;
    warnings.push(...parsed.warnings);
    if (parsed.duration !== null && Math.abs(parsed.duration - edf.duration) > 1)
      warnings.push(
        `${path} gives a duration of ${parsed.duration} s, the recording has ${edf.duration} s: do they belong together?`,
      );
  } else warnings.push('no annotations beside it: it cannot be trained on');
  return {
    path: files.recording.path,
    patient: patientOf(files.recording.path),
    duration: edf.duration,
    rate,
    samples,
    segments,
    labelled: files.annotations !== null,
    events,
    seizures: seizureSpans(events, segments),
    interpolated,
    warnings,
  };
}

async function readText(file: DataFile): Promise<string> {
  const source = sourceOf(file);
  if (source.size > MAX_ANNOTATION_BYTES)
    throw new DataError(file.path, 'size', `${source.size} bytes are too many for annotations`);
  return new TextDecoder().decode(await source.read(0, source.size));
}

/** Production's rounding: a label covers the samples from ⌊256 start⌋ to before ⌊256 stop⌋. */
function seizureSpans(events: readonly LabelledEvent[], segments: readonly PreparedSegment[]): Span[] {
  const spans: Span[] = [];
  for (const { label, start, stop } of events) {
    if (!SEIZURE_LABELS.has(label)) continue;
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
