/** Logs of runs from files, by their names: event files of TensorBoard and CSV. */
import { quoted, stemOf } from '../../base/text';
import { DataError } from '../../eeg/errors';
import { readEventFile } from './event_file';
import type { Log } from './log';
import { readMetricsCsv, type ReadMetrics } from './metrics_files';

/** Bytes; those of a whole production run are some kilobytes, and a tag a step makes megabytes. */
const MAX_BYTES = 256 * 2 ** 20;

export interface ReadLog {
  readonly name: string;
  readonly log: Log;
  /** A sentence; null where there is nothing to say. */
  readonly remark: string | null;
}

/** What is to be said of a file is said with its first run. */
const logsOf = ({ runs, remark }: ReadMetrics, name: string): ReadLog[] =>
  [...runs].map(([run, log], i) => ({ name: run || stemOf(name), log, remark: i === 0 ? remark : null }));

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
    ? logsOf(readMetricsCsv(await file.text(), name), name)
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
