/** Plans of presets on their usual machines, and the run of which the tests of GPU memory are. */
import { readFileSync } from 'node:fs';
import { readConfig, type Setting } from '../../../src/config/settings';
import { MACHINES, type Machine, type Platform } from '../../../src/config/targets';
import { settingsFrom } from '../../../src/estimate/from_config';
import type { VramRun } from '../../../src/estimate/vram/options';
import { PRODUCTION } from '../../../src/models/detector';
import type { Plan } from '../../../src/estimate/scenario';

/** Settings of a file in configs on a platform, with `split` of its files held out where that is given. */
export function settingsOf(path: string, platform: Platform, split = NaN) {
  const { settings } = readConfig(readFileSync(new URL(`../../../configs/${path}`, import.meta.url), 'utf8'));
  const held = split > 0 ? ([['data.validation_split', { value: split }]] as const) : [];
  return settingsFrom(new Map<string, Pick<Setting, 'value'>>([...settings, ...held]), path, platform);
}

/** The production run with the batch size of the local preset. */
export const PRODUCTION_VRAM: VramRun = {
  batch: 8,
  microBatches: 1,
  checkpointing: false,
  layers: PRODUCTION.layers,
  mixer: 'mamba2',
  precision: 'fp16',
  kernelSizes: PRODUCTION.kernelSizes,
  convKernel: PRODUCTION.convKernel,
  loss: 'focal',
};

/** The plan on a machine that differs. */
export const on = (plan: Plan, change: Partial<Machine>): Plan => ({
  ...plan,
  machine: { ...plan.machine, ...change },
});

export const A100: Plan = {
  // Validation of a tenth of the corpus takes more than the 32 GiB that the app asks for.
  settings: settingsOf('modal/train_a100.yaml', 'modal', 0.1),
  machine: { ...MACHINES.modal, ramGiB: 48 },
};
export const LOCAL: Plan = {
  settings: settingsOf('local/train.yaml', 'wsl2'),
  machine: MACHINES.wsl2,
};
