/** Which public corpus a recording is of, by its name and its channels. */
import { fileName } from '../../base/text';

export const CORPORA = ['TUSZ', 'CHB-MIT', 'Siena', 'SeizeIT', 'BIDS', 'other'] as const;
export type Corpus = (typeof CORPORA)[number];

const BY_NAME: readonly (readonly [RegExp, Corpus])[] = [
  [/^[a-z0-9]{8}_s\d{3}(?:_\d{4})?_t\d{3}\./i, 'TUSZ'],
  [/^chb\d{2}[a-c]?_\d/i, 'CHB-MIT'],
  [/^PN\d{2}-\d/i, 'Siena'],
  [/^P_ID\d+_r\d/i, 'SeizeIT'],
  [/^sub-[a-z0-9]+_.*_i?eeg\./i, 'BIDS'],
];

/** Channels behind the ear and between the ears, by which SeizeIT2 differs from other data sets of BIDS. */
const SEIZEIT = /^(BTE|CROS)/i;

/** `path`: with slashes. `signals`: labels. */
export function corpusOf(path: string, signals: readonly string[]): Corpus {
  const name = fileName(path);
  const corpus = BY_NAME.find(([pattern]) => pattern.test(name))?.[1] ?? 'other';
  return corpus === 'BIDS' && signals.some((label) => SEIZEIT.test(label)) ? 'SeizeIT' : corpus;
}
