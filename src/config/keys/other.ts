/** Sections evaluation, experiment, logging, resources. */
import { FALSE_ALARM_RATES } from '../../base/production';
import { above, bool, choice, int, keysOf, list, number, text, type Key } from './declare';

const evaluation = keysOf('evaluation');
const { live, partial, unused } = keysOf('experiment');
const logging = keysOf('logging');
const resources = keysOf('resources');

const UNWIRED = { why: 'the logger of Weights & Biases is not wired at this version' };

export const OTHER: readonly Key[] = [
  evaluation.unused(
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
  evaluation.unused('save_predictions', bool, false, 'Whether predictions are kept as files.'),
  evaluation.unused('save_plots', bool, true, 'Whether plots are kept as files.'),
  unused('name', text, 'debug', 'Name of the experiment; for people.'),
  unused('description', text, 'default experiment', 'What the experiment is about; for people.'),
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
  partial('cache_dir', text, 'cache', 'A second place for the folder of prepared windows.', {
    why: 'data.cache_dir is the one that is used; where they differ there is a warning',
  }),
  unused('log_level', choice('DEBUG', 'INFO', 'WARNING', 'ERROR'), 'INFO', 'How much is logged.'),
  unused('save_model', bool, false, 'Whether checkpoints are kept.', {
    why: 'last.pt and best.pt are always written',
  }),
  unused('save_best_only', bool, true, 'Whether best.pt alone is kept.', {
    why: 'last.pt and best.pt are always written',
  }),
  unused('wandb.enabled', bool, false, 'Whether Weights & Biases logs the run.', UNWIRED),
  unused('wandb.project', text, 'seizure-detection', 'Project at Weights & Biases.', UNWIRED),
  unused('wandb.entity', text, null, 'Team or user at Weights & Biases.', { nullable: true, ...UNWIRED }),
  unused('wandb.tags', list(text), [], 'Tags of the run at Weights & Biases.', UNWIRED),
  logging.unused('log_every_n_steps', int(1), 10, 'Steps between two lines of the log.', { unit: 'steps' }),
  logging.unused('log_gradients', bool, false, 'Whether norms of the gradients are logged.'),
  logging.unused('log_weights', bool, false, 'Whether histograms of the weights are logged.'),
  resources.unused('max_memory_gb', above(0), null, 'Limit of the GPU’s memory.', {
    nullable: true,
    unit: 'GB',
  }),
  resources.unused('distributed', bool, false, 'Whether several GPUs train.'),
  resources.unused('mixed_precision', bool, true, 'Autocast.', {
    why: 'training.mixed_precision is the one that counts',
  }),
];
