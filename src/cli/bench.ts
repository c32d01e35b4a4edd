/** `npx smokescan bench`: what this machine's GPU reaches with the detector, and whether it computes right. */
import { basename, dirname } from 'node:path';
import { PRODUCTION } from '../models/detector';
import { preparationText } from '../run/protocol';
import { reportGpu, type GpuReport } from '../training/gpu_report';
import { reportText } from '../training/gpu_report_text';
import { flag, number, runCommand, text, type Arguments } from './command_line';
import { fileChoices } from './kernel_choices';
import { requestNodeDevice } from './node_device';
import { OutputFolder } from './output_files';
import { print } from './print';
import { stoppable, type Signals } from './signals';
import { statusLine } from './status_line';

const COMMAND = {
  name: 'bench',
  takes: [],
  about: `Measures the GPU: bandwidth and arithmetic, 13 ops beside float64, a training step of the detector and the time of each kind
of op in it. Takes about two minutes on a GPU, minutes on a software driver; Ctrl-C ends it with what is measured.`,
  options: {
    width: number('N', 'channels of the first stage (the widest that this GPU trains at a bearable speed)', {
      whole: true,
      min: 1,
      max: PRODUCTION.baseChannels,
    }),
    json: flag('the report as JSON'),
    out: text('FILE', 'write the report as JSON into this file, too'),
  },
  notes: 'Exit code 0; 1 where the GPU computes wrongly; 2 for wrong arguments.',
};

/** Command `bench`. */
export const main = (args: readonly string[]): Promise<number> =>
  runCommand(COMMAND, args, ({ values }) => stoppable((signals) => bench(values, signals)));

async function bench(
  { width, json, out }: Arguments<typeof COMMAND.options>['values'],
  signals: Signals,
): Promise<number> {
  const folder = out === undefined ? undefined : await OutputFolder.open(dirname(out));
  try {
    if (out !== undefined) await folder?.checkFree([basename(out)]);
    const { line } = statusLine();
    const device = await requestNodeDevice();
    let report: GpuReport | undefined;
    await signals.run({
      run: async () => {
        report = await reportGpu(device, {
          width,
          tuning: fileChoices(),
          progress: (preparation) => line(preparationText(preparation)),
          stopped: () => signals.stopped,
        });
      },
      stop: () => undefined,
    });
    if (!report) return 1;
    line('');
    const written = JSON.stringify(report, null, 2);
    if (out !== undefined) await folder?.write(basename(out), [`${written}\n`]);
    print(json ? written : reportText(report).join('\n'));
    return report.check.wrong.length > 0 ? 1 : 0;
  } finally {
    await folder?.close();
  }
}
