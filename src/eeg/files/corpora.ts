/** Which public corpus a recording is of, by its name and those of its folders. */
import { fileName } from '../../base/text';

export const CORPORA = ['TUSZ', 'CHB-MIT', 'Siena', 'SeizeIT', 'BIDS', 'other'] as const;
export type Corpus = (typeof CORPORA)[number];

const BY_NAME: readonly (readonly [RegExp, Corpus])[] = [
  [/^[a-z0-9]{8}_s\d{3}(?:_\d{4})?_t\d{3}\./i, 'TUSZ'],
  [/^chb\d{2}[a-c]?_\d/i, 'CHB-MIT'],
  [/^PN\d{2}-\d/i, 'Siena'],
  [/^P_ID\d+_r\d/i, 'SeizeIT'],
  [/^sub-[a-z0-9]+_.*task-szMonitoring/i, 'SeizeIT'],
  [/^sub-[a-z0-9]+_.*_i?eeg\./i, 'BIDS'],
];

/** `path`: with slashes. SeizeIT2 is a BIDS data set with a task of its own. */
export function corpusOf(path: string): Corpus {
  const name = fileName(path);
  return BY_NAME.find(([pattern]) => pattern.test(name))?.[1] ?? 'other';
}
