/** The commands of a run on Modal: those of its client, and the trainer's within a container of the run's image. */
import { several } from '../../base/text';
import { FIRST_WINDOWS, MODAL, SEARCHED_WINDOWS, SMOKE_FILES } from '../../config/facts';
import type { Verdict } from '../../config/verdict';
import { verdictFor } from '../../estimate/forecast';
import { containerWord, needed, shellWord } from '../shell';
import {
  BUILD_CODES,
  buildHours,
  buildCache,
  CACHED,
  countCached,
  MANIFEST,
  RESUME_CAUTION,
  scanCache,
  validate,
  type Command,
  type Facts,
} from './steps';

const APP = 'deploy/modal/app.py';
const VOLUME = 'brain-go-brr-results';

const modalTrain = (config: string, more = ''): string =>
  `modal run --detach ${APP} --action train --config ${config}${more}`;

const inContainer = (command: string): string => `modal shell ${APP}::train --cmd ${shellWord(command)}`;

const APP_ID = needed(
  'APP_ID',
  'APP_ID is not set. It is the ID that modal app list shows and starts with ap-',
);

/** In their order; `smoke` is the run before it. */
export function modalCommands(facts: Facts, smoke: Facts): Command[] {
  const { isSmoke } = facts;
  return [
    validate(facts),
    ...modalSetup(),
    modalSmoke(isSmoke ? facts : smoke),
    ...(isSmoke ? [] : [...modalCaches(facts), ...modalRun(facts)]),
    ...modalResults(facts),
  ];
}

/** The secrets. `modal run` builds the image and mounts the sources itself. */
function modalSetup(): Command[] {
  return [
    {
      id: 'secrets',
      text: 'modal secret list',
      purpose: `Lists the secrets. The app needs ${MODAL.secrets.aws} and ${MODAL.secrets.wandb}.`,
      caution: 'The app does not start without both, even with W&B off.',
    },
    {
      id: 'secret_aws',
      text: `modal secret create ${MODAL.secrets.aws} AWS_ACCESS_KEY_ID=${needed('AWS_ACCESS_KEY_ID', 'AWS_ACCESS_KEY_ID is not set. It is the ID of the key that reads the bucket')} AWS_SECRET_ACCESS_KEY=${needed('AWS_SECRET_ACCESS_KEY', 'AWS_SECRET_ACCESS_KEY is not set. It is the secret of the key that reads the bucket')}`,
      purpose: 'Creates the secret for the corpus in S3, if it is missing.',
      caution: 'The key is visible in the process list while this runs.',
    },
    {
      id: 'secret_wandb',
      text: `modal secret create ${MODAL.secrets.wandb} WANDB_API_KEY=${needed('WANDB_API_KEY', 'WANDB_API_KEY is not set. It is the key of the account, and may be any text while W&B is off')}`,
      purpose: 'Creates the secret for Weights & Biases, if it is missing.',
      caution: 'This version of the trainer does not log there, but the secret must exist.',
    },
  ];
}

const NO_MANIFEST = ` Without a manifest in its cache it writes an empty one, which stays, and reads up to ${SEARCHED_WINDOWS.toLocaleString('en')} windows in one process before it trains: write data.use_balanced_sampling: false in it.`;

const modalSmoke = (smoke: Facts): Command => ({
  id: 'smoke',
  text: `modal run ${APP} --action train --config ${smoke.config}`,
  purpose: `Trains ${several(smoke.epochs, 'epoch')} on ${SMOKE_FILES.modal} files in the same container as the run, in this terminal, with a cache of its own, which it builds.`,
  caution: `The image contains the configs folder as it is now${smoke.name.startsWith('configs/') ? '' : ': put the file below configs/ first'}. The limit of ${SMOKE_FILES.modal} files comes from the word smoke in the path. Exit code 1: it failed, and the log says why. Closing the terminal ends it. It preprocesses its recordings first. Before the first batch up to ${FIRST_WINDOWS.toLocaleString('en')} windows are read in one process, about a quarter of an hour.${smoke.balanced ? NO_MANIFEST : ''}`,
});

const NO_TRAIN_FOLDER = `the launcher takes ${MODAL.mount} with all that is in it, and so would the run.`;

const SHELL_HOUR =
  'The app’s actions are train and evaluate alone, so no function call builds a cache detached, and modal shell ends after an hour: repeat the step until it prints that the cache is complete. It first reads again what is cached, about 0.4 s a recording.';

