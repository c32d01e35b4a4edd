/** What a training in this browser takes: planned on this device, timed by its measured limits and by runs made on it. */
import { expose } from 'comlink';
import {
  predictStepTime,
  type DeviceRates,
  type PastRun,
  type StepTime,
} from '../../../estimate/time_per_step';
import { adapterName } from '../../../engine/adapter';
import { Device } from '../../../engine/device';
import { profileDevice } from '../../../engine/profile';
import { costOf } from '../../../training/fits';
import type { RunDevice } from '../../../training/run_record';
import type { EegSettings } from '../../../training/settings';

/** A run that is kept in this browser. */
export interface KeptRun {
  readonly id: string;
  readonly name: string;
  /** The name of its GPU, and what tells it apart from others of that name; runs of before have the name alone. */
  readonly device: string;
  readonly adapterKey: string | undefined;
  readonly settings: EegSettings;
  /** Of training, for `steps` steps. */
  readonly seconds: number;
  readonly steps: number;
  /** Where it was measured before. */
  readonly measured: RunDevice | undefined;
}

export interface BrowserDevice {
  readonly name: string;
  readonly adapterKey: string;
  readonly rates: DeviceRates;
  /** Of the kept runs that were made on it, by their id. */
  readonly runs: ReadonlyMap<string, RunDevice>;
}

export interface BrowserRow {
  readonly width: number;
  readonly bytes: number;
  /** Of one step. */
  readonly flops: number;
  readonly time: StepTime;
}

let ready: { readonly device: Device; readonly rates: DeviceRates } | undefined;
let past: readonly PastRun[] = [];

const predictions = {
  /** Measures the device, which takes about a second, and takes the runs made on it as a correction. */
  async measure(kept: readonly KeptRun[]): Promise<BrowserDevice> {
    ready?.device.destroy();
    ready = undefined;
    const device = await Device.request(navigator.gpu);
    const rates = await profileDevice(device);
    ready = { device, rates };
    const { adapter, adapterKey } = device;
    const runs = new Map<string, RunDevice>();
    past = kept
      .filter((run) => run.adapterKey === adapterKey)
      .map(({ id, settings, seconds, steps }) => {
        const { step } = costOf(settings, device.capabilities);
        runs.set(id, { rates, update: step });
        return { cost: step, seconds: seconds / steps };
      });
    return { name: adapterName(adapter), adapterKey, rates, runs };
  },

  /** The settings with this width of the first stage. */
  async row(settings: EegSettings, width: number): Promise<BrowserRow> {
    if (!ready) throw new Error('the device was not measured');
    const { device, rates } = ready;
    const model = { ...settings.model, baseChannels: width };
    const { bytes, step } = costOf({ ...settings, model }, device.capabilities);
    return { width, bytes, flops: step.flops, time: predictStepTime(step, rates, past) };
  },
};
export type BrowserPredictions = typeof predictions;

expose(predictions);
