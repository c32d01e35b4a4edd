/** Rules about a launch on Modal. */
import { several } from '../../base/text';
import { MODAL, SMOKE_FILES } from '../facts';
import { GPUS } from '../gpus';
import { TIMEOUT } from '../launcher';
import { planJobs } from '../launches';
import { remedyOf } from '../verdict';
import { at, LAUNCHER, fixAt, NONE, SOURCE, type Rule } from './rule';

const ON_MODAL = ['modal'] as const;
const MODAL_DATA = MODAL.dataDir;
const EPOCHS = 'training.epochs';
const WORKERS = 'data.num_workers';

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
    evidence: `${LAUNCHER}: its timeout is ${TIMEOUT}, which is Modal’s maximum. Hours of an epoch are predicted as “estimate” does, or as set for the target.`,
    check: (_, { verdict }) => {
      if (!verdict?.jobs || verdict.jobs.count === 1) return NONE;
      const { jobs, epoch, epochs } = verdict;
      const parts = [
        `${epochs} epochs at ${round(epoch.likely)} h take ${round(epochs * epoch.likely)} h`,
        `repeated epochs ${round(jobs.repeated)} h`,
        ...(jobs.lost > 0.01 ? [`interrupted ones ${round(jobs.lost)} h`] : []),
        ...(jobs.starting > 0.01
          ? [`what is read before each job’s first epoch ${round(jobs.starting)} h`]
          : []),
      ];
      return at(
        EPOCHS,
        `a job ends after ${MODAL.jobHours} h: the run takes ${jobs.count} jobs, all with --resume, each of which repeats the saved epoch, and about ${round(jobs.hours)} h in all: ${parts.join(', ')}`,
      );
    },
  },
  {
    id: 'never-completes',
    needs: 'verdict',
    severity: 'high',
    targets: ON_MODAL,
    evidence: `${LAUNCHER}: its timeout is ${TIMEOUT}, which is Modal’s maximum. ${SOURCE}: a resumed run repeats the saved epoch. Hours of an epoch are predicted as “estimate” does, or as set for the target.`,
    check: (_, { verdict }) => {
      if (!verdict || verdict.jobs) return NONE;
      const { epoch, epochs, start } = verdict;
      const said = `an epoch takes about ${round(epoch.likely)} h, and a job ends after ${MODAL.jobHours} h: no number of jobs completes the run, because each repeats the saved epoch`;
      const loading = remedyOf(verdict, 'loading');
      if (loading && planJobs(epochs, loading.hours, MODAL.jobHours, start.likely))
        return fixAt(
          WORKERS,
          loading.value,
          `${said}; with ${several(loading.value, 'worker')} an epoch takes about ${round(loading.hours)} h; write ${loading.value}`,
          'windows are decompressed beside the GPU',
        );
      if (remedyOf(verdict, 'precision'))
        return fixAt(
          'training.mixed_precision',
          true,
          `${said}; with mixed precision it completes; write true`,
          'the GPU computes faster in float16',
        );
      const gpu = remedyOf(verdict, 'faster-gpu')?.value;
      return at(
        EPOCHS,
        `${said}; ${gpu ? `an ${GPUS[gpu].name} completes it` : 'hold fewer files out, or train for fewer epochs'}`,
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
