/** Rules about the training itself: what crashes, what is scored, what was seen to diverge. */
import { PLATFORMS } from '../targets';
import { at, fixAt, NONE, set, SOURCE, type Found, type Rule } from './rule';

const METRIC = 'training.early_stopping.metric';
const AMP = 'training.mixed_precision';
const RATE = 'training.learning_rate';
const BATCH = 'training.batch_size';

export const TRAINING_RULES: readonly Rule[] = [
  {
    id: 'fa-rate-key',
    severity: 'critical',
    targets: PLATFORMS,
    evidence: `${SOURCE}: fa_rates is a list of floats, and the score’s name is made of one with Python’s str().`,
    check: (settings) => {
      const found = /^sensitivity_at_(\d+)fa$/.exec(settings.text(METRIC));
      if (!found || settings.read('evaluation.fa_rates') === undefined) return NONE;
      const name = `sensitivity_at_${found[1]}.0fa`;
      const patience = settings.number('training.early_stopping.patience');
      return at(
        METRIC,
        `no metric has this name: with evaluation.fa_rates set, the trainer calls it ${name}. Early stopping would read 0 every epoch, rewrite best.pt each time and stop at epoch ${patience + 2}; write ${name}, or leave fa_rates out`,
        {
          fix: [set(METRIC, name, 'what the score is called when fa_rates is listed')],
          instead: [
            [
              {
                path: 'evaluation.fa_rates',
                value: undefined,
                reason: 'the default list keeps its whole numbers, and with them the score’s name',
              },
            ],
          ],
        },
      );
    },
  },
  {
    id: 'focal-alpha',
    severity: 'critical',
    evidence: `${SOURCE}: pos_weight goes into the loss only where focal_alpha is 0.5.`,
    check: (settings) => {
      const alpha = settings.number('training.focal_alpha');
      if (settings.value('training.loss') !== 'focal' || !(alpha !== 0.5) || Number.isNaN(alpha)) return NONE;
      return fixAt(
        'training.focal_alpha',
        0.5,
        `with an alpha other than 0.5 pos_weight is dropped${alpha < 0.5 ? ', and seizures count less than the rest' : ''}; write 0.5`,
        'keeps pos_weight, which is what weighs seizures up',
      );
    },
  },
  {
    id: 'epochs-zero',
    severity: 'high',
    evidence: `${SOURCE}: epochs is at least 1, and train has no mode that only evaluates.`,
    check: (settings) =>
      settings.number('training.epochs') === 0
        ? fixAt(
            'training.epochs',
            1,
            '0 is rejected: training has no evaluation mode; write 1 or more, or use the evaluate command',
            'the minimum that the trainer accepts',
          )
        : NONE,
  },
  {
    id: 'optimizer-crash',
    severity: 'high',
    evidence: `${SOURCE}: the schema has three optimizers, the training loop makes AdamW only and raises for the others.`,
    check: (settings) =>
      crash(settings.text('training.optimizer'), ['adam', 'sgd'], 'training.optimizer', 'adamw'),
  },
  {
    id: 'scheduler-crash',
    severity: 'high',
    evidence: `${SOURCE}: the schema has three schedules, the training loop makes the cosine only and raises for the others.`,
    check: (settings) =>
      crash(
        settings.text('training.scheduler.type'),
        ['linear', 'constant'],
        'training.scheduler.type',
        'cosine',
      ),
  },
  {
    id: 'conv-kernel',
    severity: 'high',
    targets: PLATFORMS,
    evidence: `${SOURCE}: the CUDA operator takes 2 to 4, so 5 and more become 4 with one warning; the fallback pads evenly, which an even kernel breaks.`,
    check: (settings) => {
      const kernel = settings.number('model.mamba.conv_kernel');
      if (kernel === 3 || Number.isNaN(kernel)) return NONE;
      const what =
        kernel === 4
          ? '4 runs on CUDA, but an even kernel breaks the fallback used on Modal'
          : `CUDA kernels clamp ${kernel} to 4 with one warning, and an even kernel breaks the fallback used on Modal`;
      return fixAt(
        'model.mamba.conv_kernel',
        3,
        `${what}; write 3`,
        'the one size that both builds run as written',
      );
    },
  },
  {
    id: 'cpu-amp',
    severity: 'high',
    targets: PLATFORMS,
    evidence: `${SOURCE}: its validation rejects mixed precision with device cpu; autocast is used on CUDA alone.`,
    check: (settings) => {
      const device = settings.text('experiment.device');
      if (settings.value(AMP) !== true || (device !== 'cpu' && device !== 'mps')) return NONE;
      const reason = `what ${device} does anyway`;
      return device === 'cpu'
        ? fixAt(AMP, false, 'is rejected with experiment.device cpu; write false', reason)
        : fixAt(AMP, false, 'is silently off on mps; write false', reason).map((found) => ({
            ...found,
            severity: 'medium' as const,
          }));
    },
  },
  {
    id: 'amp-4090',
    severity: 'high',
    targets: PLATFORMS,
    evidence:
      'Seen in runs of the trainer on an RTX 4090: the loss became NaN; without mixed precision it did not.',
    check: (settings, { target }) =>
      target.gpu.name.includes('4090') &&
      settings.value(AMP) === true &&
      ['auto', 'cuda'].includes(settings.text('experiment.device'))
        ? fixAt(AMP, false, 'produced NaN losses on an RTX 4090; write false', 'gave NaN on this GPU')
        : NONE,
  },
  {
    id: 'learning-rate',
    severity: 'medium',
    targets: PLATFORMS,
    evidence: 'Seen in runs of later models of the same trainer at 1.5e-4; of this model nothing is known.',
    check: (settings) =>
      settings.number(RATE) >= 1.5e-4
        ? fixAt(
            RATE,
            1e-4,
            'later models produced NaN at 1.5e-4; if the run diverges, write 1.0e-4',
            'below what gave NaN',
          )
        : NONE,
  },
  {
    id: 'batch-lr',
    severity: 'low',
    evidence:
      'Rules of thumb: linear scaling (Goyal et al. 2017) comes from SGD, square-root scaling (Malladi et al. 2022) suits AdamW. Not measured here.',
    check: (settings, { base }) => {
      if (!base) return NONE;
      const [before, now] = [base.number(BATCH), settings.number(BATCH)];
      const rate = settings.number(RATE);
      if (Number.isNaN(before) || before === now || rate !== base.number(RATE) || Number.isNaN(now))
        return NONE;
      const root = scaled(rate * Math.sqrt(now / before));
      const linear = scaled(rate * (now / before));
      const to = (value: number, how: string) => [
        set(RATE, value, `${how}: the batch went from ${before} to ${now}`),
      ];
      return at(
        RATE,
        `the batch went from ${before} to ${now} and the rate stayed ${rate}: square-root scaling gives ${root}, linear scaling ${linear}`,
        { fix: to(root, 'square-root scaling'), instead: [to(linear, 'linear scaling')] },
      );
    },
  },
];

/** Two digits, within what the trainer accepts. */
const scaled = (rate: number): number => Number(Math.min(1e-2, Math.max(1e-6, rate)).toPrecision(2));

function crash(value: string, crashes: readonly string[], path: string, good: string): readonly Found[] {
  if (!crashes.includes(value)) return NONE;
  const message = `${value} validates, then crashes after the data is loaded; write ${good}`;
  return fixAt(path, good, message, 'the only one that the trainer makes');
}
