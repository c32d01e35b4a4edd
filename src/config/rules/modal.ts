/** Rules about a launch on Modal. */
import { MODAL, SMOKE_FILES } from '../facts';
import { at, LAUNCHER, fixAt, NONE, type Rule } from './rule';

const ON_MODAL = ['modal'] as const;
const MODAL_DATA = MODAL.dataDir;
const EPOCHS = 'training.epochs';

export const MODAL_RULES: readonly Rule[] = [
  {
    id: 'modal-data-dir',
    severity: 'critical',
    targets: ON_MODAL,
    evidence: `${LAUNCHER}: it sets data.data_dir to ${MODAL_DATA} where that folder exists, else to ${MODAL.mount}, where the corpus is mounted.`,
    check: (settings) =>
      settings.text('data.data_dir') === MODAL_DATA
        ? NONE
        : fixAt(
            'data.data_dir',
            MODAL_DATA,
            `the launcher replaces it by ${MODAL_DATA}, or by all of ${MODAL.mount} where that is missing, so a file of the dev or eval set would train on the training set; write ${MODAL_DATA}, so that the file says what is read`,
            'the launcher reads this folder whatever the file says',
          ),
  },
  {
    id: 'modal-fallback',
    severity: 'critical',
    note: true,
    targets: ON_MODAL,
    evidence: `${LAUNCHER}: it forces the convolution fallback for training, and not for evaluation.`,
    check: () =>
      at(
        '',
        'on Modal, training uses the convolution fallback, but evaluation uses Mamba-2 with untrained weights',
      ),
  },
  {
    id: 'not-rented',
    severity: 'high',
    note: true,
    targets: ON_MODAL,
    evidence: 'Modal’s documentation lists the GPUs that it rents.',
    check: (_, { target }) =>
      target.name === 'browser' || target.gpu.onModal
        ? NONE
        : at('', `Modal does not rent the ${target.gpu.name}: choose another GPU for this target`),
  },
  {
    id: 'time-limit',
    needs: 'verdict',
    severity: 'high',
    note: true,
    targets: ON_MODAL,
    evidence: `${LAUNCHER}: its timeout is 86,400 s, which is Modal’s maximum. Hours of an epoch are predicted as “estimate” does, or as set for the target.`,
    check: (_, { verdict }) => {
      if (!verdict || verdict.jobs?.count === 1) return NONE;
      const { jobs, epoch } = verdict;
      const limit = `and a job ends after ${MODAL.jobHours} h`;
      return at(
        EPOCHS,
        jobs
          ? `about ${round(jobs.hours)} h at ${round(epoch.likely)} h per epoch, ${limit}: it takes ${jobs.count} jobs, all with --resume, each of which repeats the saved epoch`
          : `an epoch takes ${round(epoch.likely)} h, ${limit}: no number of jobs completes the run, because each repeats the saved epoch`,
      );
    },
  },
  {
    id: 'smoke-name',
    severity: 'medium',
    note: true,
    targets: ON_MODAL,
    evidence: `${LAUNCHER}: it sets BGB_LIMIT_FILES=${SMOKE_FILES.modal} when “smoke” occurs in the config’s path, and unsets it otherwise.`,
    check: (settings, { smoke }) => {
      const short = settings.number(EPOCHS) <= 1;
      if (smoke === short || Number.isNaN(settings.number(EPOCHS))) return NONE;
      return at(
        EPOCHS,
        smoke
          ? `the path of the file has “smoke” in it, so the launcher takes only ${SMOKE_FILES.modal} files; rename the file for a full run`
          : 'one epoch looks like a smoke run, but the path of the file has no “smoke” in it, so the launcher takes all files; rename the file',
      );
    },
  },
];

const round = (hours: number): string => String(Number(hours.toPrecision(3)));
