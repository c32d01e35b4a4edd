/** The same run on other machines: on one's own, and on those that can be rented. */
import { GPUS, type GpuId } from './hardware';
import { GIB, type Surroundings } from './host_facts';
import { hostOptions } from './from_config';
import { HostEnsemble } from './host_odds';
import { HOST_RUNS, predictHostRam, smallestRam, type HostFit } from './host_predict';
import { quantity, type Quantity } from '../base/quantity';
import { MODAL_REQUEST } from './rates';
import { costsOf, epochHours, hostPlanOf, vramFits, type Plan, type StopCost } from './scenario';
import type { TrainerRun } from './time_run';
import { predictVram } from './vram/predict';

/** Bytes that a machine usually has; on Modal what the app asks for. */
export const USUAL_RAM: Readonly<Record<Surroundings, number>> = {
  wsl2: 31 * GIB,
  local: 64 * GIB,
  modal: MODAL_REQUEST.gib * GIB,
};

interface Place {
  readonly surroundings: Surroundings;
  readonly gpu: GpuId;
}

/** Where the same run could go: the machine of one's own, and the cards that can be rented, from the largest memory down. */
export const PLACES: readonly Place[] = [
  { surroundings: 'wsl2', gpu: 'rtx4090' },
  { surroundings: 'local', gpu: 'rtx4090' },
  { surroundings: 'modal', gpu: 'h100' },
  { surroundings: 'modal', gpu: 'a100-80' },
  { surroundings: 'modal', gpu: 'a100-40' },
  { surroundings: 'modal', gpu: 'l40s' },
  { surroundings: 'modal', gpu: 'a10g' },
  { surroundings: 'modal', gpu: 'l4' },
  { surroundings: 'modal', gpu: 't4' },
];

const NAMES: Readonly<Record<Surroundings, string>> = { wsl2: 'WSL2', local: 'Linux', modal: 'Modal' };

export interface ScenarioRow {
  readonly title: string;
  readonly plan: Plan;
  /** Bytes of GPU memory. */
  readonly vram: Quantity;
  readonly vramFits: boolean;
  readonly epoch: Quantity;
  /** How many times as long an epoch takes as on the plan's own card. */
  readonly slowdown: Quantity;
  readonly costs: readonly StopCost[];
}

/** Memory of the host in a row, bytes. */
export interface RowHost {
  readonly fits: HostFit;
  /** The higher of training and validation. */
  readonly peak: Quantity;
  /** RAM with which training and validation are killed no more often than is accepted. */
  readonly needs: number;
  /** What the row's machine would have had; less than its plan's where more RAM can be rented. */
  readonly usual: number;
}

export interface HostedRow extends ScenarioRow {
  readonly host: RowHost;
}

const rowOf = (plan: Plan, own: Quantity): ScenarioRow => {
  const vram = predictVram(plan.settings.vram).total;
  const epoch = epochHours(plan);
  return {
    title: `${NAMES[plan.surroundings]}, ${plan.gpu.name}`,
    plan,
    vram,
    vramFits: vramFits(plan.settings.vram, plan.gpu),
    epoch,
    slowdown: quantity(
      [epoch.low / own.high, epoch.likely / own.likely, epoch.high / own.low].sort((a, b) => a - b) as [
        number,
        number,
        number,
      ],
      epoch.basis,
      epoch.source,
    ),
    costs: costsOf(plan),
  };
};

/** Hours as typed, as those of a run of the plan's own. */
function typedRun({ hoursPerEpoch, settings, gpu }: Plan): TrainerRun | undefined {
  if (!hoursPerEpoch) return undefined;
  const { likely, basis, source } = hoursPerEpoch;
  const { training } = settings.windows;
  return {
    made: 'trainer',
    seconds: 3600 * likely,
    windows: training,
    run: settings.vram,
    gpu,
    basis,
    source,
  };
}

/**
 * The run of a plan in its own place and all others, without the host's memory, which takes longer (`withHost`). The mixer follows the
 * launcher, which forces the convolution on Modal; the RAM is the plan's in its own surroundings, elsewhere what is usual.
 */
export function scenarioTable(plan: Plan): ScenarioRow[] {
  const own = epochHours(plan);
  const here = ({ surroundings, gpu }: Place): boolean =>
    surroundings === plan.surroundings && gpu === plan.gpu.id;
  const places = PLACES.some(here) ? PLACES : [{ ...plan, gpu: plan.gpu.id }, ...PLACES];
  return places.map((place) => {
    const { surroundings, gpu } = place;
    if (here(place)) return rowOf(plan, own);
    const alike = surroundings === plan.surroundings;
    const mixer = surroundings === 'modal' ? 'conv' : 'mamba2';
    const there: Plan = {
      ...plan,
      settings: { ...plan.settings, vram: { ...plan.settings.vram, mixer } },
      surroundings,
      gpu: GPUS[gpu],
      ramBytes: alike ? plan.ramBytes : USUAL_RAM[surroundings],
      // What was typed holds for the plan's own card and machine; hours are scaled from it.
      hoursPerEpoch: undefined,
      run: plan.run ?? typedRun(plan),
      rate: undefined,
      cores: alike ? plan.cores : undefined,
      electricity: {
        perKwh: plan.electricity?.perKwh,
        watts: gpu === plan.gpu.id ? plan.electricity?.watts : undefined,
      },
    };
    return rowOf(there, own);
  });
}

/**
 * A row with the memory of its host, which is simulated: some tenths of a second. Where RAM is rented and the plan's does not
 * do, as much as it needs is asked for and paid for.
 */
export function withHost(row: ScenarioRow): HostedRow {
  const { plan } = row;
  const hostPlan = hostPlanOf(plan);
  const ensemble = new HostEnsemble(hostOptions(hostPlan)).advance(HOST_RUNS);
  const { fits, peak } = predictHostRam(hostPlan, ensemble);
  const host: RowHost = {
    fits,
    peak,
    needs: smallestRam(hostPlan, undefined, ensemble),
    usual: plan.ramBytes,
  };
  if (fits !== 'does not fit' || plan.surroundings !== 'modal') return { ...row, host };
  const larger = { ...plan, ramBytes: host.needs };
  const there = predictHostRam(hostPlanOf(larger));
  return {
    ...row,
    plan: larger,
    costs: costsOf(larger),
    host: { ...host, fits: there.fits, peak: there.peak },
  };
}
