/** The same run on other machines: on one's own, and on those that can be rented. */
import { mixerOn } from './from_config';
import { GIB } from '../base/units';
import { quantity, type Quantity } from '../base/quantity';
import { GPUS, type GpuId } from '../config/gpus';
import { MACHINES, type Machine, type Platform } from '../config/targets';
import type { Fit } from '../config/verdict';
import { ensembleOf, predictRam, smallestRam } from './ram_predict';
import { costsOf, epochHours, ramPlanOf, type Plan, type StopCost } from './scenario';
import type { TrainerRun } from './time_run';
import { gpuFit, predictVram } from './vram/predict';

const on = (platform: Platform, ...gpus: GpuId[]): Machine[] =>
  gpus.map((gpu) => ({ ...MACHINES[platform], gpu: GPUS[gpu] }));

/** Where the same run could go: the machine of one's own, and the GPUs that can be rented, from the largest memory down. */
const OTHER_MACHINES: readonly Machine[] = [
  ...on('wsl2', 'rtx4090'),
  ...on('local', 'rtx4090'),
  ...on('modal', 'h100', 'a100-80', 'a100-40', 'l40s', 'a10g', 'l4', 't4'),
];

const NAMES: Readonly<Record<Platform, string>> = { wsl2: 'WSL2', local: 'Linux', modal: 'Modal' };

export interface ScenarioRow {
  readonly title: string;
  readonly plan: Plan;
  /** Bytes of GPU memory. */
  readonly vram: Quantity;
  readonly gpuFit: Fit;
  readonly epoch: Quantity;
  /** How many times as long an epoch takes as on the plan's own card. */
  readonly slowdown: Quantity;
  readonly costs: readonly StopCost[];
}

/** System RAM of a row, bytes. */
export interface RowRam {
  readonly fits: Fit;
  /** The higher of training and validation. */
  readonly peak: Quantity;
  /** RAM with which training and validation are killed no more often than is accepted. */
  readonly needs: number;
  /** What the row's machine would have had; less than its plan's where more RAM can be rented. */
  readonly usual: number;
}

export interface RowWithRam extends ScenarioRow {
  readonly ram: RowRam;
}

const rowOf = (plan: Plan, own: Quantity): ScenarioRow => {
  const { machine } = plan;
  const vram = predictVram(plan.settings.vram).total;
  const epoch = epochHours(plan);
  return {
    title: `${NAMES[machine.name]}, ${machine.gpu.name}`,
    plan,
    vram,
    gpuFit: gpuFit(plan.settings.vram, machine.gpu.memoryBytes),
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
function typedRun({ settings, machine }: Plan): TrainerRun | undefined {
  if (!machine.hoursPerEpoch) return undefined;
  const { likely, basis, source } = machine.hoursPerEpoch;
  const { training } = settings.windows;
  return {
    made: 'trainer',
    whole: true,
    seconds: 3600 * likely,
    windows: training,
    run: settings.vram,
    gpu: machine.gpu,
    basis,
    source,
  };
}

/**
 * The run of a plan in its own place and all others, without the system RAM, which takes longer (`withRam`). The mixer follows the
 * launcher, which forces the convolution on Modal; the RAM is the plan's in its own surroundings, elsewhere what is usual.
 */
export function scenarioTable(plan: Plan): ScenarioRow[] {
  const own = epochHours(plan);
  const here = ({ name, gpu }: Machine): boolean =>
    name === plan.machine.name && gpu.id === plan.machine.gpu.id;
  const machines = OTHER_MACHINES.some(here) ? OTHER_MACHINES : [plan.machine, ...OTHER_MACHINES];
  return machines.map((machine) => {
    if (here(machine)) return rowOf(plan, own);
    const mixer = mixerOn(machine.name);
    const there: Plan = {
      ...plan,
      settings: { ...plan.settings, vram: { ...plan.settings.vram, mixer } },
      // Hours, rate and watts that were typed hold for the plan's own GPU and machine; hours are scaled from them.
      machine:
        machine.name === plan.machine.name
          ? { ...plan.machine, gpu: machine.gpu, hoursPerEpoch: undefined }
          : machine,
      run: plan.run ?? typedRun(plan),
      rate: undefined,
      electricity: {
        perKwh: plan.electricity?.perKwh,
        watts: machine.gpu.id === plan.machine.gpu.id ? plan.electricity?.watts : undefined,
      },
    };
    return rowOf(there, own);
  });
}

/**
 * A row with its system RAM, which is simulated: some tenths of a second. Where RAM is rented and the plan's does not
 * do, as much as it needs is asked for and paid for.
 */
export function withRam(row: ScenarioRow): RowWithRam {
  const { plan } = row;
  const ramPlan = ramPlanOf(plan);
  const ensemble = ensembleOf(ramPlan);
  const { fits, peak } = predictRam(ramPlan, ensemble);
  const ram: RowRam = {
    fits,
    peak,
    needs: smallestRam(ramPlan, undefined, ensemble),
    usual: plan.machine.ramGiB * GIB,
  };
  if (ram.needs <= ram.usual || plan.machine.name !== 'modal') return { ...row, ram };
  const larger = { ...plan, machine: { ...plan.machine, ramGiB: ram.needs / GIB } };
  const there = predictRam(ramPlanOf(larger));
  return {
    ...row,
    plan: larger,
    costs: costsOf(larger),
    ram: { ...ram, fits: there.fits, peak: there.peak },
  };
}
