/** The scaling of a short run as a table of two columns. */
import { GPUS } from '../../../config/gpus';
import { scaled, type Quantity } from '../../../base/quantity';
import type { ScaledHours } from '../../../estimate/time_run';
import type { Machine } from './machine';
import { shownRun } from './measured';
import type { Pace } from './plan';

export interface ScaledView {
  /** Heads of the columns. */
  readonly made: string;
  readonly asked: string;
  /** Whether the device of the short run was measured. */
  readonly measured: boolean;
  /** Whether nothing differs but the number of windows. */
  readonly same: boolean;
  /** Whether the device had little to do. */
  readonly idle: boolean;
  /** Of a window of the run that is asked about. */
  readonly seconds: Quantity;
}

/** Share of its limits below which a device waits. */
const IDLE = 0.03;

/** `windows`: of the epoch that `hours` is of. */
export function scaledView(
  { hours, efficiency, from, to, seconds }: ScaledHours,
  windows: number,
  pace: Pace,
  { gpu }: Machine,
): ScaledView {
  const { smokeOf, browser } = pace;
  const made = efficiency
    ? (browser?.name ?? '')
    : `Measured${smokeOf ? `: ${shownRun(smokeOf.run)}, ${GPUS[smokeOf.gpu].name}` : ''}`;
  return {
    made,
    asked: `This setup on the ${GPUS[gpu].name}`,
    measured: efficiency !== undefined,
    same: from.limit === to.limit && from.work.flops === to.work.flops,
    idle: from.limit < IDLE * seconds,
    seconds: scaled(hours, 3600 / windows),
  };
}
