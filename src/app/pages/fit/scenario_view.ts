/** The same run on other machines, as rows of a table. */
import type { Quantity } from '../../../base/quantity';
import { GIB } from '../../../config/facts';
import { rateOf, type StopCost } from '../../../estimate/scenario';
import type { HostedRow, RowHost, ScenarioRow } from '../../../estimate/scenario_table';
import { bytes } from '../../ui/format';
import type { Machine } from './machine';
import { worst, type Verdict } from './verdict';

export interface ScenarioView {
  readonly title: string;
  readonly vram: Quantity;
  readonly vramFits: Verdict;
  /** Bytes of the card. */
  readonly capacity: number;
  /** Undefined until it is simulated. */
  readonly host: { readonly fits: Verdict; readonly said: string } | undefined;
  /** Of both, as far as they are known. */
  readonly fits: Verdict;
  readonly epoch: Quantity;
  readonly rate: Quantity | undefined;
  /** Of all epochs. */
  readonly all: StopCost | undefined;
  /** Whether a launch there ends after a day. */
  readonly launched: boolean;
  /** Whether it is the machine that is looked at. */
  readonly chosen: boolean;
}

const hostOf = (row: ScenarioRow | HostedRow): RowHost | undefined => ('host' in row ? row.host : undefined);

function saidOf({ fits, peak, needs, usual }: RowHost, ramBytes: number): string {
  if (ramBytes > usual)
    return `${bytes(peak.likely)}: ${bytes(ramBytes)} asked for and paid instead of ${bytes(usual)}`;
  const of = `${bytes(peak.likely)} of ${bytes(ramBytes)}`;
  return fits === 'does not fit' ? `${of}: it needs ${bytes(needs)}` : of;
}

export const scenarioView = (
  rows: readonly (ScenarioRow | HostedRow)[],
  { place, gpu }: Machine,
): ScenarioView[] =>
  rows.map((row) => {
    const { title, plan, vram, epoch, costs } = row;
    const host = hostOf(row);
    const vramFits: Verdict = row.vramFits ? 'fits' : 'does not fit';
    return {
      title,
      vram,
      vramFits,
      capacity: plan.machine.gpu.memoryBytes,
      host: host && { fits: host.fits, said: saidOf(host, plan.machine.ramGiB * GIB) },
      fits: host ? worst([vramFits, host.fits]) : vramFits,
      epoch,
      rate: rateOf(plan),
      all: costs.find(({ stop }) => stop.id === 'all'),
      launched: plan.machine.name === 'modal',
      chosen: plan.machine.name === place && plan.machine.gpu.id === gpu,
    };
  });
