/**
 * The review of 2025-01-19, which a person wrote by hand after a run was killed: what it said, and what is known of it now.
 * Facts are read in the trainer's and the launcher's source at 2025-09-21, or measured, or say what else they are.
 */
import type { Check, CostFigures, Figure, Incident, Risk, Statement } from '../evidence';
import { MODAL_HOURS } from '../../config/launches';
import type { Compared } from '../matrix';
import { PRESETS } from '../../config/presets';
import { TARGETS } from '../../config/targets';
import type { ReviewInput } from './input';

const REVIEW = 'review of 2025-01-19';
const RATES = 'Modal’s rate card, read 2026-07-01';
const RUNS = 'later runs of the trainer';

export const INCIDENT_2025_01_19: Incident = {
  date: '2025-01-19 16:43 UTC',
  machine: 'WSL2 with 31 GB of RAM',
  config: 'configs/review/tusz_train.yaml',
  batchSize: 16,
  workers: 4,
  batchesDone: 127,
  process: 'python (pid 794619), a DataLoader worker',
  memory: '11.3 GB virtual',
  cause:
    'the host’s out-of-memory killer ended a DataLoader worker (“DataLoader worker exited unexpectedly”); it was the host’s RAM that ran out, not the GPU’s memory',
  lost: 'all progress: no checkpoint had been written, because the first is written when an epoch ends. 127 of an epoch’s 3,110 batches of 16 were done (derived: 49,760 windows)',
  factors: [
    '4 workers read whole recordings. A cached recording is one compressed array of overlapping windows: a mean one of 67 windows takes 75 MiB when a single window of it is read, one of 355 windows 395 MiB (measured). Times the workers, with a long tail of lengths, this is what the peaks draw from.',
    'What is in flight is small: 4 workers × 2 batches ahead × 16 windows × 1.23 MB are 0.15 GiB (derived).',
    'WSL2 gives half of the host’s RAM by default, and pinned memory is scarce there.',
    'batch_size 16 counts in the GPU’s memory: 235.3 MiB a window are saved for the backward pass in float32, 117.9 MiB and 25.5 MiB once under bf16 autocast (measured on a CPU with the convolution fallback), 3.7 or 1.9 GiB for 16 windows (derived).',
  ],
  source: REVIEW,
};

const estimate = (likely: number): Figure => ({ likely, basis: 'estimate', source: REVIEW });

const LOCAL_LATER: Figure = { likely: 2.5, low: 2, high: 3, basis: 'estimate', source: RUNS };
const A100_LATER: Figure = { likely: 1, basis: 'estimate', source: RUNS };
const OWNED: Figure = {
  likely: 0,
  basis: 'assumed',
  source: `owned hardware, electricity not counted; ${REVIEW}`,
};
const RATE: Figure = {
  likely: 3.13,
  basis: 'derived',
  source: `GPU $2.50 + 8 cores × $0.047 + 32 GiB × $0.008; ${RATES}`,
};

export const COSTS_2025_01_19: readonly CostFigures[] = [
  { title: 'Local, as the review has it', epochs: 100, hoursPerEpoch: estimate(0.75), dollarsPerHour: OWNED },
  { title: 'Local, as later runs went', epochs: 100, hoursPerEpoch: LOCAL_LATER, dollarsPerHour: OWNED },
  {
    title: 'Modal A100-80GB, as the review has it',
    epochs: 100,
    hoursPerEpoch: estimate(0.25),
    dollarsPerHour: estimate(5.59),
    limitHours: MODAL_HOURS,
    stoppedEarly: { low: 70, high: 100, basis: 'estimate', source: REVIEW },
  },
  {
    title: 'Modal A100-80GB, the review’s hours at the later rates',
    epochs: 100,
    hoursPerEpoch: estimate(0.25),
    dollarsPerHour: RATE,
    limitHours: MODAL_HOURS,
  },
  {
    title: 'Modal A100-80GB, as later runs went at the later rates',
    epochs: 100,
    hoursPerEpoch: A100_LATER,
    dollarsPerHour: RATE,
    limitHours: MODAL_HOURS,
  },
];

