/** The commands of a run on a machine of one's own. */
import { several } from '../../base/text';
import { FIRST_WINDOWS, SMOKE_FILES } from '../../config/facts';
import { verdictFor } from '../../estimate/forecast';
import { needed, pathWord } from '../shell';
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

/** Labels of the corpus's annotations that are seizures. */
const SEIZURES = ',(seiz|gnsz|fnsz|cpsz|absz|spsz|tcsz|tnsz|mysz),';

/**
 * Links the first recordings with seizures, and their annotations, into a folder of their own. Ends with 1 where that has
 * recordings that are no links, or fewer than `fewest` came of it.
 */
const linkRecordings = (from: string, to: string, fewest: number): string =>
  `mkdir -p ${to} && if find -H ${to} -name '*.edf' -type f | grep .; then false; else grep -rlE --include='*.csv' '${SEIZURES}' ${from} | sort | sed -n 1,${SMOKE_FILES.local}p | while IFS= read -r csv; do ln -sf "$(realpath "$csv")" "$(realpath "\${csv%.csv}.edf")" ${to}; done; find -H ${to} -name '*.edf' | sed -n ${fewest}p | grep -q .; fi`;

/** Fewest of the smoke run's files of which a split holds one out, as the trainer counts; one too many where it holds none out of all. */
function fewestFiles(split: number): number {
  let count = 1;
  while (count <= SMOKE_FILES.local && count * split < 1) count++;
  return count;
}

/** A smoke run is given so many times the hours that are predicted for it at most, in whole minutes. */
const TIMES = 2;

/** The run of a smoke configuration, and how long it may take. */
function smokeRun(smoke: Facts, id: string): Command {
  const hours = verdictFor(smoke.text, smoke.name, smoke.target)?.time.need;
  const minutes = hours && Math.ceil(60 * TIMES * hours.high);
  const limit = minutes === undefined ? '' : `timeout ${60 * minutes} `;
  const predicted =
    hours === undefined
      ? 'How long it takes is not predicted.'
      : `It is predicted to take ${Math.round(60 * hours.low)} to ${Math.round(60 * hours.high)} minutes. 124: it was still running after ${minutes}, which says nothing: raise the limit.`;
  return {
    id,
    text: `${limit}python -m src train ${smoke.config}`,
    purpose: `Trains and validates ${several(smoke.epochs, 'epoch')} on these recordings, to see that everything runs.`,
    caution: `Exit code 0: it ran. 1: it failed, and the last lines say why. ${predicted} Before the first batch it reads up to ${FIRST_WINDOWS.toLocaleString('en')} windows in one process, about 0.4 to 1.7 s each, so some minutes pass without a line.`,
  };
}

/** Everything that a smoke run on a machine of one's own needs, and the run itself. */
function localSmoke(
  smoke: Facts,
  from: string,
  ids: Readonly<Record<'train' | 'val' | 'run', string>>,
): Command[] {
  const fewest = fewestFiles(smoke.split);
  return [
    {
      id: 'smoke_data',
      text: linkRecordings(from, pathWord(smoke.dataDir), fewest),
      purpose: `Makes the smoke run’s folder: the first ${SMOKE_FILES.local} recordings with seizures, as links.`,
      caution: `Exit code 1: the folder has recordings of its own, of which it prints the names: name an empty one as data.data_dir of ${smoke.name}. Or fewer than ${fewest} recordings with seizures were found: a split of ${smoke.split} then holds none out, and the run would fail after its first epoch. BGB_LIMIT_FILES does not do this: build-cache ignores it, and so does train where there is a manifest.`,
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
    smokeRun(smoke, ids.run),
  ];
}

const TUSZ = needed('TUSZ', 'TUSZ is not set. It is the folder with the training recordings of the corpus');

/** In their order; `smoke` is the run before it. */
export function localCommands(facts: Facts, smoke: Facts): Command[] {
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
    ...(balanced ? [{ ...CACHED, text: countCached(facts) }] : []),
    {
      id: 'build_train',
      text: buildCache(facts, 'train'),
      purpose: 'Preprocesses the training recordings once, before training.',
      caution: `${buildHours(facts, 'train')} ${BUILD_CODES} An average recording takes about 75 MiB of RAM when it is loaded (measured), a long one several times that.`,
    },
    // Of nothing held out, it would write a manifest without seizures and end with 2.
    ...(split > 0
      ? [
          {
            id: 'build_val',
            text: buildCache(facts, 'val'),
            purpose: 'Does the same for the validation recordings.',
            caution: `${buildHours(facts, 'val')} ${BUILD_CODES}`,
          },
        ]
      : []),
    ...(balanced ? [{ ...MANIFEST, text: scanCache(facts) }] : []),
    {
      id: 'train',
      text: `python -m src train ${config}`,
      purpose: 'Starts the run.',
      caution: `Exit code 0: it ended. 1: it failed, and the last lines say why. 130: it was interrupted. 137: it was killed, as the OOM killer does. Before each epoch’s first batch up to ${FIRST_WINDOWS.toLocaleString('en')} windows are read in one process, about a quarter of an hour on the corpus. The first checkpoint is written after the first epoch; a run that is killed earlier leaves nothing.`,
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
