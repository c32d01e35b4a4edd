/** A GPU that gives no answer, and no error either, as some drivers do when they hang. */
import type { Device } from '../engine/device';

/** Minutes. The answer to a step takes a second, and on a busy CPU-backed adapter minutes. */
const PATIENCE = 10;

/** `work` on the device; when it takes longer than `minutes`, the device counts as lost, and `work` rejects with that. */
export async function answered<T>(device: Device, work: Promise<T>, minutes = PATIENCE): Promise<T> {
  const timer = setTimeout(
    () => device.giveUp(`the GPU gave no answer for ${minutes} minutes`),
    60_000 * minutes,
  );
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}
