/** What the tables of time and cost show. */
import { GIB } from '../../../base/units';
import { scaled, type Quantity } from '../../../base/quantity';
import { GPUS } from '../../../config/gpus';
import type { Machine } from '../../../config/targets';
import { worstFit, type Fit } from '../../../config/verdict';
import { rateOf, type StopCost } from '../../../estimate/scenario';
import type { RowWithRam, RowRam, ScenarioRow } from '../../../estimate/scenario_table';
import type { ScaledHours } from '../../../estimate/time_run';
import { bytes } from '../../ui/format';
import type { Pace } from './plan';
import { describeRun } from './text';

/** The same run on another machine. */
export interface ScenarioView {
  readonly title: string;
  readonly vram: Quantity;
  readonly gpuFit: Fit;
  /** GPU memory, bytes. */
  readonly capacity: number;
  /** Undefined until it is simulated. */
  readonly ram: { readonly fits: Fit; readonly said: string; readonly more: string } | undefined;
  /** Of both, as far as they are known. */
  readonly fits: Fit;
  readonly epoch: Quantity;
  readonly rate: Quantity | undefined;
  /** Of all epochs. */
  readonly all: StopCost | undefined;
  /** Whether jobs there have a time limit. */
  readonly limited: boolean;
  /** Whether it is the machine that is looked at. */
  readonly chosen: boolean;
}

function describeRam(
  { fits, peak, needs, usual }: RowRam,
  ramBytes: number,
): NonNullable<ScenarioView['ram']> {
  if (ramBytes > usual) return { fits, said: bytes(ramBytes), more: 'extra RAM billed' };
  const of = `of ${bytes(ramBytes)}`;
  return {
    fits,
    said: bytes(peak.likely),
    more: fits === "won't fit" ? `${of}; needs ${bytes(needs)}` : of,
  };
}

export const scenarioView = (rows: readonly (ScenarioRow | RowWithRam)[], shown: Machine): ScenarioView[] =>
  rows.map((row) => {
    const { title, plan, vram, epoch, costs } = row;
    const { machine } = plan;
    const ram = 'ram' in row ? row.ram : undefined;
    const { gpuFit } = row;
    return {
      title,
      vram,
      gpuFit,
      capacity: machine.gpu.memoryBytes,
      ram: ram && describeRam(ram, machine.ramGiB * GIB),
      fits: ram ? worstFit([gpuFit, ram.fits]) : gpuFit,
      epoch,
      rate: rateOf(plan),
      all: costs.find(({ stop }) => stop.id === 'all'),
      limited: machine.name === 'modal',
      chosen: machine.name === shown.name && machine.gpu.id === shown.gpu.id,
    };
  });

/** The scaling of a short run, beside the run that it is scaled to. */
export interface ScaledView {
  /** Heads of the columns. */
  readonly made: string;
  readonly asked: string;
  /** Whether the device of the short run was measured. */
  readonly measured: boolean;
  /** Whether nothing differs but the number of windows. */
  readonly same: boolean;
  /** Seconds for a window of the run that is asked about. */
  readonly seconds: Quantity;
  /** Share of its device's limits that the short run reached. */
  readonly reached: number;
}

/** `windows`: of the epoch that `hours` is of. */
export function scaledView(
  { hours, efficiency, from, to, seconds }: ScaledHours,
  windows: number,
  { smokeOf, browser }: Pace,
  { gpu }: Machine,
): ScaledView {
  const made = smokeOf ? `Measured: ${describeRun(smokeOf.run)}, ${GPUS[smokeOf.gpu].name}` : 'Measured';
  return {
    made: efficiency ? (browser?.name ?? '') : made,
    asked: `This setup on the ${gpu.name}`,
    measured: efficiency !== undefined,
    same: from.limit === to.limit && from.work.flops === to.work.flops,
    seconds: scaled(hours, 3600 / windows),
    reached: from.limit / seconds,
  };
}
