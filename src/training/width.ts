/** Which width a device can train at a bearable speed. */
import type { Device } from '../engine/device';
import { planProgram } from '../engine/plan';
import { Parameters } from '../engine/packs';
import { profileDevice, type DeviceProfile } from '../engine/profile';
import { stepGraph } from './graphs';
import { detectorConfigOf, type EegSettings } from './settings';

const WIDTHS = [64, 32, 16, 8] as const;
const NARROWEST = 4;

/** Seconds that a step may take by the device's limits. Kernels run at a third of those, roughly. */
const BEARABLE = 0.35;
/** Browsers do not say how much memory there is; most GPUs that people have give this much. */
const MEMORY = 2 * 2 ** 30;

/**
 * The widest model that is estimated to take at most BEARABLE seconds a step and MEMORY bytes, and why. The device is measured where
 * no profile of it is given.
 */
export async function chooseWidth(
  device: Device,
  settings: EegSettings,
  profile?: DeviceProfile,
): Promise<{ baseChannels: number; reason: string }> {
  const { flopsPerSecond, bandwidthBytesPerSecond } = profile ?? (await profileDevice(device));
  const say = (baseChannels: number, seconds: number): { baseChannels: number; reason: string } => ({
    baseChannels,
    reason: `width ${baseChannels} of the trainer's 64: a step of it is at least ${seconds.toPrecision(2)} s on this device (${(flopsPerSecond / 1e9).toPrecision(2)} GFLOP/s, ${(bandwidthBytesPerSecond / 1e9).toPrecision(2)} GB/s measured)`,
  });
  let narrowest = say(NARROWEST, 0);
  for (const baseChannels of [...WIDTHS, NARROWEST]) {
    const { graph, loss, norm, optimizerGraph } = stepGraph(
      settings,
      detectorConfigOf(settings.model, baseChannels),
      1,
    );
    const outputs = optimizerGraph ? [loss] : [loss, norm];
    const { cost, bytes } = planProgram(graph, device.capabilities, { outputs });
    const seconds =
      settings.microBatches * Math.max(cost.flops / flopsPerSecond, cost.bytes / bandwidthBytesPerSecond);
    narrowest = say(baseChannels, seconds);
    if (seconds <= BEARABLE && bytes + Parameters.bytes(graph, { training: true }) <= MEMORY)
      return narrowest;
  }
  return narrowest;
}
