/** What the trainer's validation asks of two keys together. */
import { HYSTERESIS_GAP, POSTPROCESSING } from '../base/production';
import type { PyValue } from './plain';

/** The value of a setting as the trainer has it. */
type Value = (path: string) => PyValue | undefined;

export interface Pair {
  /** The key that is rejected. */
  readonly path: string;
  /** What is wrong with its value, after the path: “0.7 is not above tau_off, which is 0.78”. */
  readonly problem: (value: Value) => string | undefined;
  /** What to write instead, by key. */
  readonly fix: (value: Value) => Readonly<Record<string, PyValue>>;
}

const [ON, OFF] = ['postprocessing.hysteresis.tau_on', 'postprocessing.hysteresis.tau_off'];
const [MIN, MAX] = ['postprocessing.duration.min_duration_s', 'postprocessing.duration.max_duration_s'];
const AMP = 'training.mixed_precision';

/** NaN where it is none, which no comparison holds for. */
const numberOf = (value: PyValue | undefined): number => (typeof value === 'number' ? value : NaN);

const rounded = (value: number): number => Number(value.toFixed(4));

export const PAIRS: readonly Pair[] = [
  {
    path: ON,
    problem: (value) => {
      const [on, off] = [numberOf(value(ON)), numberOf(value(OFF))];
      return on <= off ? `${on} is not above tau_off, which is ${off}` : undefined;
    },
    fix: (value) => {
      const [on, off] = [numberOf(value(ON)), numberOf(value(OFF))];
      if (off + HYSTERESIS_GAP <= 1) return { [ON]: rounded(off + HYSTERESIS_GAP) };
      if (on - HYSTERESIS_GAP >= 0.5) return { [OFF]: rounded(on - HYSTERESIS_GAP) };
      return { [ON]: POSTPROCESSING.tau_on, [OFF]: POSTPROCESSING.tau_off };
    },
  },
  {
    path: MAX,
    problem: (value) => {
      const [min, max] = [numberOf(value(MIN)), numberOf(value(MAX))];
      return max < min ? `${max} is below min_duration_s, which is ${min}` : undefined;
    },
    fix: (value) => ({ [MAX]: value(MIN) ?? null }),
  },
  {
    path: AMP,
    problem: (value) =>
      value('experiment.device') === 'cpu' && value(AMP) === true
        ? 'true is rejected together with experiment.device cpu'
        : undefined,
    fix: () => ({ [AMP]: false }),
  },
];
