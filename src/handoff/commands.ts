/**
 * The commands that start a run, in their order. They are the trainer's and the launcher's
 * (`python -m src …`, `deploy/modal/app.py`), read in their source at 2025-09-21, and those of Modal's own client.
 */
import { MODAL, SMOKE_FILES } from '../config/facts';
import { resultsName } from '../config/launcher';
import { CORRECTED } from '../config/presets';
import { readConfig } from '../config/settings';
import { commentText, containerWord, needed, pathWord, shellWord } from './shell';
import { isSmokeRun, type Target } from '../config/targets';
import type { Verdict } from '../config/verdict';
import { verdictFor } from '../estimate/forecast';

/** A configuration as a file below the trainer's folder. */
export interface NamedText {
  readonly name: string;
  readonly text: string;
}

export interface LaunchConfig extends NamedText {
  readonly target: Target;
  /** The configuration of the smoke run before it; left out: the preset of its machine. */
  readonly smoke?: NamedText | undefined;
}

export interface Command {
  /** Its name as a step of the script. */
  readonly id: string;
  readonly text: string;
  /** What it is for. */
  readonly purpose: string;
  readonly caution?: string;
}

const APP = 'deploy/modal/app.py';
const VOLUME = 'brain-go-brr-results';

/** The preset of a smoke run on Modal, or on a machine of one's own. */
export function smokePreset(modal: boolean): NamedText {
  const name = modal ? 'configs/modal/smoke_a100.yaml' : 'configs/local/smoke.yaml';
  const found = CORRECTED.find((preset) => preset.name === name);
  if (!found) throw new RangeError(`There is no preset ${name}.`);
  return found;
}

const SPLIT = 'data.validation_split';

interface Facts {
  readonly config: string;
  readonly name: string;
  readonly text: string;
  readonly isSmoke: boolean;
  readonly target: Target;
  readonly dataDir: string;
  readonly cacheDir: string;
  /** Name of the folder below /results that the launcher makes of experiment.output_dir. */
  readonly resultsName: string;
  /** data.validation_split, which build-cache does not read from the file. */
  readonly split: number;
  readonly balanced: boolean;
  readonly epochs: number;
}

function factsOf({ name, text }: NamedText, target: Target): Facts {
  const { errors, settings } = readConfig(text);
  if (errors.length > 0)
    throw new RangeError(
      `${name} cannot be run, because it cannot be read: ${errors.map(({ message }) => message).join('; ')}. Fix the file first.`,
    );
  const rejected = settings.get(SPLIT)?.problem;
  if (rejected !== undefined)
    throw new RangeError(
      `${name} cannot be run, because the trainer rejects it: ${SPLIT} ${rejected}. Fix the file first.`,
    );
  return {
    config: pathWord(name),
    name,
    text,
    isSmoke: isSmokeRun(name),
    target,
    dataDir: settings.text('data.data_dir'),
    cacheDir: settings.text('data.cache_dir').replace(/\/+$/, ''),
    resultsName: resultsName(settings),
    split: settings.number(SPLIT),
    balanced: settings.value('data.use_balanced_sampling') !== false,
    epochs: settings.number('training.epochs'),
  };
}

const validate = ({ config }: Facts): Command => ({
  id: 'validate',
  text: `python -m src validate ${config}`,
  purpose: 'Checks whether the trainer accepts the file.',
  caution:
    'Exit code 1: it does not, or there is no such file. It also accepts settings that crash later or are ignored: see the issues.',
});

type Word = (text: string) => string;

/** build-cache reads no configuration: without the option it splits at 0.2, whatever the run does. */
const buildCache = (
  { dataDir, cacheDir, split }: Facts,
  part: 'train' | 'val',
  word: Word = pathWord,
): string =>
  `python -m src build-cache --data-dir ${word(dataDir)} --cache-dir ${word(`${cacheDir}/${part}`)} --validation-split ${split} --split ${part}`;

const scanCache = ({ cacheDir }: Facts, word: Word = pathWord): string =>
  `python -m src scan-cache --cache-dir ${word(`${cacheDir}/train`)}`;

const COUNT_CODE =
  'import pathlib, sys; data, cache, split, edf, end, said = sys.argv[1:]; files = sorted(pathlib.Path(data).rglob(edf)); held = files[: int(len(files) * float(split))]; wrong = [one for one in held if (pathlib.Path(cache) / (one.stem + end)).exists()]; print(len(wrong), said); sys.exit(len(wrong) > 0)';

/** Ends with 1 where recordings that the run validates lie in its training cache. */
const countCached = ({ dataDir, cacheDir, split }: Facts, word: Word = pathWord): string =>
  [
    'python -c',
    ...[COUNT_CODE, dataDir, `${cacheDir}/train`, String(split), '*.edf', '_windows.npz'].map(word),
    word('validation recordings lie in the training cache'),
  ].join(' ');

