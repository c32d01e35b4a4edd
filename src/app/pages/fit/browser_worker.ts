/** What a training in this browser takes: planned on this device, timed by its measured limits and by runs made on it. */
import { expose } from 'comlink';
import {
  predictStepTime,
  type DeviceRates,
  type PastRun,
  type StepTime,
} from '../../../estimate/time_per_step';
import { Device } from '../../../engine/device';
import { profileDevice } from '../../../engine/profile';
import { costOf } from '../../../training/eeg/fits';
import type { EegSettings } from '../../../training/eeg/settings';

/** A run that is kept in this browser. */
export interface KeptRun {
  readonly device: string;
  readonly settings: EegSettings;
  /** Of training, for `updates` updates. */
  readonly seconds: number;
  readonly updates: number;
}

export interface BrowserDevice {
  readonly name: string;
  readonly rates: DeviceRates;
  /** Kept runs that were made on it. */
  readonly runs: number;
}

export interface BrowserRow {
  readonly width: number;
  readonly bytes: number;
  /** Of one update. */
  readonly flops: number;
  readonly time: StepTime;
}

let ready: { readonly device: Device; readonly rates: DeviceRates } | undefined;
let past: readonly PastRun[] = [];

const nameOf = ({ adapter: { description, vendor, architecture } }: Device): string =>
  description || `${vendor} ${architecture}`.trim() || 'a GPU';

const predictions = {
  /** Measures the device, which takes about a second, and takes the runs made on it as a correction. */
  async measure(kept: readonly KeptRun[]): Promise<BrowserDevice> {
    ready?.device.destroy();
    ready = undefined;
    const device = await Device.request(navigator.gpu);
    const rates = await profileDevice(device);
    ready = { device, rates };
    const name = nameOf(device);
    past = kept
      .filter(
        (run) =>
          run.device === name &&
          run.updates > 0 &&
          run.seconds > 0 &&
          run.settings.model.baseChannels !== 'auto',
      )
      .map(({ settings, seconds, updates }) => ({
        cost: costOf(settings, device.capabilities).update,
        seconds: seconds / updates,
      }));
    return { name, rates, runs: past.length };
  },

  /** The settings with this width of the first stage. */
  async row(settings: EegSettings, width: number): Promise<BrowserRow> {
    if (!ready) throw new Error('the device was not measured');
    const { device, rates } = ready;
    const model = { ...settings.model, baseChannels: width };
    const { bytes, update } = costOf({ ...settings, model }, device.capabilities);
    return { width, bytes, flops: update.flops, time: predictStepTime(update, rates, past) };
  },
};
export type BrowserPredictions = typeof predictions;

expose(predictions);
