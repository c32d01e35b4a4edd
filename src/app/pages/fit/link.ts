import { Link } from '../../state/link';
import type { Predictions } from './worker';

/** To a worker of its own for the predictions. */
export const predictionsLink = (name: string): Link<Predictions> =>
  new Link(() => new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name }));
