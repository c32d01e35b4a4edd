import { WorkerLink } from '../run/worker_link';
import type { FilesReader } from './files_worker';

/** Seconds for one file. A checkpoint of half a gigabyte takes a few. */
const PATIENCE = 60;

let link: WorkerLink<FilesReader> | undefined;

/** Who reads files of strangers here. */
export const files = (): WorkerLink<FilesReader> =>
  (link ??= new WorkerLink(
    () => new Worker(new URL('./files_worker.ts', import.meta.url), { type: 'module', name: 'files' }),
    PATIENCE,
  ));
