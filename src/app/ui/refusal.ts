/** Why a number that a person typed is not taken. */
import { rangeText } from '../../base/text';

interface Typed {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  /** A whole number takes whole numbers alone. */
  readonly step?: number | 'any';
}

/** A sentence; undefined where the number of a field is within its bounds. */
export function refusal(
  { valueAsNumber: number }: Pick<HTMLInputElement, 'valueAsNumber'>,
  { min, max, step = 'any' }: Typed,
): string | undefined {
  const whole = step !== 'any' && Number.isInteger(step);
  const within = number >= (min ?? -Infinity) && number <= (max ?? Infinity);
  if (within && (!whole || Number.isSafeInteger(number))) return undefined;
  return `${Number.isNaN(number) ? 'What was typed' : number} is not taken: it has to be a ${whole ? 'whole ' : ''}number${rangeText({ min, max })}.`;
}
