/**
 * The commands that start a run, in their order. They are the trainer's and the launcher's
 * (`python -m src …`, `deploy/modal/app.py`), read in their source at 2025-09-21, and those of Modal's own client.
 */
import { MODAL, SMOKE_FILES } from '../config/facts';
import { readConfig } from '../config/settings';
import { commentText, needed, pathWord, shellWord } from './shell';
import { isSmokeRun, type Target } from '../config/targets';
import type { Verdict } from '../config/verdict';
import { verdictFor } from '../estimate/forecast';

export interface LaunchConfig {
  /** Path of the file, below the trainer's folder. */
  readonly name: string;
  readonly text: string;
  readonly target: Target;
  /** Path of the configuration for the smoke run on Modal. */
  readonly smoke?: string;
}

export interface Command {
  /** Its name as a step of the script. */
  readonly id: string;
  readonly text: string;
  /** What it is for. */
  readonly purpose: string;
  readonly caution?: string;
  /** An exit code besides 0 that is a pass. */
  readonly accepts?: number;
}

export const SMOKE_CONFIG = 'configs/modal/smoke_a100.yaml';
const APP = 'deploy/modal/app.py';
const VOLUME = 'brain-go-brr-results';
/** A check that a configuration runs: so many files and seconds. */
const CHECK = `BGB_LIMIT_FILES=${SMOKE_FILES.local} timeout 60`;

const SPLIT = 'data.validation_split';

interface Facts {
  readonly config: string;
  readonly name: string;
  readonly text: string;
  readonly smoke: string;
  readonly isSmoke: boolean;
  readonly target: Target;
  readonly dataDir: string;
  readonly cacheDir: string;
  readonly outputDir: string;
  /** data.validation_split, which build-cache does not read from the file. */
  readonly split: number;
  readonly balanced: boolean;
  readonly epochs: number;
}

function factsOf({ name, text, target, smoke = SMOKE_CONFIG }: LaunchConfig): Facts {
  const { errors, settings } = readConfig(text);
  if (errors.length > 0)
    throw new RangeError(
      `${name} cannot be run, because it cannot be read: ${errors.map(({ message }) => message).join('; ')}. Fix the file first.`,
    );
  const rejected = settings.get(SPLIT)?.problem;
  if (rejected !== undefined)
    throw new RangeError(
      `${name} cannot be run, because production rejects it: ${SPLIT} ${rejected}. Fix the file first.`,
    );
  return {
    config: pathWord(name),
    name,
    text,
    smoke,
    isSmoke: isSmokeRun(name),
    target,
    dataDir: settings.text('data.data_dir'),
    cacheDir: settings.text('data.cache_dir').replace(/\/+$/, ''),
    outputDir: settings.text('experiment.output_dir').replace(/\/+$/, ''),
    split: settings.number(SPLIT),
    balanced: settings.value('data.use_balanced_sampling') !== false,
    epochs: settings.number('training.epochs'),
  };
}

const validate = ({ config }: Facts): Command => ({
  id: 'validate',
  text: `python -m src validate ${config}`,
  purpose: 'Checks whether the trainer accepts the file.',
  caution: 'It also accepts settings that crash later or are ignored: see the issues.',
});

/** build-cache reads no configuration: without the option it splits at 0.2, whatever the run does. */
const buildCache = ({ dataDir, cacheDir, split }: Facts, part: 'train' | 'val'): string =>
  `python -m src build-cache --data-dir ${pathWord(dataDir)} --cache-dir ${pathWord(`${cacheDir}/${part}`)} --validation-split ${split} --split ${part}`;

const scanCache = ({ cacheDir }: Facts): string =>
  `python -m src scan-cache --cache-dir ${pathWord(`${cacheDir}/train`)}`;

const MANIFEST: Pick<Command, 'purpose' | 'caution'> = {
  purpose: 'Writes the manifest from which balanced sampling draws its windows.',
  caution: 'Check its counts: training on a manifest without seizures gives a useless model.',
};

const RESUME_CAUTION =
  'It re-trains the saved epoch, overwrites best.pt after its first epoch, and restarts the early-stopping counter.';

