/** Rules about the training itself: what crashes, what is scored, what was seen to diverge. */
import { NAN_RATE, SAFE_RATE } from '../facts';
import { PLATFORMS, withoutGpu } from '../targets';
import type { Settings } from '../settings';
import { FA_RATES, meantBy, METRIC, MODE, modeOf, NOT_NUMBERS, scoresOf } from '../scores';
import { scalarText } from '../scalar';
import { at, fixAt, NONE, set, SOURCE, type Found, type Rule } from './rule';

const CONV = 'model.mamba.conv_kernel';
/** Largest kernel of Mamba-2’s CUDA operator. */
const MAX_CUDA_KERNEL = 4;
const SEED = 'experiment.seed';
const PATIENCE = 'training.early_stopping.patience';
const KERNELS = 'model.rescnn.kernel_sizes';
/** Of a residual block. */
const CHANNELS = 512;
const AMP = 'training.mixed_precision';
const RATE = 'training.learning_rate';
const DEVICE = 'experiment.device';
const BATCH = 'training.batch_size';

export const TRAINING_RULES: readonly Rule[] = [
  {
    id: 'fa-rate-key',
    severity: 'critical',
    targets: PLATFORMS,
    evidence: `${SOURCE}: a score’s name is made of its rate with Python’s str(), a float where fa_rates is listed; early stopping reads a name that does not exist as 0. Run on made-up recordings.`,
    check: (settings) => (SENSITIVITY.test(settings.text(METRIC)) ? noScore(settings) : NONE),
  },
  {
    id: 'unknown-score',
    severity: 'critical',
    targets: PLATFORMS,
    evidence: `${SOURCE}: early stopping reads a score that does not exist as 0, and compares whatever it finds. Run on made-up recordings.`,
    check: (settings) => (SENSITIVITY.test(settings.text(METRIC)) ? NONE : noScore(settings)),
  },
  {
    id: 'score-mode',
    severity: 'critical',
    targets: PLATFORMS,
    evidence: `${SOURCE}: best.pt is kept, and patience counted, by mode alone.`,
    check: (settings) => {
      const [score, mode] = [settings.text(METRIC), settings.text(MODE)];
      const right = modeOf(score);
      if (!scoresOf(settings).includes(score) || mode === right) return NONE;
      return fixAt(
        MODE,
        right,
        `of ${score} ${right === 'min' ? 'less' : 'more'} is better: with ${mode} best.pt keeps the worst epoch, and the run stops when it improves; write ${right}`,
        `the better end of ${score}`,
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
    id: 'kernel-sizes',
    severity: 'high',
    targets: PLATFORMS,
    evidence: `${SOURCE}: a residual block divides its 512 channels by the number of kernels. Run: a branch of no channels raises an error.`,
    check: (settings) => {
      const kernels = settings.value(KERNELS);
      const count = Array.isArray(kernels) ? kernels.length : 1;
      if (count > 0 && count <= CHANNELS) return NONE;
      const text = '[3, 5, 7]';
      return at(
        KERNELS,
        `validates, then crashes after the data is loaded, because ${count === 0 ? 'a block has no branch' : `${count} branches share ${CHANNELS} channels`}; write ${text}`,
        { fix: [{ path: KERNELS, value: text, reason: 'the default, with which the model is known' }] },
      );
    },
  },
  {
    id: 'conv-kernel',
    severity: 'high',
    targets: PLATFORMS,
    evidence: `${SOURCE}: the CUDA operator takes 2 to 4, and a larger kernel becomes 4 with one warning. Run: in the convolution fallback odd kernels are as written, and even ones give 961 samples for 960, which ends the run.`,
    check: (settings, { target }) => {
      const kernel = settings.number(CONV);
      const device = settings.text('experiment.device');
      const fallback = target.name === 'modal' || device === 'cpu' || device === 'mps';
      if (fallback && kernel % 2 === 0)
        return fixAt(
          CONV,
          kernel - 1,
          `an even kernel breaks the convolution fallback, which ${target.name === 'modal' ? 'the launcher forces' : `device ${device} takes`}: the first batch ends the run; write ${kernel - 1}`,
          'the fallback runs it as written',
        );
      if (fallback || !(kernel > MAX_CUDA_KERNEL)) return NONE;
      return at(
        CONV,
        `Mamba-2 on CUDA takes at most ${MAX_CUDA_KERNEL}: ${kernel} becomes ${MAX_CUDA_KERNEL}, with one warning; write 3, which every build runs as written, or ${MAX_CUDA_KERNEL}, which is what runs now`,
        {
          severity: 'medium',
          fix: [set(CONV, 3, 'the one size that every build runs as written')],
          instead: [[set(CONV, MAX_CUDA_KERNEL, 'what runs on CUDA now')]],
        },
      );
    },
  },
  {
    id: 'seed-range',
    severity: 'high',
    targets: PLATFORMS,
    evidence: `${SOURCE}: the seed goes to numpy.random.seed. Run: numpy takes 0 to 2³² − 1 and raises a ValueError otherwise.`,
    check: (settings) => {
      const seed = settings.number(SEED);
      return seed >= 0 && seed < 2 ** 32
        ? NONE
        : fixAt(
            SEED,
            42,
            `validates, then crashes after the data is loaded, because numpy takes seeds from 0 to 4294967295; write 42`,
            'the default',
          );
    },
  },
  {
    id: 'patience',
    severity: 'medium',
    targets: PLATFORMS,
    evidence: `${SOURCE}: a run stops after more than patience epochs without a better score, so at epoch patience + 2 at the earliest while the score is a number.`,
    check: (settings) => {
      const [epochs, patience] = [settings.number('training.epochs'), settings.number(PATIENCE)];
      // A run of two epochs no patience can end.
      if (!(epochs > 2) || !(patience + 2 > epochs)) return NONE;
      const max = epochs - 2;
      return fixAt(
        PATIENCE,
        max,
        `never stops a run of ${epochs} epochs: that needs a patience of at most ${max}; write ${max}, or less`,
        'the largest that can stop this run',
      );
    },
  },
  {
    id: 'no-gpu',
    severity: 'high',
    targets: PLATFORMS,
    evidence: `${SOURCE}: the model goes to the device that is named. PyTorch has mps on macOS alone.`,
    check: (settings, { target }) => {
      const device = settings.text(DEVICE);
      const unpredicted = withoutGpu(device);
      if (unpredicted === undefined) return NONE;
      const wrong =
        device === 'mps' && target.name !== 'local'
          ? 'there is no mps on this machine, so the run ends when the model goes there'
          : target.name === 'modal'
            ? 'the GPU that is paid for stays unused'
            : undefined;
      return wrong === undefined
        ? at(
            DEVICE,
            `${unpredicted}${device === 'mps' ? '; where this is no Mac, the run ends when the model goes there' : ''}; auto takes the GPU`,
            { severity: 'medium' },
          )
        : fixAt(DEVICE, 'auto', `${wrong}; ${unpredicted}; write auto`, 'takes the GPU of this machine');
    },
  },
  {
    id: 'mps-amp',
    severity: 'medium',
    targets: PLATFORMS,
    evidence: `${SOURCE}: autocast and its scaler are used on CUDA alone.`,
    check: (settings) =>
      settings.value(AMP) === true && settings.text('experiment.device') === 'mps'
        ? fixAt(AMP, false, 'is silently off on mps; write false', 'what mps does anyway')
        : NONE,
  },
  {
    id: 'amp-4090',
    severity: 'high',
    targets: PLATFORMS,
    evidence:
      'Seen in runs of the trainer on an RTX 4090: the loss became NaN; without mixed precision it did not.',
    check: (settings, { target }) => {
      if (!target.gpu.name.includes('4090') || settings.value(AMP) !== true) return NONE;
      if (!['auto', 'cuda'].includes(settings.text('experiment.device'))) return NONE;
      // Which card it is, nobody said.
      const assumed = target.name !== 'browser' && target.gpuAssumed === true;
      return fixAt(
        AMP,
        false,
        `produced NaN losses on an RTX 4090${assumed ? ', which is taken for this machine’s; choose its own' : ''}; write false`,
        'gave NaN on this GPU',
      ).map((found) => (assumed ? { ...found, severity: 'medium' as const } : found));
    },
  },
  {
    id: 'learning-rate',
    severity: 'medium',
    targets: PLATFORMS,
    evidence: `Seen in runs of later models of the same trainer at ${NAN_RATE.toExponential()}; of this model nothing is known.`,
    check: (settings) =>
      settings.number(RATE) >= NAN_RATE
        ? fixAt(
            RATE,
            SAFE_RATE,
            `later models produced NaN at ${NAN_RATE.toExponential()}; if the run diverges, write ${scalarText(SAFE_RATE)}`,
            'below what gave NaN',
          )
        : NONE,
  },
  {
    id: 'batch-lr',
    needs: 'base',
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
      const said = `the batch went from ${before} to ${now} and the rate stayed ${rate}: square-root scaling gives ${root}, linear scaling ${linear}`;
      const offered = [
        ...(root < NAN_RATE ? [to(root, 'square-root scaling')] : []),
        ...(linear < NAN_RATE ? [to(linear, 'linear scaling')] : []),
      ];
      const [fix, ...instead] = offered;
      if (!fix)
        return at(
          RATE,
          `${said}; later models produced NaN from ${NAN_RATE.toExponential()} on, so neither is offered`,
        );
      return at(RATE, said, { fix, ...(instead.length > 0 && { instead }) });
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

/** So many are named, of which the last are those that every validation has. */
const MAX_SCORES = 12;
const MAX_NAME = 200;
const SENSITIVITY = /^sensitivity_at_/i;

/** Where early stopping names no score of a validation: what happens, and the score that is likely meant. */
function noScore(settings: Settings): readonly Found[] {
  const [given, all] = [settings.text(METRIC), scoresOf(settings)];
  if (all.includes(given) || settings.rejects(FA_RATES)) return NONE;
  const name = given.slice(0, MAX_NAME);
  const scores = [...new Set(all)].slice(-MAX_SCORES);
  if (NOT_NUMBERS.includes(name))
    return at(
      METRIC,
      `${name} is no number, and comparing it ends the run after its first epoch, before any checkpoint; write one of ${scores.join(', ')}`,
      { severity: 'high' },
    );
  const stops = settings.number('training.early_stopping.patience') + 2;
  const ends =
    stops > settings.number('training.epochs')
      ? ' and rewrite best.pt each time'
      : `, rewrite best.pt each time and stop ${Number.isNaN(stops) ? 'early' : `at epoch ${stops}`}`;
  const happens = `no score has this name. Early stopping would read 0 every epoch${ends}`;
  // What one epoch writes is the same with any name.
  const severity = settings.number('training.epochs') === 1 ? ({ severity: 'medium' } as const) : {};
  const meant = meantBy(name, settings);
  if (!meant) return at(METRIC, `${happens}; write one of ${scores.join(', ')}`, severity);
  const { score, rate } = meant;
  const right = modeOf(score);
  const named = [
    set(METRIC, score, 'what the trainer calls the score'),
    ...(settings.value(MODE) === right ? [] : [set(MODE, right, `the better end of ${score}`)]),
  ];
  if (rate === undefined) {
    const listed = settings.read(FA_RATES) !== undefined;
    const plain = listed && meantBy(name, settings.without(FA_RATES))?.score === name;
    const drop = { path: FA_RATES, value: undefined, reason: 'the default list keeps the name of the score' };
    const what = listed && SENSITIVITY.test(name) ? `; with fa_rates listed it is ${score}` : '';
    return at(METRIC, `${happens}${what}; write ${score}${plain ? ', or leave fa_rates out' : ''}`, {
      ...severity,
      fix: named,
      ...(plain && { instead: [[drop]] }),
    });
  }
  const rates = settings.value(FA_RATES) ?? [];
  const more = scalarText([...(Array.isArray(rates) ? (rates as readonly number[]) : []), rate]);
  return at(
    METRIC,
    `${happens}; its rate is not in evaluation.fa_rates: list ${rate} there and write ${score}, or write one of ${scores.join(', ')}`,
    {
      ...severity,
      fix: [{ path: FA_RATES, value: more, reason: `the rate that ${score} is scored at` }, ...named],
    },
  );
}
