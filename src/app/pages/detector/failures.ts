/** What is said where recordings are missing. */
import { several } from '../../../base/text';
import type { Failure } from '../../../run/protocol';
import type { FolderReport } from '../../../training/protocol';
import type { RunSummary } from '../../../training/run_record';

/** Of files that hold no recording, or none that can be read. */
export function nothingUsable({ rejected }: FolderReport): Failure {
  const [first] = rejected;
  const which =
    rejected.length === 1 ? 'The recording cannot' : `None of the ${rejected.length} recordings can`;
  return {
    kind: 'data',
    message: first ? `${which} be used: ${first.reason}` : 'No .edf or .bdf files found.',
    advice: 'Choose a folder with EDF or BDF files that have all 19 electrodes, and their annotation files.',
  };
}

/** Of a stored run whose recordings, which are not synthetic, are not open. */
export function recordingsMissing(data: RunSummary['data']): Failure {
  return {
    kind: 'data',
    message:
      data && 'first' in data
        ? `This run was trained on ${several(data.recordings, 'recording')} from ${data.first} on, which ${data.recordings === 1 ? 'is' : 'are'} not open.`
        : 'The recordings that this run was trained on are not open.',
    advice: 'Open the same folder, or synthetic EEG, under Recordings, then resume the run.',
  };
}

/** A checkpoint is damaged, as `message` says. `older`: whether there is a whole one before it. */
export const checkpointDamaged = (message: string, older: boolean): Failure => ({
  kind: 'damaged',
  message,
  advice: older
    ? 'Nothing was changed. The steps after the older checkpoint are trained again.'
    : 'This run has no undamaged checkpoint. Start a new run with its settings, under Runs.',
});
