/** Every number of the page with where it comes from. */
import type { Basis, Quantity } from '../../../base/quantity';
import { bytes } from '../../ui/format';
import { VRAM_PARTS } from './parts';
import type { Prediction, RamAnswer } from './prediction';
import { dollars, hours, perHour } from './text';

export interface Assumption {
  readonly name: string;
  readonly of: Quantity;
  readonly say: (value: number) => string;
}

/** In the order of the page. Numbers that are not known yet, or that the run does not have, are left out. */
export function assumptionsOf(prediction: Prediction | undefined, ram: RamAnswer | undefined): Assumption[] {
  const known = (
    say: Assumption['say'],
    numbers: Readonly<Record<string, Quantity | undefined>>,
  ): Assumption[] => Object.entries(numbers).flatMap(([name, of]) => (of ? [{ name, of, say }] : []));
  const parts = (prediction?.vram.parts ?? []).map(({ name, bytes: of }) => ({
    name: VRAM_PARTS[name].label,
    of,
    say: bytes,
  }));
  return [
    ...known(bytes, { 'GPU memory': prediction?.vram.total }),
    ...parts,
    ...known(bytes, { 'System RAM in training': ram?.training, 'System RAM in validation': ram?.validation }),
    ...known(hours, {
      'Time of the run': prediction?.hours?.need,
      'Time per epoch': prediction?.epoch,
      'Statistics before each epoch': prediction?.statistics,
      'Data loading in training, per epoch': prediction?.loading,
      'GPU in training, per epoch': prediction?.gpu,
      'Validation per epoch': prediction?.validation,
      'Before the first epoch of a job': prediction?.start,
    }),
    ...known(dollars, { 'Cost of the run': prediction?.dollars?.need }),
    ...known(perHour, { 'Price per hour': prediction?.rate }),
  ];
}

/** “3 measured, 12 derived, 5 assumed”. */
export const describeBases = (all: readonly Assumption[]): string =>
  (['measured', 'derived', 'assumed'] satisfies Basis[])
    .map((basis) => `${all.filter(({ of }) => of.basis === basis).length} ${basis}`)
    .join(', ');
