/** What the launcher on Modal makes of a configuration (its source at 2025-09-21). */
import { MODAL } from './facts';
import type { Settings } from './settings';

/** Its timeout, in seconds: “86,400 s”. */
export const TIMEOUT = `${(3600 * MODAL.jobHours).toLocaleString('en')} s`;

/** Whether a path lies on the volume that outlives the container. */
export const outlives = (path: string): boolean =>
  path === MODAL.results || path.startsWith(`${MODAL.results}/`);

/** The name of the folder below /results: the last of experiment.output_dir, as pathlib has it; `run` without one. */
export function resultsName(settings: Settings): string {
  const output = settings.read('experiment.output_dir');
  if (typeof output !== 'string') return 'run';
  const parts = output.split('/').filter((part) => part !== '' && part !== '.');
  return parts.at(-1) ?? '';
}