const STATEMENTS: readonly Statement[] = [
  {
    section: 'cause',
    said: 'batch_size 16 with the 512-dim Mamba model takes ~8 GB of model memory.',
    state: 'corrected',
    found: 'Model and batch lie in the GPU’s memory. What was killed is a worker process, in the host’s RAM.',
  },
  {
    section: 'cause',
    said: 'num_workers 4 on WSL2: forking duplicates memory.',
    state: 'corrected',
    found:
      'The trainer forces spawn. A spawned worker takes 148 to 181 MB of its own, a forked one 11 MB (measured); the recordings that it inflates take more.',
  },
  {
    section: 'cause',
    said: 'No checkpoint was saved before the crash, all progress was lost.',
    state: 'holds',
    found: 'last.pt is written when an epoch ends; an interrupted epoch is always lost.',
  },
  {
    section: 'changes',
    said: 'configs/local/train.yaml: batch_size 16 → 8 (50 % less), num_workers 4 → 0.',
    state: 'holds',
    found: '0 workers is the change that counts under WSL2.',
  },
  {
    section: 'changes',
    said: 'configs/local/train.yaml: pin_memory and persistent_workers true → false.',
    state: 'corrected',
    found: 'The original set neither, and both are false by default: nothing changed.',
  },
  {
    section: 'changes',
    said: 'configs/local/train.yaml: checkpoint_interval 5 added.',
    state: 'corrected',
    found:
      'The trainer does not know training.checkpoint_interval and drops it without a word: last.pt is written each epoch, with or without it.',
  },
  {
    section: 'changes',
    said: 'configs/modal/train_a100.yaml: batch_size 16 → 64 (4× more), data_dir to the S3 mount /data/edf/train, output_dir to /results/tusz_a100_100ep.',
    state: 'holds',
    found:
      'The launcher replaces data_dir and keeps only the last name of output_dir, whatever the file says.',
  },
  {
    section: 'changes',
    said: 'configs/modal/train_a100.yaml: num_workers 4 → 8 (2× more).',
    state: 'corrected',
    found: 'Training and validation would keep 16 workers alive on 8 cores; the file has 4.',
  },
  {
    section: 'changes',
    said: 'configs/modal/train_a100.yaml: gradient_accumulation_steps and compile_model added.',
    state: 'corrected',
    found:
      'Neither is known to the trainer: nothing is accumulated and nothing is compiled. Both are left out.',
  },
  {
    section: 'changes',
    said: 'configs/local/smoke.yaml and configs/modal/smoke_a100.yaml for quick verification.',
    state: 'holds',
    found:
      'On Modal the limit of 50 files (BGB_LIMIT_FILES=50) follows the word “smoke” in the config’s path. Locally BGB_LIMIT_FILES is set with the command.',
  },
  {
    section: 'deployment',
    said: 'The default examples use smoke configs; later on the same day: the default config is tusz_train_a100.yaml.',
    state: 'open',
    found: 'The two contradict each other. The commands here name the config with every launch.',
  },
  {
    section: 'deployment',
    said: '2025-01-19 18:45 UTC: BGB_LIMIT_FILES is set for smoke runs alone.',
    state: 'holds',
    found: 'It is 50 where “smoke” occurs in the config’s path, and unset otherwise.',
  },
  {
    section: 'deployment',
    said: '2025-01-19 18:45 UTC: the timeout went from 2 h to 30 h.',
    state: 'corrected',
    found: '30 h is refused: 24 h (86,400 s) is Modal’s maximum, and what the app asks for.',
  },
  {
    section: 'deployment',
    said: '2025-01-19 18:45 UTC: resuming works with --resume true and a last.pt in output_dir.',
    state: 'corrected',
    found:
      '--resume is a flag: Modal’s client refuses “--resume true” (“unexpected extra argument”, tried) and “--resume=true”. It needs last.pt below output_dir/checkpoints.',
  },
  {
    section: 'cost',
    said: 'Local: ~45 min an epoch, 75 h, $0. A100: ~15 min an epoch (3× faster), 25 h, $139.75.',
    state: 'corrected',
    found:
      'Later runs took 2 to 3 h an epoch locally and about 1 h on an A100 (estimates). 25 h do not fit one launch of 24 h.',
  },
  {
    section: 'cost',
    said: '$5.59 an hour; with early stopping ~$70–100.',
    state: 'corrected',
    found:
      'At the rates read 2026-07-01 the app’s request costs $3.13 an hour, and 25 h cost $78.25. With the metric’s old name early stopping would have ended every run at epoch 7 (patience 5 + 2), with the score at 0.',
  },
  {
    section: 'risks',
    said: 'High, fixed: BGB_LIMIT_FILES is conditional.',
    state: 'holds',
    found: 'It hangs on the file’s name: a full config with “smoke” in its path trains on 50 files.',
  },
  {
    section: 'risks',
    said: 'High, fixed: checkpoint resumption, with a --checkpoint flag.',
    state: 'corrected',
    found:
      'The flag is --resume. A resumed run repeats the saved epoch, its first epoch overwrites best.pt, and early stopping counts anew.',
  },
  {
    section: 'risks',
    said: 'High, fixed: the timeout is 30 h.',
    state: 'corrected',
    found: '24 h; a long run takes several launches.',
  },
  {
    section: 'recommendations',
    said: 'Test the A100 config locally on one batch: BGB_LIMIT_FILES=2, timeout 60.',
    state: 'holds',
    found:
      'Where the config’s paths exist; /data/edf/train and /results are Modal’s. On Modal the smoke run is that test.',
  },
  {
    section: 'recommendations',
    said: 'Remove the file limit: comment out line 112 of deploy/modal/app.py.',
    state: 'corrected',
    found: 'Not needed: the launcher unsets the limit for every path without “smoke”.',
  },
  {
    section: 'recommendations',
    said: 'Add checkpoint resumption to the training loop: torch.load and model.load_state_dict.',
    state: 'corrected',
    found:
      'Not needed: --resume does it, with optimizer and schedule. Loading the weights alone would lose both.',
  },
  {
    section: 'commands',
    said: '--detach must go before the script.',
    state: 'holds',
    found: 'Behind the file it would be handed to the app.',
  },
  {
    section: 'checklist',
    said: 'Memory calculations validated: ~4, ~11, ~6, ~40 and ~40 GB.',
    state: 'open',
    found: 'They are estimates; nobody measured them, and they do not say which memory they mean.',
  },
  {
    section: 'checklist',
    said: 'Modal secrets configured (aws-s3-secret): needs verification.',
    state: 'corrected',
    found: 'The app needs two: aws-s3-secret and wandb-secret, the latter also with W&B off.',
  },
  {
    section: 'checklist',
    said: 'All critical issues fixed, ready for review.',
    state: 'corrected',
    found: 'The state at the top of this document is counted from the findings.',
  },
];

