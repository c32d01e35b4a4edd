/** The report of a GPU, measured in a worker of its own. */
import { expose } from 'comlink';
import { adapterName } from '../../../engine/adapter';
import { Device } from '../../../engine/device';
import { storedChoices } from '../../../run/kernel_choices';
import { reportGpu, type GpuReport } from '../../../training/gpu_report';
import { stepEvents, type DispatchTime } from '../../../training/step_events';

let stopped = false;
let last: { readonly gpu: string; readonly times: readonly DispatchTime[] } | undefined;

const reporter = {
  /** `port` gets how far it is: a Preparation each. */
  async report(port: MessagePort): Promise<GpuReport> {
    stopped = false;
    const device = await Device.request(navigator.gpu);
    try {
      return await reportGpu(device, {
        tuning: storedChoices(),
        progress: (preparation) => port.postMessage(preparation),
        dispatched: (times) => (last = { gpu: adapterName(device.adapter), times }),
        stopped: () => stopped,
      });
    } finally {
      device.destroy();
    }
  },

  /** The step of the last report as trace events. */
  events: (): string => stepEvents(last?.gpu ?? '', last?.times ?? []),

  /** Ends the report with what is measured by now. */
  stop(): void {
    stopped = true;
  },
};
export type GpuReporter = typeof reporter;

expose(reporter);
