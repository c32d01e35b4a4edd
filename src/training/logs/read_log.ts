/** Logs of runs from files, by their names: event files of TensorBoard and CSV. */
import { quoted, stemOf } from '../../base/text';
import { DataError } from '../../eeg/errors';
import { readEventFile } from './event_file';
import type { Log } from './log';
import { readMetricsCsv } from './metrics_files';

/** Bytes; those of a whole production run are some kilobytes, and a tag a step makes megabytes. */
const MAX_BYTES = 256 * 2 ** 20;

export interface ReadLog {
  readonly name: string;
  readonly log: Log;
  /** A sentence; null where there is nothing to say. */
  readonly remark: string | null;
}

/** Reads a file; a CSV may hold several runs. Throws DataError with what is wrong. */
export async function readLogs(file: File): Promise<ReadLog[]> {
  const { name, size } = file;
  if (size > MAX_BYTES)
    throw new DataError(
      quoted(name),
      'size',
      `it has ${Math.ceil(size / 2 ** 20)} MiB, at most 256 are read`,
    );
  const logs = /\.csv$/i.test(name)
    ? [...readMetricsCsv(await file.text(), name)].map(([run, log]) => ({
        name: run || stemOf(name),
        log,
        remark: null,
      }))
    : [{ ...readEventFile(new Uint8Array(await file.arrayBuffer()), name), name }];
  for (const { log } of logs)
    if (log.size === 0)
      throw new DataError(
        quoted(name),
        'values',
        'no scalar is in it; the trainer writes the first after an epoch',
      );
  return logs;
}
