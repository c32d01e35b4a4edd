/** What no edit of a file changes, and every launch of such a file has to know: one note. */
import { PLATFORMS, type Target } from '../targets';
import { WINDOW_BYTES } from '../facts';
import type { Settings } from '../settings';
import { at, LAUNCHER, NONE, SOURCE, type Rule } from './rule';

/** Megabytes of /dev/shm in a Docker container that is started without --shm-size. */
const DOCKER_SHM = 64;

function partsOf(settings: Settings, { name }: Target): string[] {
  const split = settings.number('data.validation_split') > 0;
  const balanced = settings.value('data.use_balanced_sampling') === true;
  const resumes = settings.number('training.epochs') > 1;
  const modal = name === 'modal';
  // Batches that are read ahead; NaN where one of the three is not known.
  const batches = settings.number('data.num_workers') * settings.number('data.prefetch_factor');
  const shared = (batches * settings.number('training.batch_size') * WINDOW_BYTES) / 1e6;
  const part = (holds: boolean, sentence: string): string[] => (holds ? [sentence] : []);
  return [
    ...part(
      modal,
      'the app starts only where both secrets exist, aws-s3-secret and wandb-secret, the latter also with W&B off',
    ),
    ...part(
      modal && resumes,
      'a pre-empted or crashed container starts again with the same arguments: launch with --resume, as the commands here do, or it begins at epoch 0 and overwrites last.pt',
    ),
    ...part(
      balanced,
      'windows are drawn from the manifest of the training cache: build the cache first, for a run without one writes an empty manifest, which stays, takes all windows, reads up to 20,000 of them in one process to find a seizure, and ends with an error where it finds none',
    ),
    ...part(
      split,
      'the files are cut once in sorted order: in TUSZ 2.x’s layout at most one patient is on both sides, in older layouts more; report scores on the corpus’s own dev and eval sets',
    ),
    ...part(
      resumes,
      'a resumed run repeats the saved epoch, its first epoch overwrites best.pt, and an interrupted epoch is lost; neither file is written atomically, and a damaged last.pt ends every start: copy both away before a resume',
    ),
    ...part(
      !modal && shared > DOCKER_SHM,
      `the batches that workers read ahead take up to ${Number(shared.toPrecision(2))} MB of shared memory, and in a Docker container there are ${DOCKER_SHM} MB unless --shm-size or --ipc=host says otherwise`,
    ),
  ];
}

export const EVERY_LAUNCH: Rule = {
  id: 'every-launch',
  severity: 'medium',
  note: true,
  targets: PLATFORMS,
  evidence: `${SOURCE}, and run on made-up recordings. ${LAUNCHER}: the secrets. Docker’s documentation: --shm-size.`,
  check: (settings, { target }) => {
    const parts = partsOf(settings, target);
    return parts.length === 0
      ? NONE
      : at(
          '',
          parts.join('. ').replace(/\. ([a-z])/g, (_, letter: string) => `. ${letter.toUpperCase()}`),
        );
  },
};
