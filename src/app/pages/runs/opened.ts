/** Logs of runs that were trained elsewhere, opened from files, each with the configuration that was opened with it. */
import { messageOf } from '../../../base/text';
import { readConfig } from '../../../config/settings';
import { fromTrainer } from '../../../training/config';
import type { ReadLog } from '../../../training/logs/read_log';
import type { EegSettings } from '../../../training/settings';
import { TooLong } from '../../../run/worker_link';
import { isLog, isYaml } from '../../ui/dropped';

export interface OpenedLog extends ReadLog {
  readonly id: string;
  /** undefined where no configuration was opened with it. */
  readonly settings: EegSettings | undefined;
}

/** A configuration has some kilobytes. */
const MAX_CONFIG_BYTES = 1_000_000;

/** The settings that this engine has keys for. Throws, with a sentence. */
async function settingsOf(file: File): Promise<EegSettings> {
  if (file.size > MAX_CONFIG_BYTES) throw new Error('too large for a configuration');
  const { settings, errors } = readConfig(await file.text());
  if (errors[0]) throw new Error(errors[0].message);
  return fromTrainer(settings).settings;
}

/** Reads the logs among files, each by `read`. `problems`: a sentence for each that cannot be used. */
export async function openLogs(
  files: readonly File[],
  read: (file: File) => Promise<ReadLog[]>,
): Promise<{ opened: OpenedLog[]; others: File[]; problems: string[] }> {
  const problems: string[] = [];
  const logs = files.filter(({ name }) => isLog(name));
  const configs = files.filter(({ name }) => isYaml(name));
  let settings: EegSettings | undefined;
  for (const file of configs)
    try {
      if (logs.length === 0) throw new Error('open it together with the log of its run');
      if (configs.length > 1) throw new Error('open one configuration with the logs of its run');
      settings = await settingsOf(file);
    } catch (error) {
      problems.push(`${file.name}: ${messageOf(error)}`);
    }
  const opened: OpenedLog[] = [];
  for (const file of logs)
    try {
      for (const log of await read(file)) opened.push({ ...log, id: crypto.randomUUID(), settings });
    } catch (error) {
      // A reader names the file; that it took too long is said by who waited.
      problems.push(error instanceof TooLong ? `${file.name}: ${error.message}` : messageOf(error));
    }
  const others = files.filter((file) => !logs.includes(file) && !configs.includes(file));
  return { opened, others, problems };
}