const RISKS: readonly Risk[] = [
  {
    level: 'high',
    risk: 'Local training: out-of-memory crashes, lost progress',
    state: 'mended',
    note: 'No workers and fewer held-out files. What is killed still loses the epoch it was in.',
  },
  {
    level: 'medium',
    risk: 'No distributed training',
    state: 'accepted',
    note: 'The review wants more of the A100’s potential used; one is asked for, and resources.distributed is never read.',
  },
  {
    level: 'medium',
    risk: 'No gradient checkpointing',
    state: 'open',
    note: 'The trainer has none; it would allow larger batches for more computing.',
  },
  {
    level: 'medium',
    risk: 'No W&B integration: little is seen of a run in the cloud',
    state: 'open',
    note: 'The logger is not wired at this version; follow the log with modal app logs.',
  },
  {
    level: 'low',
    risk: 'No torch.compile',
    state: 'open',
    note: `compile_model is ignored. 10–20 % faster would be possible (estimate: ${REVIEW}).`,
  },
  {
    level: 'low',
    risk: 'Fixed learning rate while the batch goes from 16 to 64',
    state: 'open',
    note: 'Square-root scaling gives 6.0e-4, linear 1.2e-3 (derived); above 1.5e-4 later models gave NaN.',
  },
];

const CHECKS: readonly Check[] = [
  {
    text: 'S3 data: 22,093 files, 84.6 GB',
    verified: true,
    by: `counted for the ${REVIEW}, not since`,
  },
  {
    text: 'Cost approved: the review asked for $140 at most',
    verified: false,
    by: 'later figures are in the table of costs',
  },
];

