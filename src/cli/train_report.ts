/** What the command `train` prints while it runs. */
import { several } from '../base/text';
import { availableParallelism } from 'node:os';
import type { RecordingInfo } from '../eeg/files/recording';
import { preparationText } from '../run/protocol';
import type { EegEvent } from '../training/protocol';
import { unlabelledSentence } from '../training/sentences';
import { complain, print } from './print';
import { statusLine } from './status_line';

/** Numbers that JSON has no words for become null. */
export function jsonReport(event: EegEvent): void {
  const plain = (_: string, value: unknown): unknown =>
    ArrayBuffer.isView(value) ? Array.from(value as Float32Array) : value;
  print(JSON.stringify(event.type === 'validated' ? { ...event, results: undefined } : event, plain));
}

/** Usable recordings that something is odd about: the first ten for a person, all of them in the JSON. */
export function reportRemarks(recordings: readonly RecordingInfo[], json: boolean): void {
  const odd = recordings.filter(({ warnings }) => warnings.length > 0);
  if (json) {
    const remarks = odd.map(({ path, warnings }) => ({ path, warnings }));
    print(JSON.stringify({ type: 'opened', recordings: recordings.length, remarks }));
    return;
  }
  if (odd.length === 0) return;
  complain(`${odd.length} of ${recordings.length} recordings are read with a remark:`);
  printFirst(odd.map(({ path, warnings }) => `  ${path}: ${warnings.join('; ')}`));
}

const SHOWN_LINES = 10;

/** The first ten lines, and how many more there are. */
export function printFirst(lines: readonly string[]): void {
  for (const line of lines.slice(0, SHOWN_LINES)) complain(line);
  if (lines.length > SHOWN_LINES) complain(`  and ${lines.length - SHOWN_LINES} more; --json lists all`);
}

/** Lines for a person, and a bar where there is a terminal. */
export function progressReport(): (event: EegEvent) => void {
  let [steps, unsaved] = [0, false];
  const { line, say } = statusLine();
  return (event) => {
    switch (event.type) {
      case 'planned': {
        const { plan } = event;
        ({ steps } = plan);
        const bytes = plan.memory.reduce((sum, { bytes }) => sum + bytes, 0);
        for (const remark of [plan.reason, plan.kernels]) if (remark) say(remark);
        const unlabelled = unlabelledSentence(plan.recordings);
        if (unlabelled !== undefined) say(unlabelled);
        say(
          `${plan.parameters.toLocaleString('en')} parameters, ${several(plan.windows.training, 'window')}, ${several(plan.recordings.validation.length, 'validation recording')}, ${several(steps, 'step')}, ${(bytes / 2 ** 20).toFixed(0)} MiB on the GPU; ${availableParallelism()} cores`,
        );
        return;
      }
      case 'preparing':
        line(preparationText(event));
        return;
      case 'progress': {
        const step = event.metrics.step.at(-1) ?? 0;
        const filled = Math.round((30 * step) / steps);
        line(
          `epoch ${event.epoch} [${'#'.repeat(filled)}${'.'.repeat(30 - filled)}] ${step}/${steps} loss ${(event.metrics.loss.at(-1) ?? NaN).toFixed(4)}, ${event.secondsLeft.toFixed(0)} s left`,
        );
        return;
      }
      case 'validated': {
        const { auroc, taes, sensitivity, falseAlarmsPer24Hours } = event.scores;
        say(
          `epoch ${event.epoch}: AUROC ${auroc?.toFixed(4) ?? '–'}, TAES ${taes.toFixed(3)}, sensitivity ${sensitivity.toFixed(2)} at ${falseAlarmsPer24Hours.toFixed(1)} FA/24 h${event.best ? ' (best)' : ''}`,
        );
        return;
      }
      case 'finished':
        say(`${event.reason} after ${event.steps} steps, ${event.seconds.toFixed(0)} s`);
        return;
      case 'failed':
        line('');
        complain(`${event.failure.message} ${event.failure.advice}`);
        return;
      case 'recovering':
        say(
          `the GPU was lost; resuming from step ${event.step} (${event.attempt} of at most ${event.attempts} times${event.shortSubmits ? '; it was lost at the same step before, so it is given less work at a time' : ''})`,
        );
        return;
      case 'skipped':
        say(
          `step ${event.step} overflowed float16 and was skipped, ${event.skipped} so far; the loss scale is ${event.lossScale} now`,
        );
        return;
      case 'unsaved':
        if (!unsaved) say(`${event.message} Training continues.`);
        unsaved = true;
        return;
      case 'continuing':
        say(`resumed from step ${event.step}`);
        return;
      case 'saved':
        unsaved = false;
        return;
      case 'paused':
      case 'resumed':
      case 'glimpsed':
        return;
      default:
        event satisfies never;
    }
  };
}
