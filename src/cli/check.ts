/** `npx smokescan check`: what recordings are and what is wrong with them. No GPU is used. */
import { several } from '../base/text';
import { corpusOf, CORPORA, type Corpus } from '../eeg/files/corpora';
import { pairFiles, type RecordingInfo } from '../eeg/files/recording';
import { SAMPLE_RATE } from '../eeg/signal/preprocess';
import { splitSentence } from '../eeg/windows/split';
import { openRecordings, type OpenedFolder } from '../eeg/windows/dataset';
import { withoutWindow } from '../eeg/windows/windows';
import { flag, runCommand } from './command_line';
import { complain, print } from './print';
import { openFolder, SEIZURE_TEXT, type RecordingFolder } from './recording_folder';
import { aligned } from '../base/table';

const COMMAND = {
  name: 'check',
  takes: ['DIR'],
  about: `Opens every recording below a folder (.edf, .bdf, with the annotations of TUSZ, CHB-MIT, Siena, BIDS or EDF+) and says what it
is: rate, length, channels, labels, patient, remarks; and how many there are of each corpus.`,
  options: { 'seizure-text': SEIZURE_TEXT, json: flag('the same as JSON') },
  notes:
    'Exit code 0; 1 where a recording cannot be used by the detector, or its labels cannot be read; 2 for wrong arguments.',
};

/** Command `check`. */
export const main = (args: readonly string[]): Promise<number> =>
  runCommand(COMMAND, args, ({ given: [dir = ''], values }) =>
    check(dir, values['seizure-text'], values.json),
  );

async function check(dir: string, texts: readonly string[], json: boolean): Promise<number> {
  let folder: RecordingFolder | undefined;
  try {
    folder = await openFolder(dir);
    const opened = await openRecordings(pairFiles(folder.files), Infinity, undefined, texts);
    const checked = opened.recordings.map(checkedOf);
    const counts = countsOf(checked, opened.rejected);
    const { remarks } = folder;
    if (json)
      print(JSON.stringify({ recordings: checked, rejected: opened.rejected, remarks, counts }, null, 2));
    else show(opened, checked, counts, remarks);
    const bad =
      opened.rejected.length +
      remarks.length +
      opened.recordings.filter(({ labelsUnread }) => labelsUnread).length +
      checked.filter(({ unusable }) => unusable !== null).length;
    if (checked.length + opened.rejected.length === 0)
      complain(`There are no recordings (.edf, .bdf) below ${dir}; give the folder that holds them.`);
    return bad > 0 || checked.length === 0 ? 1 : 0;
  } finally {
    await folder?.close();
  }
}

/** What is told of a recording. */
interface Checked {
  readonly path: string;
  readonly corpus: Corpus;
  /** Hz. */
  readonly rate: number;
  /** Seconds. */
  readonly duration: number;
  /** How many stretches without a gap. */
  readonly segments: number;
  readonly channels: readonly string[];
  readonly labelled: boolean;
  readonly seizures: number;
  readonly seizureSeconds: number;
  readonly patient: string;
  readonly patientFrom: string;
  /** Why the detector cannot take it; null where it can. */
  readonly unusable: string | null;
  readonly remarks: readonly string[];
}

function checkedOf(info: RecordingInfo): Checked {
  const { path, rate, duration, segments, signals, labelled, seizures, patient, patientFrom, warnings } =
    info;
  const samples = seizures.reduce((sum, { from, to }) => sum + to - from, 0);
  const unusable = withoutWindow(info) ?? null;
  return {
    path,
    corpus: corpusOf(path, signals),
    rate,
    duration,
    segments: segments.length,
    channels: signals,
    labelled,
    seizures: seizures.length,
    seizureSeconds: samples / SAMPLE_RATE,
    patient,
    patientFrom,
    unusable,
    remarks: info.unusable === null && unusable !== null ? [...warnings, unusable] : warnings,
  };
}

interface Counts {
  readonly corpus: Corpus;
  readonly recordings: number;
  readonly patients: number;
  readonly hours: number;
  readonly labelled: number;
  readonly seizures: number;
  readonly unusable: number;
}

const countsOf = (checked: readonly Checked[], rejected: OpenedFolder['rejected']): Counts[] =>
  CORPORA.flatMap((corpus) => {
    const of = checked.filter((one) => one.corpus === corpus);
    const unread = rejected.filter(({ path }) => corpusOf(path, []) === corpus).length;
    if (of.length + unread === 0) return [];
    return {
      corpus,
      recordings: of.length + unread,
      patients: new Set(of.map(({ patient }) => patient)).size,
      hours: of.reduce((sum, { duration }) => sum + duration, 0) / 3600,
      labelled: of.filter(({ labelled }) => labelled).length,
      seizures: of.reduce((sum, { seizures }) => sum + seizures, 0),
      unusable: of.filter(({ unusable }) => unusable !== null).length + unread,
    };
  });

function show(
  { recordings, rejected }: OpenedFolder,
  checked: readonly Checked[],
  counts: readonly Counts[],
  remarks: readonly string[],
): void {
  const time = (seconds: number): string =>
    [seconds / 3600, (seconds / 60) % 60, seconds % 60]
      .map((part) => String(Math.floor(part)).padStart(2, '0'))
      .join(':');
  const rows = checked.map((one) => [
    one.path,
    one.corpus,
    `${one.rate} Hz`,
    time(one.duration),
    several(one.channels.length, 'channel'),
    one.labelled ? `${one.seizures} ${one.seizures === 1 ? 'seizure' : 'seizures'}` : 'no labels',
    one.patientFrom === 'none' ? '–' : one.patient,
    one.unusable === null ? '' : 'cannot be used',
  ]);
  const lines = aligned(rows);
  for (const [i, line] of lines.entries()) {
    print(line);
    for (const remark of checked[i]?.remarks ?? []) print(`    ${remark}`);
  }
  for (const { reason } of rejected) print(`cannot be read: ${reason}`);
  for (const remark of remarks) print(remark);
  if (counts.length === 0) return;
  print('');
  const head = ['', 'recordings', 'patients', 'hours', 'labelled', 'seizures', 'cannot be used'];
  const table = counts.map((of) => [
    of.corpus,
    ...[of.recordings, of.patients, of.hours.toFixed(2), of.labelled, of.seizures, of.unusable].map(String),
  ]);
  for (const line of aligned([head, ...table])) print(line);
  print(`\n${splitSentence(recordings, 'patient').replace(/^split by patient: /, 'Patients: ')}`);
}
