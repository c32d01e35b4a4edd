/**
 * Texts that list the seizures of all recordings of a patient: CHB-MIT's `chb01-summary.txt`
 * (https://physionet.org/content/chbmit) and Siena's `Seizures-list-PN00.txt` (https://physionet.org/content/siena-scalp-eeg).
 */
import { fileName, quoted } from '../../base/text';
import { DataError } from '../errors';
import type { Annotations, LabelledEvent } from './labels';

const CHB_MIT = /^chb\d+-summary\.txt$/i;
const SIENA = /^seizures-list-.*\.txt$/i;

/** Whether a file of this name (without folders) lists the seizures of the recordings in its folder. */
export const isSummary = (name: string): boolean => CHB_MIT.test(name) || SIENA.test(name);

const seizure = (start: number, stop: number): LabelledEvent => ({
  channel: null,
  start,
  stop,
  label: 'seiz',
  confidence: 1,
});

/**
 * What the text of `file` says of the recording of that name; null where it does not name it. Throws DataError that names
 * the line.
 */
export function parseSummary(file: string, text: string, recording: string): Annotations | null {
  const name = fileName(file);
  return SIENA.test(name) ? parseSiena(file, text, recording) : parseChbMit(file, text, recording);
}

const linesOf = (text: string): string[] => text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);

/**
 * `File Name: chb01_03.edf`, then `Seizure Start Time: 2996 seconds` and `Seizure End Time: 3036 seconds`, or with a number,
 * `Seizure 1 Start Time:`.
 */
function parseChbMit(file: string, text: string, recording: string): Annotations | null {
  let [here, found] = [false, false];
  const times: { at: 'start' | 'end'; seconds: number; line: number }[] = [];
  for (const [index, line] of linesOf(text).entries()) {
    const named = /^\s*File Name:\s*(\S+)/i.exec(line)?.[1];
    if (named !== undefined) {
      here = sameName(named, recording);
      found ||= here;
    }
    const [, what = '', written] = /^\s*Seizure\s*\d*\s*(Start|End)\s*Time\s*:\s*(\S+)/i.exec(line) ?? [];
    if (!here || written === undefined) continue;
    const seconds = /^\d+(\.\d+)?$/.test(written) ? Number(written) : NaN;
    if (Number.isNaN(seconds))
      throw new DataError(file, `line ${index + 1}`, `${quoted(written)} is no number of seconds`);
    times.push({ at: what.toLowerCase() === 'start' ? 'start' : 'end', seconds, line: index + 1 });
  }
  return found ? { duration: null, events: pairs(file, times), warnings: [] } : null;
}

/**
 * Clock times, with dots or colons: `File name: PN00-1.edf`, `Registration start time: 19.39.33`, `Seizure start time:
 * 19.58.36` (or `Start time:`) and `Seizure end time:`. A seizure after midnight belongs to the same recording.
 */
function parseSiena(file: string, text: string, recording: string): Annotations | null {
  let [here, found] = [false, false];
  let origin: number | undefined;
  const times: { at: 'start' | 'end'; seconds: number; line: number }[] = [];
  for (const [index, line] of linesOf(text).entries()) {
    const named = /^\s*File name\s*:\s*(\S+)/i.exec(line)?.[1];
    if (named !== undefined) {
      here = sameName(named, recording);
      found ||= here;
      origin = undefined;
    }
    const [, registration, what = '', written] =
      /^\s*(Registration\s+)?(?:Seizure\s+)?(start|end)\s+time\s*:\s*(.*?)\s*$/i.exec(line) ?? [];
    if (!here || written === undefined) continue;
    const isStart = what.toLowerCase() === 'start';
    if (registration !== undefined && !isStart) continue;
    const [, hours, minutes, seconds] = /^(\d{1,2})[.:\s]+(\d{1,2})[.:\s]+(\d{1,2})/.exec(written) ?? [];
    if (seconds === undefined)
      throw new DataError(file, `line ${index + 1}`, `${quoted(written)} is no clock time`);
    const clock = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
    if (registration !== undefined) origin = clock;
    else if (origin === undefined)
      throw new DataError(file, `line ${index + 1}`, 'no registration start time stands before it');
    else
      times.push({ at: isStart ? 'start' : 'end', seconds: (clock - origin + DAY) % DAY, line: index + 1 });
  }
  return found ? { duration: null, events: pairs(file, times), warnings: [] } : null;
}

const DAY = 86_400;

/** The list has `PN01.edf` where the file is `PN01-1.edf`, and an O where the file has a 0. */
function sameName(named: string, recording: string): boolean {
  const plain = (name: string): string =>
    name
      .toLowerCase()
      .replace(/\.(edf|bdf)$/, '')
      .replace(/^pno/, 'pn0');
  const [listed, actual] = [plain(named), plain(fileName(recording))];
  return listed === actual || (/^pn\d+$/.test(listed) && `${listed}-1` === actual);
}

function pairs(
  file: string,
  times: readonly { readonly at: 'start' | 'end'; readonly seconds: number; readonly line: number }[],
): LabelledEvent[] {
  const events: LabelledEvent[] = [];
  let start: number | undefined;
  for (const { at, seconds, line } of times) {
    if (at === 'start') start = seconds;
    else if (start === undefined || seconds < start)
      throw new DataError(file, `line ${line}`, 'a seizure ends there that starts nowhere before');
    else {
      events.push(seizure(start, seconds));
      start = undefined;
    }
  }
  return events;
}
