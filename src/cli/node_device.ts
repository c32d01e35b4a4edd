import { Device } from '../engine/device';
import { requestNodeGpu } from './node_gpu';

let opened: Promise<Device> | undefined;

const open = async (): Promise<Device> => Device.request(await requestNodeGpu());

/**
 * The device of this process, opened by the first call: who asks later has what others compiled on it. One that failed is
 * replaced by a new one. Throws like `requestNodeGpu` and `Device.request`; the next call then tries again.
 */
export function requestNodeDevice(): Promise<Device> {
  opened = opened?.then((device) => (device.failure ? open() : device), open) ?? open();
  return opened;
}
