/** What the command `detect` prints while it runs. */
import { several } from '../base/text';
import type { DetectionEvent } from '../detection/protocol';
import type { RecordingInfo } from '../eeg/files/recording';
import { complain, print } from './print';
import { asTable } from './score_table';
import { statusLine } from './status_line';
import { printFirst } from './train_report';

/** Events as lines of JSON, or sentences and a bar where there is a terminal. */
export function detectReport(
  recordings: readonly RecordingInfo[],
  json: boolean,
): (event: DetectionEvent) => void {
  return json ? (event) => print(JSON.stringify(plainEvent(event, recordings))) : forPersons(recordings);
}

/** Without the probabilities, and with the recording's path. */
function plainEvent(event: DetectionEvent, recordings: readonly RecordingInfo[]): unknown {
  if (event.type !== 'detected') return event;
  const { recording, predicted, reference } = event.result;
  const { path, labelled } = recordings[recording] ?? {};
  return { type: event.type, path, predicted, ...(labelled === true && { reference }) };
}

function forPersons(recordings: readonly RecordingInfo[]): (event: DetectionEvent) => void {
  const { line, say } = statusLine();
  let [found, of] = [0, 0];
  return (event) => {
    switch (event.type) {
      case 'planned': {
        const { config, parameters, windows, recordings: chosen, leftOut, bytes } = event;
        printFirst(leftOut.map(({ path, reason }) => `left out: ${path}: ${reason}`));
        const mixer = config.mixer === 'mamba2' ? 'Mamba-2' : 'convolution';
        say(
          `width ${config.baseChannels}, ${several(config.layers, 'layer')}, ${mixer}: ${parameters.toLocaleString('en')} parameters; ${several(windows, 'window')} of ${several(chosen.length, 'recording')}, ${(bytes / 2 ** 20).toFixed(0)} MiB on the GPU`,
        );
        return;
      }
      case 'detecting': {
        const { label, done, total, secondsLeft } = event;
        const left = secondsLeft === undefined ? '' : `, ${secondsLeft.toFixed(0)} s left`;
        line(`${done}/${total} windows${left}: ${label}`);
        return;
      }
      case 'detected': {
        const { recording, predicted } = event.result;
        found += predicted.length;
        of++;
        const events = predicted.map(({ start, end }) => `${start.toFixed(1)}–${end.toFixed(1)} s`);
        const shown = events.slice(0, 10).join(', ') + (events.length > 10 ? ', …' : '');
        say(`${recordings[recording]?.path ?? ''}: ${events.length === 0 ? 'no seizure' : shown}`);
        return;
      }
      case 'unreadable':
        line('');
        complain(`left out: ${event.leftOut.reason}`);
        return;
      case 'finished':
        say(
          `${event.reason === 'stopped' ? 'stopped: ' : ''}${several(found, 'event')} in ${several(of, 'recording')}, ${event.seconds.toFixed(0)} s`,
        );
        if (event.scores) say(asTable(event.scores));
        return;
      case 'failed':
        line('');
        complain(`${event.failure.message} ${event.failure.advice}`);
        return;
      default:
        event satisfies never;
    }
  };
}
