import { Device } from '../engine/device';
import { lossesInMemory } from '../run/gpu_losses';
import { UsableDevice, type WaitForGpu } from '../run/usable_device';
import { requestNodeGpu } from './node_gpu';

const opened = new UsableDevice(async () => Device.request(await requestNodeGpu()), lossesInMemory(), false);

/** The device of this process. Throws like `requestNodeGpu` and `Device.request`. */
export const requestNodeDevice = (wait?: WaitForGpu): Promise<Device> => opened.get(wait);
