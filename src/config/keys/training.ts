/** Section training. */
import { NAN_RATE, SAVED_MIB } from '../facts';
import { bool, choice, float, int, keysOf, text, type Key } from './declare';

const { live, partial, unused } = keysOf('training');

export const TRAINING: readonly Key[] = [
  live('epochs', int(1, 200), 1, 'Passes over the training windows. There is no mode that only evaluates.'),
  live(
    'batch_size',
    int(1, 256),
    16,
    `Windows in a batch. GPU memory grows with it: ${Math.round(SAVED_MIB.autocast)} MiB a window are saved for the backward pass with mixed precision, ${Math.round(SAVED_MIB.fp32)} MiB without.`,
    { unit: 'windows' },
  ),
  live(
    'loss',
    choice('bce', 'focal'),
    'bce',
    'Binary cross-entropy, or focal loss, which counts easy samples less.',
  ),
  live(
    'focal_alpha',
    float(0, 1),
    0.5,
    'Weight of seizures in the focal loss. Other than 0.5, pos_weight, which weighs seizures up by their rarity, is dropped.',
  ),
  live('focal_gamma', float(0), 2, 'How much less easy samples count in the focal loss; 0 is cross-entropy.'),
  live(
    'learning_rate',
    float(1e-6, 1e-2),
    3e-4,
    `Peak of the schedule. With later models NaN was seen from ${NAN_RATE.toExponential()} on.`,
  ),
  live('weight_decay', float(0, 0.2), 0.05, 'Of AdamW, for every parameter, also biases and norms.'),
  partial('optimizer', choice('adamw', 'adam', 'sgd'), 'adamw', 'Optimizer of the training loop.', {
    why: 'adam and sgd validate, then crash after the data is loaded',
  }),
  unused('resume', bool, false, 'Whether to resume from last.pt.', {
    why: 'the command line’s flag overwrites it, given or not',
  }),
  partial(
    'scheduler.type',
    choice('cosine', 'linear', 'constant'),
    'cosine',
    'Schedule of the learning rate behind the warm-up.',
    { why: 'linear and constant validate, then crash' },
  ),
  live(
    'scheduler.warmup_ratio',
    float(0, 0.5),
    0.1,
    'Share of all steps over which the learning rate rises to its peak. The first step runs at the full rate.',
  ),
  live('gradient_clip', float(0), 1, 'Max norm of all gradients together; 0 is no limit.'),
  live(
    'mixed_precision',
    bool,
    true,
    'Autocast on CUDA: partial the memory, more speed. Invalid with device cpu, silently off on mps, gave NaN on an RTX 4090.',
  ),
  live('early_stopping.patience', int(1, 50), 5, 'Epochs without a better score after which the run stops.', {
    unit: 'epochs',
  }),
  live(
    'early_stopping.metric',
    text,
    'sensitivity_at_10fa',
    'The score that decides: taes, auroc, pr_auc, ece, val_loss, or the sensitivity at a rate of evaluation.fa_rates, whose name has a point where the rates are listed: sensitivity_at_10.0fa. A name that does not exist reads 0.',
  ),
  live(
    'early_stopping.mode',
    choice('max', 'min'),
    'max',
    'Whether more or less of the score is better: min for val_loss and ece, max for the others.',
  ),
];
