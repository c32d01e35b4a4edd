/** Predicted events as a .csv_bi file, the form of the TUSZ corpus's term-based binary annotations (csv_v1.0.0). */
import { checkEvents, type PredictedEvent } from './events';

const MONTAGE_FILE = 'nedc_eas_default_montage.txt';

/** `name`: the recording's file name without its ending. `seconds`: the recording's length. */
export function writeCsvBi(events: readonly PredictedEvent[], name: string, seconds: number): string {
  checkEvents(events, 'predicted');
  if (/[\r\n]/.test(name))
    throw new RangeError(`the recording's name ${JSON.stringify(name)} has a line break; give it one line`);
  if (!Number.isFinite(seconds) || seconds < 0)
    throw new RangeError(`the recording's length is ${seconds}; it is a number of seconds`);
  const rows = [...events]
    .sort((a, b) => a.start - b.start)
    .map(({ start, end, confidence }) =>
      ['TERM', start.toFixed(4), end.toFixed(4), 'seiz', confidence.toFixed(4)].join(','),
    );
  const lines = [
    '# version = csv_v1.0.0',
    `# bname = ${name}`,
    `# duration = ${seconds.toFixed(4)} secs`,
    `# montage_file = ${MONTAGE_FILE}`,
    '#',
    'channel,start_time,stop_time,label,confidence',
    ...rows,
  ];
  return `${lines.join('\n')}\n`;
}