function localCommands(facts: Facts): Command[] {
  const { config, target, balanced } = facts;
  const limit = facts.isSmoke ? `BGB_LIMIT_FILES=${SMOKE_FILES.local} ` : '';
  return [
    ...(target.name === 'wsl2'
      ? [
          {
            id: 'memory',
            text: 'free -h',
            purpose: 'Shows how much RAM WSL2 has: half of the host’s unless .wslconfig says otherwise.',
            caution: `The issues assume ${target.ramGiB} GiB.`,
          },
        ]
      : []),
    validate(facts),
    {
      id: 'build_train',
      text: `${limit}${buildCache(facts, 'train')}`,
      purpose: 'Preprocesses the training recordings once, before training.',
      caution:
        'An average recording takes about 75 MiB of RAM when it is loaded (measured), a long one several times that.',
    },
    {
      id: 'build_val',
      text: `${limit}${buildCache(facts, 'val')}`,
      purpose: 'Does the same for the validation recordings.',
    },
    ...(balanced ? [{ id: 'scan', text: scanCache(facts), ...MANIFEST }] : []),
    {
      id: 'check',
      text: `${CHECK} python -m src train ${config}`,
      purpose: 'Loads two files and trains on the first batches, to see that it runs.',
      caution:
        'Exit code 124 means that it was still running after 60 s, which is a pass. It writes to the same folders as the run.',
      accepts: 124,
    },
    {
      id: 'train',
      text: `${limit}python -m src train ${config}`,
      purpose: facts.isSmoke ? 'Starts the smoke run, on two files.' : 'Starts the run.',
      caution:
        'The first checkpoint is written after the first epoch; a run that is killed earlier leaves nothing.',
    },
    {
      id: 'resume',
      text: `${limit}python -m src train ${config} --resume`,
      purpose: 'Resumes from last.pt in the output folder. --resume is a flag and takes no value.',
      caution: RESUME_CAUTION,
    },
  ];
}

const modalTrain = (config: string, more = ''): string =>
  `modal run --detach ${APP} --action train --config ${config}${more}`;

const inContainer = (command: string): string => `modal shell ${APP}::train --cmd ${shellWord(command)}`;

const APP_ID = needed(
  'APP_ID',
  'APP_ID is not set. It is the ID that modal app list shows and starts with ap-',
);

function modalCommands(facts: Facts): Command[] {
  const { isSmoke } = facts;
  return [
    validate(facts),
    ...modalSetup(facts),
    ...(isSmoke ? [] : [modalCheck(facts)]),
    {
      id: 'smoke',
      text: `modal run ${APP} --action train --config ${isSmoke ? facts.config : pathWord(facts.smoke)}`,
      purpose: `Trains one epoch on ${SMOKE_FILES.modal} files in the same container as the run, in this terminal.`,
      caution: `The limit of ${SMOKE_FILES.modal} files comes from the word smoke in the path. Closing the terminal ends it.`,
    },
    ...(isSmoke ? [] : [...modalCaches(facts), ...modalRun(facts)]),
    ...modalResults(facts),
  ];
}

/** Secrets and the app. */
function modalSetup(facts: Facts): Command[] {
  return [
    {
      id: 'secrets',
      text: 'modal secret list',
      purpose: 'Lists the secrets. The app needs aws-s3-secret and wandb-secret.',
      caution: 'The app does not start without both, even with W&B off.',
    },
    {
      id: 'secret_aws',
      text: `modal secret create aws-s3-secret AWS_ACCESS_KEY_ID=${needed('AWS_ACCESS_KEY_ID', 'AWS_ACCESS_KEY_ID is not set. It is the ID of the key that reads the bucket')} AWS_SECRET_ACCESS_KEY=${needed('AWS_SECRET_ACCESS_KEY', 'AWS_SECRET_ACCESS_KEY is not set. It is the secret of the key that reads the bucket')}`,
      purpose: 'Creates the secret for the corpus in S3, if it is missing.',
      caution: 'The key is visible in the process list while this runs.',
    },
    {
      id: 'secret_wandb',
      text: `modal secret create wandb-secret WANDB_API_KEY=${needed('WANDB_API_KEY', 'WANDB_API_KEY is not set. It is the key of the account, and may be any text while W&B is off')}`,
      purpose: 'Creates the secret for Weights & Biases, if it is missing.',
      caution: 'This version of the trainer does not log there, but the secret must exist.',
    },
    {
      id: 'deploy',
      text: `modal deploy ${APP}`,
      purpose: 'Builds the image and registers the app.',
      caution: `The image contains the configs folder as it is now${facts.name.startsWith('configs/') ? '' : ': put the file below configs/ first'}. Name the configuration in every command.`,
    },
  ];
}