function modalCaches(facts: Facts): Command[] {
  const prepared: Facts = { ...facts, dataDir: MODAL.dataDir };
  return [
    ...(facts.balanced ? [{ ...CACHED, text: inContainer(countCached(prepared, containerWord)) }] : []),
    {
      id: 'build_train',
      text: inContainer(buildCache(prepared, 'train', containerWord)),
      purpose: 'Preprocesses the training recordings on the volume, before the run.',
      caution: `${buildHours(facts, 'train')} ${SHELL_HOUR} The container has the run’s GPU and costs the same. ${BUILD_CODES} Where the bucket has no ${MODAL.dataDir}, ${NO_TRAIN_FOLDER}`,
    },
    ...(facts.split > 0
      ? [
          {
            id: 'build_val',
            text: inContainer(buildCache(prepared, 'val', containerWord)),
            purpose: 'Does the same for the validation recordings.',
            caution: `${buildHours(facts, 'val')} ${SHELL_HOUR} ${BUILD_CODES}`,
          },
        ]
      : []),
    ...(facts.balanced ? [{ ...MANIFEST, text: inContainer(scanCache(facts, containerWord)) }] : []),
  ];
}

/** The run, and how it resumes where it has more than an epoch. */
function modalRun(facts: Facts): Command[] {
  const { config, epochs, target, name } = facts;
  const resumes = epochs > 1;
  const put = name.startsWith('configs/')
    ? ''
    : ' The image contains configs/ alone: put the file there first.';
  return [
    {
      id: 'train',
      text: modalTrain(config, resumes ? ' --resume' : ''),
      purpose: `Starts the run; it continues when the terminal closes.${resumes ? ' It has --resume from the start, because a container that is pre-empted or crashes starts again with the same arguments.' : ''}`,
      caution: `--detach must come before the file; after it, it is passed to the app.${put} A trainer that ends with an error is not started again.${resumes ? ' An existing last.pt in the output folder is resumed; use a new folder for a fresh run.' : ''}`,
    },
    ...(resumes ? [resumeCommand(config, verdictFor(facts.text, facts.name, target))] : []),
  ];
}

/** Log and checkpoint. */
function modalResults({ resultsName }: Facts): Command[] {
  const best = `${resultsName === '' ? '' : `${resultsName}/`}checkpoints/best.pt`;
  return [
    {
      id: 'apps',
      text: 'modal app list',
      purpose: 'Lists the running apps with their IDs, ap-….',
    },
    {
      id: 'logs',
      text: `modal app logs -f ${APP_ID}`,
      purpose: 'Follows the log of a detached run.',
      caution: 'Use the app ID, not its name.',
    },
    {
      id: 'fetch',
      text: `modal volume get ${VOLUME} ${shellWord(best.startsWith('-') ? `/${best}` : best)}`,
      purpose: 'Copies the best checkpoint from the volume into this folder.',
      caution: `The launcher keeps only the last part of experiment.output_dir, below ${MODAL.results}; without one it is ${MODAL.results}/run.`,
    },
  ];
}

const resumeCommand = (config: string, verdict: Verdict | undefined): Command => ({
  id: 'resume',
  text: modalTrain(config, ' --resume'),
  purpose: resumePurpose(verdict),
  caution: `--resume is a flag: “--resume true” is rejected. ${RESUME_CAUTION}`,
});

/** So many jobs are listed each by itself. */
const LISTED = 6;

function resumePurpose(verdict: Verdict | undefined): string {
  if (!verdict) return 'Resumes from last.pt after a job that ended.';
  const { jobs, epochs } = verdict;
  const each = Number(verdict.epoch.likely.toPrecision(3));
  if (!jobs)
    return `Resumes from last.pt; at ${each} h per epoch no number of jobs completes the run, because each repeats the saved epoch.`;
  const hours = `${epochs} epochs of ${each} h (estimated, or as set for the target)`;
  if (jobs.count === 1)
    return `Resumes after a job that ended early; ${hours} fit one job of ${MODAL.jobHours} h.`;
  const all = jobs.spans.map(({ first, last }) => `${first}–${last}`);
  const spans = (all.length > LISTED ? [...all.slice(0, 3), '…', all.at(-1)] : all).join(', ');
  return `Again after each job that ended: ${hours} take ${jobs.count} jobs of ${MODAL.jobHours} h, with the epochs ${spans}.`;
}
