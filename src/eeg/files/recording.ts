/** A recording and its annotations: what they are called, how they belong together, what they hold. */
import { messageOf, quoted, several } from '../../base/text';
import {
  ANNOTATION_EXTENSIONS,
  EVENTS_TSV,
  MAX_ANNOTATION_BYTES,
  readAnnotationFile,
  SEIZURES,
} from './annotations';
import { edfLabels, textsOf, type AnnotationText, type SeizureTexts } from './edf_labels';
import { patientOf, type PatientSource } from './patient';
import { isSummary } from './summaries';
import { isSeizure, type Annotations, type LabelledEvent } from './labels';
import { blobSource, type ByteSource } from './bytes';
import { EdfFile } from './edf/file';
import { DataError } from '../errors';
import {
  chooseChannels,
  microvoltsOf,
  MissingElectrodesError,
  viewedChannels,
  withoutPosition,
  type ChannelSource,
} from '../signal/channels';
import { CHANNELS, channelOf, type Channel } from '../signal/montage';
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
  /** Those that may speak of it, the trainer's choice first. */
  readonly annotations: readonly DataFile[];
  /** BIDS: what `sub-01_eeg.json` says of it. */
  readonly sidecar?: DataFile;
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
  /** Milliseconds since 1970 as if UTC, whole seconds; null where the header has no valid date. */
  readonly started: number | null;
  /** Seconds, gaps included. */
  readonly duration: number;
  /** Hz, of the first channel as recorded. */
  readonly rate: number;
  /** Whether preprocessing has to resample any of the 19 channels. */
  readonly resampled: boolean;
  /** Length of the prepared signal at SAMPLE_RATE. */
  readonly samples: number;
  readonly segments: readonly PreparedSegment[];
  /** False where there is no annotation file that can be read: then nothing is known, not even that it is background. */
  readonly labelled: boolean;
  /** Whether there are annotation files, and none of them can be read. */
  readonly labelsUnread: boolean;
  readonly events: readonly LabelledEvent[];
  /** Where any channel has a label that the trainer counts as seizure; in order, without overlap. */
  readonly seizures: readonly Span[];
  readonly interpolated: readonly Channel[];
  /** Labels of its signals, without those that hold annotations. */
  readonly signals: readonly string[];
  /** Why the detector cannot take it, though it can be looked at and scored; null where it can. */
  readonly unusable: string | null;
  /** Whether a signal of it holds annotations (EDF+, BDF+). */
  readonly annotated: boolean;
  /** Texts of those annotations, where they were read because nothing else labels the recording. */
  readonly texts: readonly AnnotationText[];
  readonly warnings: readonly string[];
}

const RECORDING = /\.(edf|bdf)$/i;

/** Whether a file of this name is EDF or BDF, in any case of letters. */
export const isRecording = (name: string): boolean => RECORDING.test(name);

/** Whether a file of this name is a recording, or annotations as they lie beside one. */
export function isReadable(name: string): boolean {
  const lower = name.toLowerCase();
  return isRecording(name) || isSummary(name) || BESIDE.some((extension) => lower.endsWith(extension));
}

/** BIDS: what is known of a recording. */
const SIDECAR = '_eeg.json';

const BESIDE = [...ANNOTATION_EXTENSIONS, EVENTS_TSV, SEIZURES, SIDECAR];

/** The bytes of a file, be it a Blob of the page or a source of Node's. */
export const sourceOf = ({ data }: DataFile): ByteSource => (data instanceof Blob ? blobSource(data) : data);

/**
 * The recordings among `files` with the annotations beside them, by path as Python sorts paths (component by component).
 * Names of annotations are compared without regard to case. Where there are several, `.csv`, the trainer's choice, is first.
 */
