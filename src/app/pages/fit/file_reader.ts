import { WorkerLink } from '../../../run/worker_link';
import type { FileReaders } from './file_worker';

/** Seconds for a file, as for every other of a stranger. */
export const PATIENCE = 60;

let link: WorkerLink<FileReaders> | undefined;

/** Who reads the files that are given to this page. */
export const fileReader = (): WorkerLink<FileReaders> =>
  (link ??= new WorkerLink(
    () => new Worker(new URL('./file_worker.ts', import.meta.url), { type: 'module', name: 'memory logs' }),
    PATIENCE,
  ));
