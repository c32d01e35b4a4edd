import { EXPECTED_STOP } from '../../../config/kills';
import { recall, remember } from '../../ui/stored';
import type { Limits } from './prediction';

const STORED = 'limits';
/** What a review expects all epochs to cost, in whole dollars, and a week. */
const USUAL: Limits = { dollars: Math.ceil(EXPECTED_STOP?.whole ?? 100), hours: 7 * 24 };

function stored(): Limits {
  try {
    const { dollars, hours } = JSON.parse(recall(STORED) ?? '{}') as Partial<Record<keyof Limits, unknown>>;
    const known = (value: unknown, usual: number): number =>
      typeof value === 'number' && value >= 0 ? value : usual;
    return { dollars: known(dollars, USUAL.dollars), hours: known(hours, USUAL.hours) };
  } catch {
    return USUAL;
  }
}

/** What a run may take, the same on every page that judges one. */
class SharedLimits {
  #limits = $state.raw(stored());

  get value(): Limits {
    return this.#limits;
  }

  set(change: Partial<Limits>): void {
    this.#limits = { ...this.#limits, ...change };
    remember(STORED, JSON.stringify(this.#limits));
  }
}

export const limits = new SharedLimits();
