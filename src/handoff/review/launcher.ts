/** What is known of the places where a run is started, as sentences of a review. */
import { code, escaped } from '../markdown';
import type { Compared } from '../matrix';
import { readConfig } from '../../config/settings';
import { verdictFor } from '../../estimate/forecast';
import { MODAL, SMOKE_FILES } from '../../config/facts';
import { TIMEOUT } from '../../config/launcher';
import { isSmokeRun, withoutGpu } from '../../config/targets';

const { cores, ramGiB, mount, dataDir, results, secrets, jobHours } = MODAL;

/** Read in the launcher's source. */
export const LAUNCHER_FACTS: readonly string[] = [
  'Image: NVIDIA CUDA 12.1 devel, which compiling Mamba needs.',
  'GPU: A100-80GB; a plain A100 would be the card of 40 GB.',
  `It asks for ${cores} cores and ${ramGiB} GiB of RAM: requests, not caps.`,
  `Volumes: the S3 mount ${mount}, and ${results}, which outlives the container.`,
  `Timeout: ${TIMEOUT}, ${jobHours} h, Modal’s maximum; the default would be 300 s.`,
  'A pre-empted or crashed container restarts with the same arguments; a trainer that ends with an error is not started again.',
  `It replaces ${code('data.data_dir')} by ${dataDir}, or by ${mount} where that is missing, keeps only the last part of ${code('experiment.output_dir')} below ${results}, and puts a relative ${code('experiment.cache_dir')}, not ${code('data.cache_dir')}, below ${results}.`,
  `It sets BGB_LIMIT_FILES=${SMOKE_FILES.modal} where “smoke” occurs in the config’s path, and unsets it otherwise.`,
  'It forces the convolution fallback instead of Mamba-2 in training, and not in evaluation.',
  `It needs both secrets, ${secrets.aws} and ${secrets.wandb}, even with W&B off.`,
];

/** Where a configuration reads and writes. */
export function launchFacts({ name, text, target }: Compared): string {
  const { settings } = readConfig(text);
  const verdict = verdictFor(text, name, target);
  const unpredicted = withoutGpu(settings.value('experiment.device'));
  const folder = (path: string): string => code(settings.text(path));
  const limit =
    target.name === 'modal'
      ? `, ${isSmokeRun(name) ? `on ${SMOKE_FILES.modal} files, because “smoke” is in its path` : 'on all files'}`
      : '';
  return `reads ${folder('data.data_dir')}, caches in ${folder('data.cache_dir')}, writes to ${folder('experiment.output_dir')}${limit}; assumed: ${escaped(target.gpu.name)}, ${target.ramGiB} GiB of RAM, ${target.cores} cores${verdict ? ` and ${Number(verdict.epoch.likely.toPrecision(3))} h per epoch; GPU memory ${verdict.gpu.fit}, system RAM ${verdict.ram.fit}` : unpredicted === undefined ? '' : `; ${unpredicted}`}.`;
}