const modalCheck = ({ config }: Facts): Command => ({
  id: 'check',
  text: `${CHECK} python -m src train ${config}`,
  purpose: 'Trains on the first batches on a local machine with a GPU, to see that it runs.',
  caution:
    'Works only where /data/edf/train and /results exist. Exit code 124 means that it was still running after 60 s, which is a pass.',
  accepts: 124,
});

function modalCaches(facts: Facts): Command[] {
  const prepared: Facts = { ...facts, dataDir: MODAL.dataDir };
  return [
    {
      id: 'build_train',
      text: inContainer(buildCache(prepared, 'train')),
      purpose: 'Preprocesses the training recordings on the volume, before the run.',
      caution: 'The container has the run’s GPU and costs the same. Keep the terminal open.',
    },
    {
      id: 'build_val',
      text: inContainer(buildCache(prepared, 'val')),
      purpose: 'Does the same for the validation recordings.',
    },
    ...(facts.balanced ? [{ id: 'scan', text: inContainer(scanCache(facts)), ...MANIFEST }] : []),
  ];
}

/** The run, and how it resumes where it has more than an epoch. */
function modalRun(facts: Facts): Command[] {
  const { config, epochs, target } = facts;
  const resumes = epochs > 1;
  return [
    {
      id: 'train',
      text: modalTrain(config, resumes ? ' --resume' : ''),
      purpose: `Starts the run; it continues when the terminal closes.${resumes ? ' It has --resume from the start, because a restarted container gets the same arguments.' : ''}`,
      caution: `--detach must come before the file; after it, it is passed to the app.${resumes ? ' An existing last.pt in the output folder is resumed; use a new folder for a fresh run.' : ''}`,
    },
    ...(resumes ? [resumeCommand(config, verdictFor(facts.text, facts.name, target))] : []),
  ];
}

/** Log and checkpoint. */
function modalResults({ outputDir }: Facts): Command[] {
  const folder = outputDir.split('/').at(-1) ?? '';
  const best = `${folder}/checkpoints/best.pt`;
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
      caution: 'The launcher keeps only the last part of output_dir, below /results.',
    },
  ];
}

const resumeCommand = (config: string, verdict: Verdict | undefined): Command => ({
  id: 'resume',
  text: modalTrain(config, ' --resume'),
  purpose: resumePurpose(verdict),
  caution: `--resume is a flag: “--resume true” is rejected. ${RESUME_CAUTION}`,
});

function resumePurpose(verdict: Verdict | undefined): string {
  if (!verdict) return 'Resumes from last.pt after a job that ended.';
  const { jobs, epochs } = verdict;
  const each = Number(verdict.epoch.likely.toPrecision(3));
  if (!jobs)
    return `Resumes from last.pt; at ${each} h per epoch no number of jobs completes the run, because each repeats the saved epoch.`;
  const hours = `${epochs} epochs of ${each} h (estimated, or as set for the target)`;
  if (jobs.count === 1)
    return `Resumes after a job that ended early; ${hours} fit one job of ${MODAL.jobHours} h.`;
  const spans = jobs.spans.map(({ first, last }) => `${first}–${last}`).join(', ');
  return `Again after each job that ended: ${hours} take ${jobs.count} jobs of ${MODAL.jobHours} h, with the epochs ${spans}.`;
}

/**
 * The commands for a configuration on its target, in their order; none for the browser, where no command is needed. Throws a
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

/** All commands as a bash script whose arguments are the steps to run, in order. Throws as `commandsFor`. */
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
    `# Runs ${commentText(config.name)} (${config.target.title}), from the trainer’s root.`,
    'set -euo pipefail',
    '',
    'if [[ $# -eq 0 ]]; then',
    "  cat >&2 <<'STEPS'",
    'Name the steps to run, in order:',
    ...usage,
    'STEPS',
    '  exit 2',
    'fi',
    '',
    'for step in "$@"; do',
    '  case "$step" in',
    ...steps,
    '    *)',
    '      printf \'Unknown step “%s”.\\n\' "$step" >&2',
    '      exit 2',
    '      ;;',
    '  esac',
    'done',
    '',
  ].join('\n');
}
