/** `npx smokescan score`: detected events against reference events, by every scorer that papers report. No GPU is used. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import { DataError } from '../eeg/errors';
import { union, type SeizureEvent } from '../eeg/events/events';
import { ANNOTATION_EXTENSIONS, decodeAnnotations, parseAnnotations } from '../eeg/files/annotations';
import { isSeizure, type Annotations } from '../eeg/files/labels';
import { patientOf } from '../eeg/files/patient';
import { pairFiles } from '../eeg/files/recording';
import { openRecordings } from '../eeg/windows/dataset';
import { ArgumentError, flag, runCommand } from './command_line';
import { isFileError, sentenceOf } from './file_error';
import { complain, print } from './print';
import { openFolder, SEIZURE_TEXT } from './recording_folder';
import { printFirst } from './train_report';
import { scoreEvents, type ScoredSubject } from '../eeg/scores/score_events';
import { asTable } from './score_table';

const COMMAND = {
  name: 'score',
  takes: ['REFERENCE', 'DETECTED'],
  about: `Compares detected seizures with reference annotations: two files, or two folders whose files have the same names. Reads
TUSZ (${ANNOTATION_EXTENSIONS.join(', ')}) and BIDS (…_events.tsv); NAME.predicted.csv_bi belongs to NAME. A reference
without a detected file counts as a recording in which nothing was found. Where the folder REFERENCE has recordings (.edf, .bdf),
their labels are those that the other commands use: also CHB-MIT's, Siena's and EDF+ annotations.`,
  options: { 'seizure-text': SEIZURE_TEXT, json: flag('the scores as JSON, with the counts behind them') },
  notes: `Scorers: the trainer's own (TAES, sensitivity, false alarms), SzCORE (timescoring 0.0.7) and NEDC's eeg_eval 6.0.0. Their
numbers must not be compared with each other.

Exit code 0; 1 where a file cannot be used, whose recording is then not scored; 2 for wrong arguments.`,
};

/** Command `score`. */
export const main = (args: readonly string[]): Promise<number> =>
  runCommand(COMMAND, args, async ({ given: [reference = '', detected = ''], values }) => {
    const pairs = await readPairs(reference, detected, values['seizure-text']);
    const { recordings, remarks, unusable } = pairs;
    printFirst(remarks);
    for (const sentence of unusable) complain(sentence);
    if (recordings.length > 0) {
      const scores = scoreEvents(recordings);
      print(values.json ? JSON.stringify({ ...scores, remarks, unusable }, null, 2) : asTable(scores));
    }
    return unusable.length > 0 ? 1 : 0;
  });

interface Pairs {
  readonly recordings: readonly ScoredSubject[];
  readonly remarks: readonly string[];
  /** A sentence for each file that cannot be used; its recording is not scored. */
  readonly unusable: readonly string[];
}

/** What a recording is compared with. Recordings are known by `keyOf` their names. */
interface Reference {
  /** Its path in the folder without extension, or the file's name. */
  readonly name: string;
  readonly path: string;
  readonly patient: string;
  /** Annotations, and the length of the recording where it is there. */
  readonly read: () => Promise<Annotations>;
}

async function readPairs(
  reference: string,
  detected: string,
  seizureTexts: readonly string[],
): Promise<Pairs> {
  const remarks: string[] = [];
  const unusable: string[] = [];
  const references = new Map<string, Reference>();
  for (const [key, { name, paths }] of await annotationFiles(reference))
    references.set(key, { name, path: paths[0], patient: patientOf(name).patient, read: () => read(paths) });
  const labelled = await labelledRecordings(reference, seizureTexts);
  for (const recording of labelled.recordings) references.set(keyOf(recording.name), recording);
  for (const { name, reason } of labelled.rejected) if (!references.has(keyOf(name))) unusable.push(reason);
  const detections = await annotationFiles(detected);
  if (references.size === 0)
    throw new DataError(
      reference,
      'folder',
      `it has no annotations (${ANNOTATION_EXTENSIONS.join(', ')}, _events.tsv)`,
    );
  // Two files belong together whatever they are called.
  const [single, isFile] = [(await stat(reference)).isFile(), (await stat(detected)).isFile()];
  if (single !== isFile)
    throw new ArgumentError('one is a file, the other a folder; give two files or two folders');
  if (!single && detections.size > 0 && ![...detections.keys()].some((key) => references.has(key)))
    throw new DataError(
      detected,
      'names',
      `none is that of a reference, as ${[...references.values()][0]?.name}; names count within the folder that is given`,
    );
  const recordings: ScoredSubject[] = [];
  for (const [key, wanted] of [...references].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const found = single ? [...detections.values()][0] : detections.get(key);
    try {
      const pair = await readPair(wanted, found);
      recordings.push(pair.scored);
      for (const remark of pair.remarks) remarks.push(remark);
    } catch (error) {
      if (!(error instanceof DataError || isFileError(error))) throw error;
      unusable.push(`${sentenceOf(error)}; ${wanted.name} is not scored`);
    }
  }
  for (const [key, { name }] of detections)
    if (!single && !references.has(key)) remarks.push(`${name} has no reference and is left out`);
  return { recordings, remarks, unusable };
}

