import type { EegWorker } from '../../../training/protocol';
import { Link } from '../../ui/link';

/** To the worker that trains on EEG. */
export type EegLink = Link<EegWorker>;

export const eegLink = (): EegLink =>
  new Link(() => new Worker(new URL('../../../training/worker.ts', import.meta.url), { type: 'module' }));
