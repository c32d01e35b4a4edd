/** Sections evaluation, experiment, logging, resources. */
import { FALSE_ALARM_RATES } from '../../base/production';
import { above, bool, choice, int, keysOf, list, number, text, type Key } from './declare';

const evaluation = keysOf('evaluation');
const { live, half, dead } = keysOf('experiment');
const logging = keysOf('logging');
const resources = keysOf('resources');

const UNWIRED = { why: 'the logger of Weights & Biases is not wired at this version' };

export const OTHER: readonly Key[] = [
  evaluation.dead(
    'metrics',
    list(text),
    ['taes', 'sensitivity', 'specificity', 'auroc'],
    'Scores to compute.',
  ),
  evaluation.live(
    'fa_rates',
    list(number),
    FALSE_ALARM_RATES,
    'Rates of false alarms at which sensitivity is given. Listed, they become floats, and with them the names of the scores: 10 gives sensitivity_at_10.0fa.',
    { unit: 'false alarms in 24 h' },
  ),
  evaluation.dead('save_predictions', bool, false, 'Whether predictions are kept as files.'),
  evaluation.dead('save_plots', bool, true, 'Whether plots are kept as files.'),
  dead('name', text, 'debug', 'Name of the experiment; for people.'),
  dead('description', text, 'default experiment', 'What the experiment is about; for people.'),
  live(
    'seed',
    { type: 'int' },
    42,
    'Of the weights, the dropout and the order of windows; from 0 to 4294967295, beyond which it validates and then crashes.',
  ),
  live(
    'device',
    choice('auto', 'cuda', 'cpu', 'mps'),
    'auto',
    'Where it trains; auto takes CUDA where there is one.',
  ),
  live(
    'output_dir',
    text,
    'results',
    'Folder of the run: checkpoints/last.pt and best.pt below it. On Modal its last name alone counts, below /results, and without it the folder is /results/run.',
  ),
  half('cache_dir', text, 'cache', 'A second place for the folder of prepared windows.', {
    why: 'data.cache_dir is the one that is used; where they differ there is a warning',
  }),
  dead('log_level', choice('DEBUG', 'INFO', 'WARNING', 'ERROR'), 'INFO', 'How much is logged.'),
  dead('save_model', bool, false, 'Whether checkpoints are kept.', {
    why: 'last.pt and best.pt are always written',
  }),
  dead('save_best_only', bool, true, 'Whether best.pt alone is kept.', {
    why: 'last.pt and best.pt are always written',
  }),
  dead('wandb.enabled', bool, false, 'Whether Weights & Biases logs the run.', UNWIRED),
  dead('wandb.project', text, 'seizure-detection', 'Project at Weights & Biases.', UNWIRED),
  dead('wandb.entity', text, null, 'Team or user at Weights & Biases.', { nullable: true, ...UNWIRED }),
  dead('wandb.tags', list(text), [], 'Tags of the run at Weights & Biases.', UNWIRED),
  logging.dead('log_every_n_steps', int(1), 10, 'Steps between two lines of the log.', { unit: 'steps' }),
  logging.dead('log_gradients', bool, false, 'Whether norms of the gradients are logged.'),
  logging.dead('log_weights', bool, false, 'Whether histograms of the weights are logged.'),
  resources.dead('max_memory_gb', above(0), null, 'Limit of the GPU’s memory.', {
    nullable: true,
    unit: 'GB',
  }),
  resources.dead('distributed', bool, false, 'Whether several GPUs train.'),
  resources.dead('mixed_precision', bool, true, 'Autocast.', {
    why: 'training.mixed_precision is the one that counts',
  }),
];
