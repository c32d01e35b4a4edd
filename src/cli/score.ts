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
import { flag, runCommand } from './command_line';
import { openFolder, SEIZURE_TEXT } from './recording_folder';
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

Exit code 0; 1 where a file cannot be used; 2 for wrong arguments.`,
};

/** Command `score`. */
export const main = (args: readonly string[]): Promise<number> =>
  runCommand(COMMAND, args, async ({ given: [reference = '', detected = ''], values }) => {
    try {
      const { recordings, remarks } = await readPairs(reference, detected, values['seizure-text']);
      for (const remark of remarks) console.error(remark);
      const scores = scoreEvents(recordings);
      console.log(values.json ? JSON.stringify({ ...scores, remarks }, null, 2) : asTable(scores));
      return 0;
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      console.error(error.message);
      return 1;
    }
  });

interface Pairs {
  readonly recordings: readonly ScoredSubject[];
  readonly remarks: readonly string[];
}

/** Annotations, and the length of the recording where it is there. */
type Read = () => Promise<Annotations>;

async function readPairs(
  reference: string,
  detected: string,
  seizureTexts: readonly string[],
): Promise<Pairs> {
  const remarks: string[] = [];
  const references = new Map<string, { readonly path: string; readonly read: Read }>();
  for (const [name, path] of await annotationFiles(reference))
    references.set(name, { path, read: () => read(path) });
  for (const { name, path, read, warnings } of await labelledRecordings(reference, seizureTexts)) {
    references.set(name, { path, read });
    for (const warning of warnings) remarks.push(`${path}: ${warning}`);
  }
  const detections = await annotationFiles(detected);
  if (references.size === 0)
    throw new DataError(
      reference,
      'folder',
      `it has no annotations (${ANNOTATION_EXTENSIONS.join(', ')}, _events.tsv)`,
    );
  // Two files belong together whatever they are called.
  const single = (await stat(reference)).isFile() && (await stat(detected)).isFile();
  const recordings: ScoredSubject[] = [];
  for (const [name, { path, read: readReference }] of [...references].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const other = single ? [...detections.values()][0] : detections.get(name);
    if (other === undefined) remarks.push(`${name} has no detected events: it counts as nothing found`);
    const [wanted, found] = [await readReference(), other === undefined ? null : await read(other)];
    for (const [file, { warnings }] of [
      [path, wanted],
      [other ?? '', found ?? wanted],
    ] as const)
      if (file !== '') for (const warning of warnings) remarks.push(`${file}: ${warning}`);
    const seconds = wanted.duration ?? found?.duration ?? null;
    if (seconds === null)
      throw new DataError(
        path,
        'duration',
        'neither it nor the detected file says how long the recording is',
      );
    if (found && found.duration !== null && Math.abs(found.duration - seconds) > 1)
      remarks.push(
        `${name}: the reference is of ${seconds} s, the detected events are of ${found.duration} s`,
      );
    recordings.push({
      subject: patientOf(name).patient,
      reference: seizures(wanted),
      predicted: found ? seizures(found) : [],
      seconds,
    });
  }
  for (const name of detections.keys())
    if (!single && !references.has(name)) remarks.push(`${name} has no reference and is left out`);
  return { recordings, remarks };
}

/** Recordings below a folder that have labels, by the names of `annotationFiles`. */
async function labelledRecordings(path: string, seizureTexts: readonly string[]) {
  if (!(await stat(path).catch(() => undefined))?.isDirectory()) return [];
  const folder = await openFolder(path);
  try {
    const { recordings } = await openRecordings(pairFiles(folder.files), Infinity, undefined, seizureTexts);
    return recordings.flatMap(({ path: file, duration, events, labelled, warnings }) => {
      if (!labelled) return [];
      const name = file.replace(/\.[^./]*$/, '').replace(/_i?eeg$/i, '');
      const annotations = { duration, events, warnings: [] };
      return [{ name, path: join(path, file), read: () => Promise.resolve(annotations), warnings }];
    });
  } finally {
    await folder.close();
  }
}

/** Paths by name without extension: the path within the folder, or the file's name. */
async function annotationFiles(path: string): Promise<ReadonlyMap<string, string>> {
  const info = await stat(path).catch(() => undefined);
  if (!info) throw new DataError(path, 'path', 'there is no such file or folder');
  const found = new Map<string, string>();
  const add = (name: string, file: string): void => {
    const stem = /^(.*?)(\.predicted)?(\.csv|\.csv_bi|\.tse|\.tse_bi|\.lbl|\.lbl_bi|_events\.tsv)$/i.exec(
      name,
    )?.[1];
    // Where a recording has several, the first extension of the list is read, as the trainer does.
    const recording = stem?.replace(/_i?eeg$/i, '');
    if (recording !== undefined && !found.has(recording)) found.set(recording, file);
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
  for (const file of files.sort()) add(relative(path, file).split(sep).join('/'), file);
  return found;
}

const read = async (path: string): Promise<Annotations> =>
  parseAnnotations(path, decodeAnnotations(await readFile(path)));

/** Of all channels together: each stretch of time once. */
const seizures = ({ events }: Annotations): SeizureEvent[] =>
  union(events.filter(({ label }) => isSeizure(label)).map(({ start, stop }) => ({ start, end: stop })));
