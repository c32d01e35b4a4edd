import { WorkerLink } from '../../../run/worker_link';
import type { Inspector } from './worker';

export { TooLong } from '../../../run/worker_link';

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
