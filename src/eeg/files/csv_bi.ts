/** Writes the term-based binary annotations of the TUSZ corpus (`.csv_bi`, csv_v1.0.0); annotations.ts reads them. */
import { checkEvents, type SeizureEvent } from '../events/events';
import { CSV_HEADER } from './annotations';

const MONTAGE_FILE = 'nedc_eas_default_montage.txt';

/**
 * The text of a `.csv_bi` file with one row for each seizure in rising order, and with rows for the time between them
 * where `background` is true, as the corpus has it. `name` is the recording's file name without its ending, `seconds` the
 * recording's length; a confidence that is not given is 1. Throws RangeError for a name of several lines and for times
 * that are not finite.
 */
export function writeCsvBi(
  name: string,
  seconds: number,
  seizures: readonly (SeizureEvent & { readonly confidence?: number })[],
  { background = false } = {},
): string {
  checkEvents(seizures, 'seizure');
  if (/[\r\n]/.test(name))
    throw new RangeError(`the recording's name ${JSON.stringify(name)} has a line break; give it one line`);
  if (!Number.isFinite(seconds) || seconds < 0)
    throw new RangeError(`the recording's length is ${seconds}; it is a number of seconds`);
  const rows: string[] = [];
  const row = (start: number, end: number, label: string, confidence = 1): number =>
    rows.push(['TERM', start.toFixed(4), end.toFixed(4), label, confidence.toFixed(4)].join(','));
  let at = 0;
  for (const { start, end, confidence } of [...seizures].sort((a, b) => a.start - b.start)) {
    if (background && start > at) row(at, start, 'bckg');
    row(start, end, 'seiz', confidence);
    at = Math.max(at, end);
  }
  if (background && at < seconds) row(at, seconds, 'bckg');
  const lines = [
    '# version = csv_v1.0.0',
    `# bname = ${name}`,
    `# duration = ${seconds.toFixed(4)} secs`,
    `# montage_file = ${MONTAGE_FILE}`,
    '#',
    CSV_HEADER,
    ...rows,
  ];
  return `${lines.join('\n')}\n`;
}