/** One recording. `detected`: what was detected in it. Throws DataError. */
async function readPair(
  { name, path, patient, read: readReference }: Reference,
  detected: AnnotationFiles | undefined,
): Promise<{ readonly scored: ScoredSubject; readonly remarks: readonly string[] }> {
  const wanted = await readReference();
  const found = detected ? await read(detected.paths) : null;
  const remarks = wanted.warnings.map((warning) => `${path}: ${warning}`);
  for (const warning of found?.warnings ?? []) remarks.push(`${detected?.paths[0]}: ${warning}`);
  if (!found) remarks.push(`${name} has no detected events: it counts as nothing found`);
  const seconds = wanted.duration ?? found?.duration ?? null;
  if (seconds === null)
    throw new DataError(path, 'duration', 'neither it nor the detected file says how long the recording is');
  if (found && found.duration !== null && Math.abs(found.duration - seconds) > 1)
    remarks.push(`${name}: the reference is of ${seconds} s, the detected events are of ${found.duration} s`);
  const predicted = found ? seizures(found) : [];
  return { scored: { subject: patient, reference: seizures(wanted), predicted, seconds }, remarks };
}

/** Recordings below a folder that have labels, by the names of `annotationFiles`. */
async function labelledRecordings(path: string, seizureTexts: readonly string[]) {
  if (!(await stat(path).catch(() => undefined))?.isDirectory()) return { recordings: [], rejected: [] };
  const nameOf = (file: string): string => file.replace(/\.[^./]*$/, '').replace(/_i?eeg$/i, '');
  const folder = await openFolder(path);
  try {
    const opened = await openRecordings(pairFiles(folder.files), Infinity, undefined, seizureTexts);
    const recordings = opened.recordings.flatMap((info) => {
      const { path: file, patient, duration, events, labelled, warnings } = info;
      if (!labelled) return [];
      const read: Reference['read'] = () => Promise.resolve({ duration, events, warnings });
      return { name: nameOf(file), path: join(path, file), patient, read };
    });
    const rejected = opened.rejected.map(({ path: file, reason }) => ({ name: nameOf(file), reason }));
    return { recordings, rejected };
  } finally {
    await folder.close();
  }
}

/** Annotations of one recording. */
interface AnnotationFiles {
  /** Its path in the folder without extension, or the file's name. */
  readonly name: string;
  /** The trainer's choice, the first extension of the list, is first. */
  readonly paths: readonly [string, ...string[]];
}

/** Letters that differ in case alone count as the same, as in the names of recordings and their labels. */
const keyOf = (name: string): string => name.toLowerCase();

async function annotationFiles(path: string): Promise<ReadonlyMap<string, AnnotationFiles>> {
  const info = await stat(path);
  const found = new Map<string, AnnotationFiles>();
  const add = (name: string, file: string): void => {
    const stem = /^(.*?)(\.predicted)?(\.csv|\.csv_bi|\.tse|\.tse_bi|\.lbl|\.lbl_bi|_events\.tsv)$/i.exec(
      name,
    )?.[1];
    const recording = stem?.replace(/_i?eeg$/i, '');
    if (recording === undefined) return;
    const known = found.get(keyOf(recording));
    found.set(
      keyOf(recording),
      known ? { ...known, paths: [...known.paths, file] } : { name: recording, paths: [file] },
    );
  };
  if (info.isFile()) {
    add(basename(path), path);
    if (found.size === 0)
      throw new DataError(
        path,
        'name',
        `it ends in none of ${ANNOTATION_EXTENSIONS.join(', ')}, _events.tsv`,
      );
    return found;
  }
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));
  const sorted = files.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  for (const file of sorted) add(relative(path, file).split(sep).join('/'), file);
  return found;
}

/** The first of `paths` that can be read, with a remark on those before it. Throws the first one's error where none can. */
async function read(paths: readonly string[]): Promise<Annotations> {
  const failures: Error[] = [];
  for (const path of paths)
    try {
      const annotations = parseAnnotations(path, decodeAnnotations(await readFile(path)));
      const remarks = failures.map((failure) => `${sentenceOf(failure)}; ${path} is used instead`);
      return { ...annotations, warnings: [...remarks, ...annotations.warnings] };
    } catch (error) {
      if (!(error instanceof DataError || isFileError(error))) throw error;
      failures.push(error);
    }
  throw failures[0] ?? new RangeError('no file was given');
}

/** Of all channels together: each stretch of time once. */
const seizures = ({ events }: Annotations): SeizureEvent[] =>
  union(events.filter(({ label }) => isSeizure(label)).map(({ start, stop }) => ({ start, end: stop })));
