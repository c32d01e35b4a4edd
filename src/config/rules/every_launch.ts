/** What no edit of a file changes, and every launch of such a file has to know: one note. */
import { capital } from '../../base/text';
import { MIB } from '../../base/units';
import { PLATFORMS, type Target } from '../targets';
import { DOCKER_SHM_BYTES, MODAL, SEARCHED_WINDOWS, WINDOW_BYTES } from '../facts';
import type { Settings } from '../settings';
import { at, LAUNCHER, NONE, SOURCE, type Rule } from './rule';

const inMib = (bytes: number): number => Number((bytes / MIB).toPrecision(2));

function partsOf(settings: Settings, { name }: Target): string[] {
  const split = settings.number('data.validation_split') > 0;
  const balanced = settings.value('data.use_balanced_sampling') === true;
  const resumes = settings.number('training.epochs') > 1;
  const modal = name === 'modal';
  // Batches that are read ahead; NaN where one of the three is not known.
  const batches = settings.number('data.num_workers') * settings.number('data.prefetch_factor');
  const shared = batches * settings.number('training.batch_size') * WINDOW_BYTES;
  const part = (holds: boolean, sentence: string): string[] => (holds ? [sentence] : []);
  return [
    ...part(
      modal,
      `both secrets must exist, ${MODAL.secrets.aws} and ${MODAL.secrets.wandb}, the latter also with W&B off`,
    ),
    ...part(
      modal && resumes,
      'launch with --resume: without it a container that is started again starts at epoch 0 and overwrites last.pt',
    ),
    ...part(
      balanced,
      'build the training cache first: a run without it writes an empty manifest, which stays, and trains on all windows',
    ),
    ...part(
      split,
      'report scores on the dev and eval sets: files are cut once in sorted order, so at most one patient is on both sides in TUSZ 2.x, more in older layouts',
    ),
    ...part(
      resumes,
      'copy best.pt and last.pt away before a resume: a resumed run repeats the saved epoch and overwrites best.pt, and a damaged last.pt ends every start',
    ),
    ...part(
      !modal && shared > DOCKER_SHM_BYTES,
      `in Docker give --shm-size or --ipc=host: batches that workers read ahead take up to ${inMib(shared)} MiB of shared memory, of which it has ${inMib(DOCKER_SHM_BYTES)} MiB`,
    ),
  ];
}

export const EVERY_LAUNCH: Rule = {
  id: 'every-launch',
  severity: 'medium',
  note: true,
  targets: PLATFORMS,
  evidence: `${SOURCE}, and run on made-up recordings. ${LAUNCHER}: the secrets. Without a manifest the trainer reads up to ${SEARCHED_WINDOWS.toLocaleString('en')} windows in one process to find a seizure, and ends with an error where it finds none. Docker’s documentation: --shm-size.`,
  check: (settings, { target }) => {
    const parts = partsOf(settings, target);
    return parts.length === 0
      ? NONE
      : at('', parts.map((part, i) => (i === 0 ? part : capital(part))).join('. '));
  },
};
