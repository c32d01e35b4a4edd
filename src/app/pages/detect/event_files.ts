/** What is saved of a detection: files by their paths, in the folders of their recordings. */
import { stemOf } from '../../../base/text';
import type { RecordingResult } from '../../../detection/protocol';
import { outputNames } from '../../../eeg/events/output_names';
import { writeCsvBi } from '../../../eeg/files/csv_bi';
import { writeEventsTsv } from '../../../eeg/files/events_tsv';
import type { RecordingInfo } from '../../../eeg/files/recording';
import type { EventScores } from '../../../eeg/scores/score_events';

const encode = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

/** csv_bi and BIDS events of each result, and the scores where there are some. */
export function eventFiles(
  results: readonly RecordingResult[],
  recordings: readonly RecordingInfo[],
  scores: EventScores | null,
): Map<string, Uint8Array<ArrayBuffer>> {
  const names = outputNames(recordings.map(({ path }) => path));
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const { recording, predicted } of results) {
    const [info, name] = [recordings[recording], names[recording]];
    if (!info || !name) continue;
    const { path, duration, started } = info;
    const stem = stemOf(path);
    files.set(name.csvBi, encode(writeCsvBi(stem, duration, predicted)));
    files.set(name.eventsTsv, encode(writeEventsTsv(predicted, duration, started)));
  }
  if (scores) files.set('scores.json', encode(`${JSON.stringify(scores, null, 2)}\n`));
  return files;
}
