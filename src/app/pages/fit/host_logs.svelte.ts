import { messageOf } from '../../../base/text';
import { GIB } from '../../../base/units';
import type { HostSamples } from '../../../estimate/host_samples';
import type { Evidence, MechanismFit } from '../../../estimate/mechanism_fit';
import { readOomLog } from '../../../estimate/oom_log';
import type { OwnCrash } from '../../../estimate/own_crash';
import type { RamRun } from '../../../estimate/ram_simulator';
import type { Answer } from '../../ui/answer';
import { Latest } from '../../ui/latest.svelte';
import { fileReader } from './file_reader';
import type { HostLog } from './file_worker';

/** Mechanisms beside a log, after some of the simulated runs of each. */
export interface Fitted {
  /** Of the crash. */
  readonly id: string;
  readonly runs: number;
  readonly of: number;
  readonly fits: readonly MechanismFit[];
  /** The run nearest to the log, of the mechanism that fits best; there when all runs are done. */
  readonly nearest: { readonly fit: MechanismFit; readonly run: RamRun } | undefined;
}

/** What a host wrote of a run’s memory: the kernel’s report of an OOM kill, and samples over time. */
export class HostLogs {
  text = $state('');
  samples = $state.raw<{ readonly name: string; readonly of: HostSamples } | undefined>();
  problem = $state<string | undefined>();
  readonly log = $derived(this.text.trim() === '' ? undefined : readOomLog(this.text));
  readonly fitted = new Latest<Fitted>();

  /** What the log that is read now says of a crash. */
  get crash(): Partial<OwnCrash> {
    const { ram, afterBatches } = this.log ?? {};
    return {
      ...(ram !== undefined && { ramGiB: Number((ram / GIB).toPrecision(3)) }),
      ...(afterBatches !== undefined && { afterBatches }),
    };
  }

  evidence({ afterBatches }: Pick<OwnCrash, 'afterBatches'>): Evidence {
    return {
      afterBatches,
      victim: this.log?.victim,
      victimBytes: this.log?.resident,
      runBytes: this.log?.run,
      samples: this.samples?.of,
    };
  }

  async open(file: File): Promise<void> {
    this.problem = undefined;
    try {
      const read = await fileReader().ask<Answer<HostLog>>((worker) => worker.hostLog(file));
      if ('problem' in read) this.problem = `${file.name} was not used. ${read.problem}`;
      else if ('samples' in read.value) this.samples = { name: file.name, of: read.value.samples };
      else this.text = read.value.text;
    } catch (error) {
      this.problem = `${file.name} was not read: ${messageOf(error)}.`;
    }
  }
}
