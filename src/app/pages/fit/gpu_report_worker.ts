/** The report of a GPU, measured in a worker of its own. */
import { expose } from 'comlink';
import { Device } from '../../../engine/device';
import { storedChoices } from '../../../run/kernel_choices';
import { reportGpu, type GpuReport } from '../../../training/gpu_report';

let stopped = false;

const reporter = {
  /** `port` is told how far it is: a Preparation each. */
  async report(port: MessagePort): Promise<GpuReport> {
    stopped = false;
    const device = await Device.request(navigator.gpu);
    try {
      return await reportGpu(device, {
        tuning: storedChoices(),
        progress: (preparation) => port.postMessage(preparation),
        stopped: () => stopped,
      });
    } finally {
      device.destroy();
    }
  },

  /** Ends the report with what is measured by now. */
  stop(): void {
    stopped = true;
  },
};
export type GpuReporter = typeof reporter;

expose(reporter);
