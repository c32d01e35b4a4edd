/**
 * What is typed to launch a run, in the order in which it is typed. The commands are the trainer's and the launcher's
 * (`python -m src …`, `deploy/modal/app.py`), read in their source at 2025-09-21, and those of Modal's own client.
 */
import { MODAL, SMOKE_FILES } from '../config/facts';
import { planJobs, type Jobs } from '../config/launches';
import { readConfig } from '../config/pyyaml';
import { settingAt } from '../config/schema';
import { commentText, needed, pathWord, shellWord } from './shell';
import { isSmokeRun, likelyHours, type Target } from '../config/targets';

export interface LaunchConfig {
  /** Path of the file, below the trainer's folder. */
  readonly name: string;
  readonly text: string;
  readonly target: Target;
  /** Path of the configuration that is tried first on Modal. */
  readonly smoke?: string;
}

export interface Command {
  /** Its name as a step of the script. */
  readonly id: string;
  readonly text: string;
  /** What it is for. */
  readonly purpose: string;
  readonly caution?: string;
  /** An exit code besides 0 that is no failure. */
  readonly accepts?: number;
}

export const SMOKE_CONFIG = 'configs/modal/smoke_a100.yaml';
const APP = 'deploy/modal/app.py';
const VOLUME = 'brain-go-brr-results';
/** The review’s check that a configuration runs: so many files and seconds. */
const CHECK = `BGB_LIMIT_FILES=${SMOKE_FILES.local} timeout 60`;

interface Facts {
  readonly config: string;
  readonly name: string;
  readonly smoke: string;
  readonly isSmoke: boolean;
  readonly target: Target;
  readonly dataDir: string;
  readonly cacheDir: string;
  readonly outputDir: string;
  readonly balanced: boolean;
  readonly epochs: number;
}

function factsOf({ name, text, target, smoke = SMOKE_CONFIG }: LaunchConfig): Facts {
  const { value, refusals } = readConfig(text);
  if (value === undefined)
    throw new RangeError(
      `${name} cannot be launched, because it cannot be read: ${refusals.map(({ message }) => message).join('; ')}. Mend that first.`,
    );
  const setting = (path: string): string => {
    const read = settingAt(value, path);
    return typeof read === 'string' ? read : '';
  };
  return {
    config: pathWord(name),
    name,
    smoke,
    isSmoke: isSmokeRun(name),
    target,
    dataDir: setting('data.data_dir'),
    cacheDir: setting('data.cache_dir').replace(/\/+$/, ''),
    outputDir: setting('experiment.output_dir').replace(/\/+$/, ''),
    balanced: settingAt(value, 'data.use_balanced_sampling') !== false,
    epochs: Number(settingAt(value, 'training.epochs')),
  };
}

const validate = ({ config }: Facts): Command => ({
  id: 'validate',
  text: `python -m src validate ${config}`,
  purpose: 'The trainer reads the file and says whether it accepts it.',
  caution: 'It accepts much that then crashes or is ignored: the findings say what.',
});

const buildCache = ({ dataDir, cacheDir }: Facts, split: 'train' | 'val'): string =>
  `python -m src build-cache --data-dir ${pathWord(dataDir)} --cache-dir ${pathWord(`${cacheDir}/${split}`)} --split ${split}`;

const scanCache = ({ cacheDir }: Facts): string =>
  `python -m src scan-cache --cache-dir ${pathWord(`${cacheDir}/train`)}`;

const MANIFEST: Pick<Command, 'purpose' | 'caution'> = {
  purpose: 'Writes the manifest from which balanced sampling draws its windows.',
  caution: 'Read its counts: a manifest without seizures trains a useless model.',
};

const RESUME_CAUTION =
  'It repeats the epoch that was saved, its first epoch overwrites best.pt, and early stopping counts anew.';

