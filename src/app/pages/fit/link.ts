import { Link } from '../../ui/link';
import type { BrowserPredictions } from './browser_worker';
import type { Predictions } from './worker';

/** To a worker of its own for the predictions. */
export const predictionsLink = (name: string): Link<Predictions> =>
  new Link(() => new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name }));

/** To the worker that asks this browser's GPU. */
export const browserLink = (): Link<BrowserPredictions> =>
  new Link(
    () => new Worker(new URL('./browser_worker.ts', import.meta.url), { type: 'module', name: 'browser' }),
  );
