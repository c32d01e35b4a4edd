/** `npx smokescan score`: detected events against reference events, by every scorer that papers report. No GPU is used. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import { parseArgs } from 'node:util';
import { DataError } from '../eeg/errors';
import { union, type SeizureEvent } from '../eeg/events/events';
import { ANNOTATION_EXTENSIONS, decodeAnnotations, parseAnnotations } from '../eeg/files/annotations';
import { isSeizure, type Annotations } from '../eeg/files/labels';
import { patientOf } from '../eeg/files/recording';
import { scoreEvents, type EventScores, type ScoredSubject } from '../eeg/scores/score_events';

const USAGE = `Usage: smokescan score REFERENCE DETECTED [--json]

Compares detected seizures with reference annotations: two files, or two folders whose files have the same names. Reads
TUSZ (${ANNOTATION_EXTENSIONS.join(', ')}) and BIDS (…_events.tsv); NAME.predicted.csv_bi belongs to NAME. A reference
without a detected file counts as a recording in which nothing was found.
  --json   the scores as JSON, with the counts behind them

Scorers: the trainer's own (TAES, sensitivity, false alarms), SzCORE (timescoring 0.0.7) and NEDC's eeg_eval 6.0.0. Their
numbers must not be compared with each other.

Exit code 0; 1 where a file cannot be used; 2 for wrong arguments.`;

/** Command `score`. */
export async function main(args: string[]): Promise<number> {
  let parsed;
  try {
    parsed = parseArgs({ args, allowPositionals: true, options: { json: { type: 'boolean' } } });
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return 2;
  }
  const [reference, detected, ...more] = parsed.positionals;
  if (reference === undefined || detected === undefined || more.length > 0) {
    console.error(USAGE);
    return 2;
  }
  try {
    const { recordings, remarks } = await readPairs(reference, detected);
    for (const remark of remarks) console.error(remark);
    const scores = scoreEvents(recordings);
    console.log(parsed.values.json ? JSON.stringify({ ...scores, remarks }, null, 2) : asTable(scores));
    return 0;
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    console.error(error.message);
    return 1;
  }
}

interface Pairs {
  readonly recordings: readonly ScoredSubject[];
  readonly remarks: readonly string[];
}

async function readPairs(reference: string, detected: string): Promise<Pairs> {
  const [references, detections] = [await annotationFiles(reference), await annotationFiles(detected)];
  if (references.size === 0)
    throw new DataError(
      reference,
      'folder',
      `it has no annotations (${ANNOTATION_EXTENSIONS.join(', ')}, _events.tsv)`,
    );
  // Two files belong together whatever they are called.
  const single = (await stat(reference)).isFile() && (await stat(detected)).isFile();
  const remarks: string[] = [];
  const recordings: ScoredSubject[] = [];
  for (const [name, path] of [...references].sort()) {
    const other = single ? [...detections.values()][0] : detections.get(name);
    if (other === undefined) remarks.push(`${name} has no detected events: it counts as nothing found`);
    const [wanted, found] = [await read(path), other === undefined ? null : await read(other)];
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

/** Paths by name without extension: the path within the folder, or the file's name. */
async function annotationFiles(path: string): Promise<ReadonlyMap<string, string>> {
  const info = await stat(path).catch(() => undefined);
  if (!info) throw new DataError(path, 'path', 'there is no such file or folder');
  const found = new Map<string, string>();
  const add = (name: string, file: string): void => {
    const stem = /^(.*?)(\.predicted)?(\.csv|\.csv_bi|\.tse|\.tse_bi|_events\.tsv)$/i.exec(name)?.[1];
    // Where a recording has several, the first extension of the list is read, as the trainer does.
    if (stem !== undefined && !found.has(stem)) found.set(stem, file);
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

const HEAD = ['Scorer', 'sensitivity', 'precision', 'F1', 'FA/24 h', 'note'];

function asTable({ recordings, hours, events, trainer, szcore, nedc }: EventScores): string {
  const number = (value: number, digits = 4): string => (Number.isNaN(value) ? '–' : value.toFixed(digits));
  const row = (
    name: string,
    {
      sensitivity,
      precision,
      f1,
      rate,
    }: { sensitivity: number; precision: number; f1: number; rate: number },
    note: string,
  ): string[] => [name, number(sensitivity), number(precision), number(f1), number(rate, 2), note];
  const rows = [
    HEAD,
    row(
      'trainer, any overlap',
      { ...trainer, precision: NaN, f1: NaN, rate: trainer.falseAlarmsPer24Hours },
      `TAES ${number(trainer.taes)}`,
    ),
    ...(['events', 'samples'] as const).flatMap((kind) => {
      const { bySubject, subjects, ...pooled } = szcore[kind];
      return [
        row(
          `SzCORE ${kind}`,
          { ...bySubject, rate: bySubject.falsePositivesPer24Hours },
          `mean of ${subjects} subjects`,
        ),
        row('', { ...pooled, rate: pooled.falsePositivesPer24Hours }, 'pooled'),
      ];
    }),
    ...(
      [
        ['OVLP', nedc.ovlp],
        ['TAES', nedc.taes],
        ['EPOCH', nedc.epoch],
      ] as const
    ).map(([name, scores]) =>
      row(
        `NEDC ${name}`,
        { ...scores, rate: scores.falseAlarmsPer24Hours },
        name === 'EPOCH' ? 'false alarms in seconds' : '',
      ),
    ),
  ];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) =>
        i === 0 || i === HEAD.length - 1 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return [
    `${recordings} recordings, ${number(hours, 2)} h, ${events.reference} reference seizures, ${events.predicted} detected`,
    ...rows.map(line),
  ].join('\n');
}