function localCommands(facts: Facts): Command[] {
  const { config, target, balanced } = facts;
  const limit = facts.isSmoke ? `BGB_LIMIT_FILES=${SMOKE_FILES.local} ` : '';
  return [
    ...(target.name === 'wsl2'
      ? [
          {
            id: 'memory',
            text: 'free -h',
            purpose: 'How much memory WSL2 has: half of the host’s unless .wslconfig says otherwise.',
            caution: `The findings reckon with ${target.ramGiB} GiB.`,
          },
        ]
      : []),
    validate(facts),
    {
      id: 'build_train',
      text: `${limit}${buildCache(facts, 'train')}`,
      purpose: 'Prepares the training recordings once, so that training does not.',
      caution:
        'A mean recording takes about 75 MiB of memory when it is read back (measured), long ones several times that.',
    },
    {
      id: 'build_val',
      text: `${limit}${buildCache(facts, 'val')}`,
      purpose: 'The same for the held-out recordings.',
    },
    ...(balanced ? [{ id: 'scan', text: scanCache(facts), ...MANIFEST }] : []),
    {
      id: 'check',
      text: `${CHECK} python -m src train ${config}`,
      purpose: 'Loads two files and takes the first batches: does it run at all?',
      caution:
        'Exit code 124 means that it still ran after 60 s, which is good. It writes into the same folders as the run.',
      accepts: 124,
    },
    {
      id: 'train',
      text: `${limit}python -m src train ${config}`,
      purpose: facts.isSmoke ? 'The smoke run, on two files.' : 'The run.',
      caution:
        'The first checkpoint is written when the first epoch ends; what is killed before leaves nothing.',
    },
    {
      id: 'resume',
      text: `${limit}python -m src train ${config} --resume`,
      purpose: 'Goes on from last.pt in the output folder. --resume is a flag and takes no value.',
      caution: RESUME_CAUTION,
    },
  ];
}

const modalTrain = (config: string, more = ''): string =>
  `modal run --detach ${APP} --action train --config ${config}${more}`;

const inContainer = (command: string): string => `modal shell ${APP}::train --cmd ${shellWord(command)}`;

const APP_ID = needed(
  'APP_ID',
  'APP_ID is not set. It is the id that modal app list shows and begins with ap-',
);

function modalCommands(facts: Facts): Command[] {
  const { config, target, balanced, epochs, isSmoke } = facts;
  const jobs = planJobs(epochs, likelyHours(target));
  const resumes = epochs > 1 && !isSmoke;
  const folder = facts.outputDir.split('/').at(-1) ?? '';
  const best = `${folder}/checkpoints/best.pt`;
  const prepared: Facts = { ...facts, dataDir: MODAL.dataDir };
  return [
    validate(facts),
    {
      id: 'secrets',
      text: 'modal secret list',
      purpose: 'Shows which secrets exist. The app needs aws-s3-secret and wandb-secret.',
      caution: 'Without both it does not start, wandb-secret also with W&B off.',
    },
    {
      id: 'secret_aws',
      text: `modal secret create aws-s3-secret AWS_ACCESS_KEY_ID=${needed('AWS_ACCESS_KEY_ID', 'AWS_ACCESS_KEY_ID is not set. It is the id of the key that reads the bucket')} AWS_SECRET_ACCESS_KEY=${needed('AWS_SECRET_ACCESS_KEY', 'AWS_SECRET_ACCESS_KEY is not set. It is the secret of the key that reads the bucket')}`,
      purpose: 'Creates the key to the corpus in S3, where it is missing.',
      caution: 'Who lists the processes of this machine meanwhile can read it.',
    },
    {
      id: 'secret_wandb',
      text: `modal secret create wandb-secret WANDB_API_KEY=${needed('WANDB_API_KEY', 'WANDB_API_KEY is not set. It is the key of the account, and may be any text while W&B is off')}`,
      purpose: 'Creates the key to Weights & Biases, where it is missing.',
      caution: 'The trainer does not log there at this version; the secret must exist all the same.',
    },
    {
      id: 'deploy',
      text: `modal deploy ${APP}`,
      purpose: 'Builds the image and registers the app.',
      caution: `The image takes the configs folder along as it is now${facts.name.startsWith('configs/') ? '' : ': put the file below configs/ first'}. Name the configuration with every launch.`,
    },
    ...(isSmoke
      ? []
      : [
          {
            id: 'check',
            text: `${CHECK} python -m src train ${config}`,
            purpose: 'On a machine with a GPU of one’s own: does it run at all?',
            caution:
              'Works only where /data/edf/train and /results exist. Exit code 124 means that it still ran after 60 s, which is good.',
            accepts: 124,
          },
        ]),
    {
      id: 'smoke',
      text: `modal run ${APP} --action train --config ${isSmoke ? config : pathWord(facts.smoke)}`,
      purpose: `One epoch on ${SMOKE_FILES.modal} files in the container that the run will have, in this terminal.`,
      caution: `The limit of ${SMOKE_FILES.modal} files follows the word smoke in the path. Ends with the terminal.`,
    },
    ...(isSmoke
      ? []
      : [
          {
            id: 'build_train',
            text: inContainer(buildCache(prepared, 'train')),
            purpose: 'Prepares the recordings on the volume before the run.',
            caution: 'The container has the run’s GPU and is paid like it. Keep the terminal open.',
          },
          {
            id: 'build_val',
            text: inContainer(buildCache(prepared, 'val')),
            purpose: 'The same for the held-out recordings.',
          },
          ...(balanced ? [{ id: 'scan', text: inContainer(scanCache(facts)), ...MANIFEST }] : []),
          {
            id: 'train',
            text: modalTrain(config, resumes ? ' --resume' : ''),
            purpose: `The run; it goes on when the terminal closes.${resumes ? ' With --resume from the start, because a container that is restarted gets the same arguments.' : ''}`,
            caution: `--detach stands before the file, or it is handed to the app.${resumes ? ' A last.pt that is in the output folder already is gone on from: use a new folder for a new run.' : ''}`,
          },
        ]),
    ...(resumes ? [resumeCommand(config, facts, jobs)] : []),
    {
      id: 'apps',
      text: 'modal app list',
      purpose: 'Shows the ids of what runs, ap-….',
    },
    {
      id: 'logs',
      text: `modal app logs -f ${APP_ID}`,
      purpose: 'Follows the log of a detached run, by its id.',
      caution: 'The name of the app does not do.',
    },
    {
      id: 'fetch',
      text: `modal volume get ${VOLUME} ${shellWord(best.startsWith('-') ? `/${best}` : best)}`,
      purpose: 'Copies the best checkpoint from the volume into this folder.',
      caution: 'The launcher keeps only the last name of output_dir, below /results.',
    },
  ];
}