export function pairFiles(files: Iterable<DataFile>): RecordingFiles[] {
  const byPath = new Map([...files].map((file) => [file.path, file]));
  const annotations = new Map<string, DataFile>();
  const summaries = new Map<string, DataFile[]>();
  for (const file of byPath.values()) {
    annotations.set(file.path.toLowerCase(), file);
    const [name = '', ...folders] = file.path.split('/').reverse();
    if (!isSummary(name)) continue;
    const folder = folders.join('/');
    summaries.set(folder, [...(summaries.get(folder) ?? []), file]);
  }
  const recordings = [...byPath.values()].filter((file) => isRecording(file.path));
  return recordings.sort(byComponents).map((recording) => {
    const stem = recording.path.replace(RECORDING, '');
    const names = [
      ...ANNOTATION_EXTENSIONS.map((extension) => stem + extension),
      stem.replace(/_i?eeg$/i, '') + EVENTS_TSV,
      recording.path + SEIZURES,
    ];
    const at = (name: string): DataFile | undefined =>
      byPath.get(name) ?? annotations.get(name.toLowerCase());
    const folder = recording.path.split('/').reverse().slice(1).join('/');
    const found = [...names.map(at), ...(summaries.get(folder) ?? [])].filter((file) => file !== undefined);
    const sidecar = at(`${stem.replace(/_i?eeg$/i, '')}${SIDECAR}`);
    return { recording, annotations: found, ...(sidecar && { sidecar }) };
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

/** Opens the recording alone. Throws DataError. */
export const openEdf = ({ recording }: RecordingFiles): Promise<EdfFile> =>
  EdfFile.open(sourceOf(recording), recording.path);

/**
 * Reads headers and annotations, a few kilobytes; of EDF+ without any other labels the whole file, up to
 * MAX_SEARCHED_BYTES or where `seizureTexts` says which annotations are seizures. Throws DataError for what cannot be used.
 */
export async function inspectRecording(
  files: RecordingFiles,
  seizureTexts: SeizureTexts = [],
): Promise<RecordingInfo> {
  const { path } = files.recording;
  if (/[\r\n]/.test(path))
    throw new DataError(quoted(path), 'name', 'it contains a line break; rename the file or its folder');
  const edf = await openEdf(files);
  const { sources, unusable } = sourcesOf(edf);
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
  if (unusable !== null) warnings.push(`it can be looked at, but the detector cannot take it: ${unusable}`);
  const interpolated = CHANNELS.filter((_, i) => unusable === null && sources[i]?.interpolated);
  if (interpolated.length > 0) {
    const others = withoutPosition(edf);
    warnings.push(
      `${interpolated.join(' and ')} interpolated from the other electrodes${
        others.length > 0
          ? `; the trainer reads zeros there, because ${others.slice(0, 3).join(', ')}${others.length > 3 ? ', …' : ''} has no position (see the setting for a missing Fz or Pz)`
          : ''
      }`,
    );
  }

  const foreign = sources
    .flatMap(({ terms, interpolated: made }) =>
      made ? [] : (edf.header.signals[terms[0]?.signal ?? -1] ?? []),
    )
    .filter(({ label }) => unusable === null && channelOf(label) === null);
  if (foreign[0])
    warnings.push(
      `${foreign.length} of the 19 electrodes are read by names that the trainer does not know, as ${foreign[0].label}: it rejects the file`,
    );

  const guessed = sources
    .flatMap(({ terms }) => terms.map(({ signal }) => edf.header.signals[signal]?.unit ?? ''))
    .filter((unit) => microvoltsOf(unit)?.guessed);
  if (guessed.length > 0)
    warnings.push(`the unit ${[...new Set(guessed)].map(quoted).join(', ')} is taken as µV`);

  const { beside, unread } = await readAnnotations(files.annotations, path);
  const inside = beside ? null : await readInside(edf, sourceOf(files.recording).size, seizureTexts);
  const annotations = beside ?? inside?.labels ?? null;
  warnings.push(...(inside?.remarks ?? []));
  const promised = files.sidecar && (await sidecarDuration(files.sidecar, warnings));
  if (promised !== undefined && Math.abs(promised - edf.duration) > 1)
    warnings.push(
      `${files.sidecar?.path} gives a duration of ${promised} s, the recording has ${edf.duration} s: is it cut short?`,
    );
  if (annotations) {
    const { file, duration } = annotations;
    for (const warning of annotations.warnings) warnings.push(warning);
    if (duration !== null && Math.abs(duration - edf.duration) > 1)
      warnings.push(
        `${file} gives a duration of ${duration} s, the recording has ${edf.duration} s: do they belong together?`,
      );
    let last = 0;
    for (const { stop } of annotations.events) last = Math.max(last, stop);
    if (duration === null && last > edf.duration + 1)
      warnings.push(
        `an event of ${file} ends at ${last} s, the recording at ${edf.duration} s: do they belong together?`,
      );
  } else if (unread.length === 0) warnings.push('no annotations beside it: it cannot be trained on');
  const instead = annotations
    ? 'its own annotations are used instead'
    : 'without labels it cannot be trained on';
  warnings.push(...unread.map((reason) => `${reason}; ${instead}`));
  const events = annotations?.events ?? [];
  return {
    path,
    ...patientOf(path, edf.header.patient),
    started: edf.header.start,
    duration: edf.duration,
    rate,
    resampled: unusable === null && sources.some((source) => source.rate !== SAMPLE_RATE),
    samples,
    segments,
    labelled: annotations !== null,
    labelsUnread: unread.length > 0,
    events,
    seizures: seizureSpans(events, segments),
    interpolated,
    signals: edf.header.signals.filter(({ isAnnotations }) => !isAnnotations).map(({ label }) => label),
    unusable,
    annotated: edf.header.signals.some(({ isAnnotations }) => isAnnotations),
    texts: inside?.texts ?? [],
    warnings,
  };
}

/** The 19 electrodes; or, with the reason why the detector cannot take it, the signals that can be looked at. */
export function sourcesOf(edf: EdfFile): {
  readonly sources: readonly Omit<ChannelSource, 'channel'>[];
  readonly unusable: string | null;
} {
  try {
    return { sources: chooseChannels(edf), unusable: null };
  } catch (error) {
    if (!(error instanceof MissingElectrodesError)) throw error;
    const sources = viewedChannels(edf);
    if (sources.length === 0) throw error;
    return { sources, unusable: error.problem };
  }
}

/** Longer recordings are not searched for annotations when they are opened: that would take longer than opening may. */
const MAX_SEARCHED_BYTES = 128 << 20;

/** The annotations that the recording itself holds; null where it holds none, or was not searched. */
async function readInside(
  edf: EdfFile,
  bytes: number,
  seizureTexts: SeizureTexts,
): Promise<{
  readonly labels: (Annotations & { readonly file: string }) | null;
  readonly texts: readonly AnnotationText[];
  readonly remarks: readonly string[];
} | null> {
  if (!edf.header.signals.some(({ isAnnotations }) => isAnnotations)) return null;
  if (bytes > MAX_SEARCHED_BYTES && seizureTexts.length === 0)
    return {
      labels: null,
      texts: [],
      remarks: [`its annotations are read when it is said which are seizures`],
    };
  const { events, damaged } = await edf.annotations();
  const labels = edfLabels(events, seizureTexts);
  const remarks = damaged > 0 ? [`${several(damaged, 'annotation')} in it cannot be read`] : [];
  if (!labels && events.length > 0)
    remarks.push(`it holds ${several(events.length, 'annotation')}, and none is known to be a seizure`);
  return { labels: labels && { ...labels, file: edf.name }, texts: textsOf(events), remarks };
}

/** Seconds that BIDS' sidecar gives as RecordingDuration. */
async function sidecarDuration(file: DataFile, warnings: string[]): Promise<number | undefined> {
  try {
    const said = JSON.parse(new TextDecoder().decode(await readBytes(file))) as {
      RecordingDuration?: unknown;
    };
    const { RecordingDuration: seconds } = said;
    return typeof seconds === 'number' && seconds > 0 ? seconds : undefined;
  } catch (error) {
    warnings.push(`${file.path} is not read: ${messageOf(error)}`);
    return undefined;
  }
}

/** The first of `files` that can be read, with a remark on those before it; why others cannot where none can. */
async function readAnnotations(
  files: readonly DataFile[],
  recording: string,
): Promise<{
  readonly beside: (Annotations & { readonly file: string }) | null;
  readonly unread: readonly string[];
}> {
  const unread: string[] = [];
  for (const file of files) {
    try {
      const parsed = readAnnotationFile(file.path, await readBytes(file), recording);
      if (!parsed) continue;
      const remarks = unread.map((reason) => `${reason}; ${file.path} is used instead`);
      const beside = { ...parsed, file: file.path, warnings: [...remarks, ...parsed.warnings] };
      return { beside, unread: [] };
    } catch (error) {
      // Whatever a file throws costs that file alone.
      unread.push(
        error instanceof DataError ? error.message : `${file.path} is not read: ${messageOf(error)}`,
      );
    }
  }
  return { beside: null, unread };
}

async function readBytes(file: DataFile): Promise<Uint8Array> {
  const source = sourceOf(file);
  if (source.size > MAX_ANNOTATION_BYTES)
    throw new DataError(file.path, 'size', `${source.size} bytes are too many for annotations`);
  return source.read(0, source.size);
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
