import { messageOf } from '../../../base/text';
import { TooLong, WorkerLink } from '../../../run/worker_link';
import type { Inspector } from './worker';

/** Seconds. A text that takes longer is none that the trainer would read either. */
const PATIENCE = 15;

export class InspectorLink extends WorkerLink<Inspector> {
  constructor() {
    super(
      () => new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'inspector' }),
      PATIENCE,
    );
  }
}

/** Why there is no answer about a file: a sentence. */
export const unanswered = (about: string, error: unknown): string =>
  error instanceof TooLong
    ? `Reading ${about} took more than ${PATIENCE} seconds and was stopped. The text is kept as it is.`
    : `${about} could not be checked: ${messageOf(error)}. Its text is kept; reload the page to try again.`;