const CACHED: Pick<Command, 'id' | 'purpose' | 'caution'> = {
  id: 'cached',
  purpose: 'Looks for a cache of another split: it would train on recordings that the run validates.',
  caution:
    'Exit code 1: there is one. Delete it, or name an empty folder as data.cache_dir, and build the cache anew.',
};

const BUILD_CODES =
  'Exit code 0: everything is cached, and the manifest is written. 1: a folder is missing or a recording cannot be read, which the message names. 2: no annotation of a seizure was found.';

const MANIFEST: Pick<Command, 'id' | 'purpose' | 'caution'> = {
  id: 'scan',
  purpose: 'Writes the manifest anew, from which balanced sampling draws its windows, and counts them.',
  caution: `Exit code 2: no seizure is in it. Then a run would read up to 20,000 windows in one process to look for some, and end with an error.`,
};

const RESUME_CAUTION =
  'It re-trains the saved epoch, overwrites best.pt after its first epoch, and restarts the early-stopping counter. Copy last.pt and best.pt away first: neither is written atomically, and with a damaged last.pt every start ends with an error until a copy takes its place.';

/** Labels of the corpus's annotations that are seizures. */
const SEIZURES = ',(seiz|gnsz|fnsz|cpsz|absz|spsz|tcsz|tnsz|mysz),';

/** Links the first recordings with seizures, and their annotations, into a folder of their own. */
const linkRecordings = (from: string, to: string): string =>
  `mkdir -p ${to} && grep -rlE --include='*.csv' '${SEIZURES}' ${from} | sort | sed -n 1,${SMOKE_FILES.local}p | while IFS= read -r csv; do ln -sf "$(realpath "$csv")" "$(realpath "\${csv%.csv}.edf")" ${to}; done`;

/** Seconds in which a smoke run on a machine of one's own ends, several times over. */
const SMOKE_SECONDS = 3600;

/** Everything that a smoke run on a machine of one's own needs, and the run itself. */
function localSmoke(
  smoke: Facts,
  from: string,
  ids: Readonly<Record<'train' | 'val' | 'run', string>>,
): Command[] {
  return [
    {
      id: 'smoke_data',
      text: linkRecordings(from, pathWord(smoke.dataDir)),
      purpose: `Makes the smoke run’s folder: the first ${SMOKE_FILES.local} recordings with seizures, as links.`,
      caution:
        'BGB_LIMIT_FILES does not do this: build-cache ignores it, and so does train where there is a manifest.',
    },
    {
      id: ids.train,
      text: buildCache(smoke, 'train'),
      purpose: 'Preprocesses the training recordings of the smoke run into a cache of its own.',
      caution: BUILD_CODES,
    },
    {
      id: ids.val,
      text: buildCache(smoke, 'val'),
      purpose: 'Does the same for its validation recordings.',
      caution: BUILD_CODES,
    },
    {
      id: ids.run,
      text: `timeout ${SMOKE_SECONDS} python -m src train ${smoke.config}`,
      purpose: 'Trains and validates one epoch on these recordings, to see that everything runs.',
      caution: `Exit code 0: it ran. 1: it failed, and the last lines say why. 124: it was still running after ${SMOKE_SECONDS / 60} minutes, which says nothing: raise the limit. Before the first batch it reads every window once in one process, about 0.4 to 1.7 s each, so some minutes pass without a line.`,
    },
  ];
}

const TUSZ = needed('TUSZ', 'TUSZ is not set. It is the folder with the training recordings of the corpus');

