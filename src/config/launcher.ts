/** What the launcher on Modal makes of a configuration (its source at 2025-09-21). */
import type { Settings } from './settings';

/** The name of the folder below /results: the last of experiment.output_dir, as pathlib has it; `run` without one. */
export function resultsName(settings: Settings): string {
  const output = settings.read('experiment.output_dir');
  if (typeof output !== 'string') return 'run';
  const parts = output.split('/').filter((part) => part !== '' && part !== '.');
  return parts.at(-1) ?? '';
}
