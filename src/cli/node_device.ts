import { Device } from '../engine/device';
import { UsableDevice } from '../run/usable_device';
import { requestNodeGpu } from './node_gpu';

const opened = new UsableDevice(async () => Device.request(await requestNodeGpu()));

/** The device of this process. Throws like `requestNodeGpu` and `Device.request`. */
export const requestNodeDevice = (): Promise<Device> => opened.get();
