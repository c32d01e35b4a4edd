/** A run's memory in a few numbers, for rules and tables that compare many configurations. */
import { scaled, type Quantity } from '../base/quantity';
import { GIB } from '../config/facts';
import { likelyHours, type Machine } from '../config/targets';
import { hostOptions, settingsFrom, type Get, type HostPlan } from './from_config';
import { HostEnsemble } from './host_odds';
import { predictVram } from './vram/predict';

/** In GiB. */
export interface MemoryFigures {
  /** Of the GPU, while it trains. */
  readonly vramGiB: Quantity;
  /** Of the machine, while it trains; validation's lists come after it and have a rule of their own. */
  readonly hostGiB: Quantity;
}

/** A third of what a forecast takes, so that an editor does not wait. */
const RUNS = 13;
const REMEMBERED = 64;
const remembered = new Map<string, MemoryFigures | null>();

/**
 * What a configuration that production accepts takes, `get` as settingsFrom wants it. Null for one that validates and still
 * no model can be made of, such as an even kernel for the convolution mixer. The same question is answered from memory.
 */
export function figuresFrom(get: Get, path: string, machine: Machine): MemoryFigures | null {
  const settings = settingsFrom(get, path, machine.name);
  const plan: HostPlan = {
    loader: settings.loader,
    windows: settings.windows,
    platform: machine.name,
    ramBytes: machine.ramGiB * GIB,
    hoursPerEpoch: likelyHours(machine),
  };
  const key = JSON.stringify([settings.vram, plan]);
  let found = remembered.get(key);
  if (found === undefined) {
    found = predicted(settings.vram, plan);
    const [oldest] = remembered.keys();
    if (remembered.size >= REMEMBERED && oldest !== undefined) remembered.delete(oldest);
    remembered.set(key, found);
  }
  return found;
}

function predicted(vram: Parameters<typeof predictVram>[0], plan: HostPlan): MemoryFigures | null {
  try {
    const host = new HostEnsemble(hostOptions(plan)).advance(RUNS);
    return {
      vramGiB: scaled(predictVram(vram).total, 1 / GIB),
      hostGiB: scaled(host.peak(), 1 / GIB),
    };
  } catch (error) {
    // The rules say of such a file what is wrong with it.
    if (error instanceof RangeError) return null;
    throw error;
  }
}
