import { messageOf } from '../../../base/text';
import type { Preparation } from '../../../run/protocol';
import type { GpuReport } from '../../../training/gpu_report';
import { reportText } from '../../../training/gpu_report_text';
import { download } from '../../ui/download';
import { EventPort } from '../../ui/event_port';
import { Link } from '../../ui/link';
import type { GpuReporter } from './gpu_report_worker';

const reporterLink = (): Link<GpuReporter> =>
  new Link(
    () =>
      new Worker(new URL('./gpu_report_worker.ts', import.meta.url), { type: 'module', name: 'gpu report' }),
  );

/** The report of this GPU. The GPU is not used before a person asks for it. */
export class GpuReportState {
  report = $state.raw<GpuReport | undefined>();
  preparation = $state.raw<Preparation | undefined>();
  busy = $state(false);
  stopping = $state(false);
  problem = $state<string | undefined>();

  /** As it is pasted into a bug report. */
  readonly text = $derived(this.report ? `${reportText(this.report).join('\n')}\n` : '');
  /** Milliseconds of all ops, each timed alone. */
  readonly opsMs = $derived(this.report?.ops.reduce((sum, { ms }) => sum + ms, 0) ?? 0);

  readonly #link = reporterLink();
  readonly #port = new EventPort<Preparation>();

  async measure(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.stopping = false;
    this.problem = undefined;
    this.preparation = undefined;
    try {
      const port = this.#port.open((preparation) => (this.preparation = preparation));
      this.report = await this.#link.call((worker) => worker.report(port));
    } catch (error) {
      this.problem = `This GPU could not be measured: ${messageOf(error)}.`;
    }
    this.#port.close();
    this.busy = false;
  }

  /** Ends with what is measured. */
  stop(): void {
    this.stopping = true;
    void this.#link.call((worker) => worker.stop());
  }

  save(kind: 'json' | 'txt'): void {
    const content = kind === 'json' ? `${JSON.stringify(this.report, null, 2)}\n` : this.text;
    this.#download(`.${kind}`, content, kind === 'json' ? 'application/json' : 'text/plain');
  }

  /** The step, dispatch by dispatch, for Perfetto. */
  async saveEvents(): Promise<void> {
    try {
      const content = await this.#link.call((worker) => worker.events());
      this.#download('-step.json', content, 'application/json');
    } catch (error) {
      this.problem = `The step could not be saved: ${messageOf(error)}.`;
    }
  }

  #download(ending: string, content: string, type: string): void {
    const name = (this.report?.gpu ?? '').toLowerCase().replace(/[^a-z0-9]+/g, '-');
    download(`gpu-${name}${ending}`, new Blob([content], { type }));
  }
}
