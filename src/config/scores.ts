/** The scores by which the trainer's early stopping can decide, as its source at 2025-09-21 names them. */
import { folded } from './letters';
import type { Settings } from './settings';

export const METRIC = 'training.early_stopping.metric';
export const MODE = 'training.early_stopping.mode';
export const FA_RATES = 'evaluation.fa_rates';

/** Scores that every validation has. */
const ALWAYS = ['taes', 'auroc', 'pr_auc', 'ece', 'val_loss'] as const;

/** Of these less is better; of all others more. */
const FALLING: readonly string[] = ['ece', 'val_loss'];

/** Results of a validation that are no numbers: comparing them raises a TypeError after the first epoch. */
export const NOT_NUMBERS: readonly string[] = ['thresholds', 'fa_curve'];

/** What other programs call these scores. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  auc: 'auroc',
  roc_auc: 'auroc',
  ap: 'pr_auc',
  auprc: 'pr_auc',
  average_precision: 'pr_auc',
  loss: 'val_loss',
  validation_loss: 'val_loss',
  calibration_error: 'ece',
};

/** A float as Python's str() writes it: 10 is `10.0`, 1e16 is `1e+16`, 0.00001 is `1e-05`. */
export function pythonFloat(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value < 0 ? '-inf' : 'inf';
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e16))
    return value.toExponential().replace(/e([-+])(\d)$/, 'e$10$2');
  const text = Object.is(value, -0) ? '-0' : String(value);
  return text.includes('.') ? text : `${text}.0`;
}

/** The rates of false alarms at which a sensitivity is scored, and how its name writes each. */
function ratesOf(settings: Settings): { readonly rate: number; readonly text: string }[] {
  const rates = settings.value(FA_RATES);
  const listed = settings.read(FA_RATES) !== undefined;
  return (
    (Array.isArray(rates) ? (rates as readonly unknown[]) : [])
      .filter((rate): rate is number => typeof rate === 'number')
      // Pydantic makes floats of a list that is given, and leaves its own default as it is.
      .map((rate) => ({ rate, text: listed ? pythonFloat(rate) : String(rate) }))
  );
}

/** The name of the sensitivity at a rate of false alarms. */
export const sensitivityAt = (rate: string): string => `sensitivity_at_${rate}fa`;

/** The names of all scores that are numbers. */
export const scoresOf = (settings: Settings): string[] => [
  ...ratesOf(settings).map(({ text }) => sensitivityAt(text)),
  ...ALWAYS,
];

/** Which end of a score is better. */
export const modeOf = (score: string): 'min' | 'max' => (FALLING.includes(score) ? 'min' : 'max');

export interface Meant {
  /** A score that exists, or that would with `rate` listed. */
  readonly score: string;
  /** To be listed in evaluation.fa_rates. */
  readonly rate?: number;
}

/** The score that somebody means by a name that does not exist; undefined where only they can know. */
export function meantBy(name: string, settings: Settings): Meant | undefined {
  const plain = folded(name.trim()).replaceAll('-', '_');
  const score = ELSEWHERE[plain] ?? ALWAYS.find((one) => one === plain);
  if (score !== undefined) return { score };
  const found = /^sensitivity_at_([\d.]+(?:e[-+]?\d+)?)_?fa$/.exec(plain);
  const wanted = Number(found?.[1] ?? NaN);
  if (!Number.isFinite(wanted)) return undefined;
  const listed = ratesOf(settings).find(({ rate }) => rate === wanted);
  return listed
    ? { score: sensitivityAt(listed.text) }
    : { score: sensitivityAt(pythonFloat(wanted)), rate: wanted };
}