function localCommands(facts: Facts, smoke: Facts): Command[] {
  const { config, target, balanced, isSmoke, dataDir, epochs, split } = facts;
  const memory: Command[] =
    target.name === 'wsl2'
      ? [
          {
            id: 'memory',
            text: 'free -h',
            purpose: 'Shows how much RAM WSL2 has: half of the host’s unless .wslconfig says otherwise.',
            caution: `The issues assume ${target.ramGiB} GiB.`,
          },
        ]
      : [];
  if (isSmoke)
    return [
      ...memory,
      validate(facts),
      ...localSmoke(facts, TUSZ, { train: 'build_train', val: 'build_val', run: 'train' }),
    ];
  return [
    ...memory,
    validate(facts),
    ...localSmoke(smoke, pathWord(dataDir), { train: 'smoke_train', val: 'smoke_val', run: 'smoke' }),
    { ...CACHED, text: countCached(facts) },
    {
      id: 'build_train',
      text: buildCache(facts, 'train'),
      purpose: 'Preprocesses the training recordings once, before training.',
      caution: `${BUILD_CODES} An average recording takes about 75 MiB of RAM when it is loaded (measured), a long one several times that.`,
    },
    // Of nothing held out, it would write a manifest without seizures and end with 2.
    ...(split > 0
      ? [
          {
            id: 'build_val',
            text: buildCache(facts, 'val'),
            purpose: 'Does the same for the validation recordings.',
            caution: BUILD_CODES,
          },
        ]
      : []),
    ...(balanced ? [{ ...MANIFEST, text: scanCache(facts) }] : []),
    {
      id: 'train',
      text: `python -m src train ${config}`,
      purpose: 'Starts the run.',
      caution:
        'Exit code 0: it ended. 1: it failed, and the last lines say why. 130: it was interrupted. 137: it was killed, as the OOM killer does. Up to 1,000 windows are read in one process before the first batch, about a quarter of an hour on the corpus. The first checkpoint is written after the first epoch; a run that is killed earlier leaves nothing.',
    },
    ...(epochs > 1
      ? [
          {
            id: 'resume',
            text: `python -m src train ${config} --resume`,
            purpose: 'Resumes from last.pt in the output folder. --resume is a flag and takes no value.',
            caution: RESUME_CAUTION,
          },
        ]
      : []),
  ];
}

const modalTrain = (config: string, more = ''): string =>
  `modal run --detach ${APP} --action train --config ${config}${more}`;

const inContainer = (command: string): string => `modal shell ${APP}::train --cmd ${shellWord(command)}`;

const APP_ID = needed(
  'APP_ID',
  'APP_ID is not set. It is the ID that modal app list shows and starts with ap-',
);

function modalCommands(facts: Facts, smoke: Facts): Command[] {
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
  ];
}

const NO_MANIFEST =
  ' Without a manifest in its cache it writes an empty one, which stays, and reads up to 20,000 windows in one process before it trains: write data.use_balanced_sampling: false in it.';

const modalSmoke = (smoke: Facts): Command => ({
  id: 'smoke',
  text: `modal run ${APP} --action train --config ${smoke.config}`,
  purpose: `Trains one epoch on ${SMOKE_FILES.modal} files in the same container as the run, in this terminal, with a cache of its own, which it builds.`,
  caution: `The image contains the configs folder as it is now${smoke.name.startsWith('configs/') ? '' : ': put the file below configs/ first'}. The limit of ${SMOKE_FILES.modal} files comes from the word smoke in the path. Exit code 1: it failed, and the log says why. Closing the terminal ends it. Up to 1,000 windows are read in one process before the first batch, about a quarter of an hour.${smoke.balanced ? NO_MANIFEST : ''}`,
});

const SHELL_HOUR =
  'modal shell ends after an hour: repeat the step until it prints that the cache is complete. It first reads again what is cached, about 0.4 s a recording.';

function modalCaches(facts: Facts): Command[] {
  const prepared: Facts = { ...facts, dataDir: MODAL.dataDir };
  return [
    { ...CACHED, text: inContainer(countCached(prepared, containerWord)) },
    {
      id: 'build_train',
      text: inContainer(buildCache(prepared, 'train', containerWord)),
      purpose: 'Preprocesses the training recordings on the volume, before the run.',
      caution: `${SHELL_HOUR} The container has the run’s GPU and costs the same. ${BUILD_CODES}`,
    },
    ...(facts.split > 0
      ? [
          {
            id: 'build_val',
            text: inContainer(buildCache(prepared, 'val', containerWord)),
            purpose: 'Does the same for the validation recordings.',
            caution: `${SHELL_HOUR} ${BUILD_CODES}`,
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
      caution:
        'The launcher keeps only the last part of experiment.output_dir, below /results; without one it is /results/run.',
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
export function commandsFor({ smoke, ...config }: LaunchConfig): readonly Command[] {
  const { target } = config;
  if (target.name === 'browser') return [];
  const facts = factsOf(config, target);
  const modal = target.name === 'modal';
  const own = facts.isSmoke ? facts : factsOf(smoke ?? smokePreset(modal), target);
  return modal ? modalCommands(facts, own) : localCommands(facts, own);
}

/** All commands as a bash script whose arguments are the steps to run, in order. Throws as `commandsFor`. */
export function scriptFor(config: LaunchConfig): string {
  const commands = commandsFor(config);
  const usage = commands.map(({ id, purpose }) => `  ${id.padEnd(12)} ${purpose}`);
  const steps = commands.flatMap(({ id, text, caution }) => [
    `    ${id})`,
    ...(caution ? [`      # ${commentText(caution)}`] : []),
    `      ${text}`,
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