function resumeCommand(config: string, { target, epochs }: Facts, jobs: Jobs | undefined): Command {
  const spans = (jobs?.spans ?? []).map(({ first, last }) => `${first}–${last}`).join(', ');
  const each = likelyHours(target);
  const hours = `${epochs} epochs of ${each} h (as set for the target)`;
  return {
    id: 'resume',
    text: modalTrain(config, ' --resume'),
    purpose:
      jobs === undefined
        ? `Resumes from last.pt; at ${each} h per epoch no number of jobs completes the run, because each repeats the saved epoch.`
        : jobs.count > 1
          ? `Again after each job that ended: ${hours} take ${jobs.count} jobs of ${MODAL.jobHours} h, with the epochs ${spans}.`
          : `Resumes after a job that ended early; ${hours} fit one job of ${MODAL.jobHours} h.`,
    caution: `--resume is a flag: “--resume true” is refused. ${RESUME_CAUTION}`,
  };
}

/**
 * The commands for a configuration on its target, in their order; none for the browser, where nothing is launched. Throws a
 * RangeError with a sentence where the file cannot be read or a path cannot stand in a command.
 */
export function commandsFor(config: LaunchConfig): readonly Command[] {
  const facts = factsOf(config);
  const by: Readonly<Record<Target['name'], (facts: Facts) => Command[]>> = {
    local: localCommands,
    wsl2: localCommands,
    modal: modalCommands,
    browser: () => [],
  };
  return by[config.target.name](facts);
}

/** All commands as a bash script whose arguments are the steps to take, in their order. Throws as `commandsFor`. */
export function scriptFor(config: LaunchConfig): string {
  const commands = commandsFor(config);
  const usage = commands.map(({ id, purpose }) => `  ${id.padEnd(12)} ${purpose}`);
  const steps = commands.flatMap(({ id, text, caution, accepts }) => [
    `    ${id})`,
    ...(caution ? [`      # ${commentText(caution)}`] : []),
    `      ${text}${accepts === undefined ? '' : ` || [[ $? -eq ${accepts} ]]`}`,
    '      ;;',
  ]);
  return [
    '#!/usr/bin/env bash',
    `# Launches ${commentText(config.name)} (${config.target.title}), from the trainer’s folder.`,
    'set -euo pipefail',
    '',
    'if [[ $# -eq 0 ]]; then',
    "  cat >&2 <<'STEPS'",
    'Say which steps to take, in their order:',
    ...usage,
    'STEPS',
    '  exit 2',
    'fi',
    '',
    'for step in "$@"; do',
    '  case "$step" in',
    ...steps,
    '    *)',
    '      printf \'There is no step “%s”.\\n\' "$step" >&2',
    '      exit 2',
    '      ;;',
    '  esac',
    'done',
    '',
  ].join('\n');
}