const REASONS: Readonly<Record<string, string>> = {
  'training.loss':
    'focal with alpha 0.5 and gamma 2 weighs easy samples down and keeps pos_weight; a choice, not needed by any rule',
};

/** Outcome and memory (GB, as the review has it) in its comparison table. */
const COLUMNS: Readonly<Record<string, { outcome: string; memory?: number }>> = {
  'configs/review/tusz_train.yaml': { outcome: 'crashes under WSL2', memory: 11 },
  'configs/local/train.yaml': { outcome: 'safe under WSL2', memory: 6 },
  'configs/modal/train_a100.yaml': { outcome: 'Linux or Modal', memory: 40 },
  'configs/local/smoke.yaml': { outcome: 'runs anywhere', memory: 4 },
  'configs/modal/smoke_a100.yaml': { outcome: 'Linux or Modal' },
  'configs/review/production.yaml': { outcome: 'Linux only', memory: 40 },
};

function compared(name: string): Compared {
  const preset = PRESETS.find((one) => one.name === name);
  if (!preset) throw new RangeError(`There is no preset ${name}.`);
  const { outcome, memory } = COLUMNS[name] ?? {};
  return {
    name,
    text: preset.text,
    target: TARGETS[preset.target],
    purpose: preset.purpose,
    ...(outcome !== undefined && { outcome }),
    ...(memory !== undefined && { memory: [{ ...estimate(memory), unit: 'GB' }] }),
  };
}

/** The review's own case again: the file whose run was killed, and what was made of it. `date` is of this document. */
export const caseOf20250119 = (date: string): ReviewInput => ({
  title: 'Review of the training configuration: after the crash of 2025-01-19',
  date,
  goal: 'Two configurations are made from the one whose run was killed: one to train locally under WSL2 without running out of memory, one to use an A100 on Modal better.',
  before: compared('configs/review/tusz_train.yaml'),
  after: [compared('configs/local/train.yaml'), compared('configs/modal/train_a100.yaml')],
  others: [
    compared('configs/local/smoke.yaml'),
    compared('configs/modal/smoke_a100.yaml'),
    compared('configs/review/production.yaml'),
  ],
  incident: INCIDENT_2025_01_19,
  costs: COSTS_2025_01_19,
  data: [
    'Corpus on S3: 22,093 files, 84.6 GB (counted 2025-01-19).',
    '3,734 EDF files to train on; 252,089 training and 51,901 validation windows at a split of 0.2 (the trainer’s count).',
    'Balanced set: 49,760 windows, 778 batches of 64 or 3,110 of 16 an epoch (derived).',
    'Other GPUs at the rates read 2026-07-01, an hour of the GPU alone: A100-40GB $2.10, L40S $1.95, H100 $3.95.',
  ],
  statements: STATEMENTS,
  risks: RISKS,
  checks: CHECKS,
  reasons: REASONS,
});
