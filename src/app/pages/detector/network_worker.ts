/** What the network that is pulled at takes, away from the page's thread. */
import { expose } from 'comlink';
import { Device } from '../../../engine/device';
import type { Capabilities } from '../../../engine/plan';
import { costOf, parametersOf } from '../../../training/fits';
import type { EegSettings } from '../../../training/settings';
import { answer, type Answer } from '../../ui/answer';

export interface NetworkCost {
  readonly parameters: number;
  /** That a run asks this GPU for; undefined without one. */
  readonly bytes: number | undefined;
}

let asked: Promise<Capabilities | undefined> | undefined;

/** Of this browser's GPU, which is let go at once: planning needs its limits alone. Undefined without one. */
async function capabilities(): Promise<Capabilities | undefined> {
  try {
    const device = await Device.request(navigator.gpu);
    const found = device.capabilities;
    device.destroy();
    return found;
  } catch {
    // The page says why there is no GPU where one is needed.
    return undefined;
  }
}

const network = {
  /** The width of the settings is a number. */
  async cost(settings: EegSettings): Promise<Answer<NetworkCost>> {
    const known = await (asked ??= capabilities());
    return answer(() => ({
      parameters: parametersOf(settings),
      bytes: known && costOf(settings, known).bytes,
    }));
  },
};
export type Network = typeof network;

expose(network);
