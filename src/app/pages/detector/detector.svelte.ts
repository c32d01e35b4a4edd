import { transfer } from 'comlink';
import type { Failure } from '../../../training/protocol';
import type { EegEvent, EegPlan, FolderReport, RecordingResult } from '../../../training/eeg/protocol';
import { SMOKE_RUN, type EegSettings } from '../../../training/eeg/settings';
import { eegLink } from '../../state/link';
import { failureOf } from '../../state/run.svelte';
import { download } from './download';

export type Phase = 'idle' | 'opening' | 'preparing' | 'running' | 'paused' | 'finished' | 'failed';
type Of<T extends EegEvent['type']> = Extract<EegEvent, { type: T }>;
export type Validated = Of<'validated'>;

const SYNTHETIC_SEED = 42;

/** All that the detector's page shows: recordings, the run, and what the detector says of the held-out recordings. */
export class Detector {
  phase = $state<Phase>('idle');
  settings = $state<EegSettings>(structuredClone(SMOKE_RUN));
  folder = $state.raw<FolderReport | null>(null);
  preparation = $state.raw<Of<'preparing'> | null>(null);
  plan = $state.raw<EegPlan | null>(null);
  progress = $state.raw<Of<'progress'> | null>(null);
  outcome = $state.raw<Of<'finished'> | null>(null);
  failure = $state.raw<Failure | null>(null);
  validations = $state.raw<readonly Validated[]>([]);
  losses = $state.raw<readonly number[]>([]);
  /** Of the last validation. */
  results = $state.raw<readonly RecordingResult[]>([]);
  /** The recording that is looked at. */
  selected = $state(0);

  readonly active = $derived(['opening', 'preparing', 'running', 'paused'].includes(this.phase));
  readonly best = $derived(this.validations.findLast(({ best }) => best) ?? this.validations.at(-1));
  readonly memoryBytes = $derived(this.plan?.memory.reduce((sum, { bytes }) => sum + bytes, 0));

  /** What the detector says of the selected recording. */
  readonly result = $derived(this.results.find(({ recording }) => recording === this.selected));

  readonly link = eegLink();
  #port: MessagePort | null = null;

  /** Without recordings the synthetic ones are trained on. */
  async primary(): Promise<void> {
    if (this.phase === 'running') return this.#ask('pause');
    if (this.phase === 'paused') return this.#ask('resume');
    if (this.active) return;
    if (!this.folder && !(await this.synthesize())) return;
    await this.#start();
  }

  stop(): Promise<void> {
    return this.#ask('stop');
  }

  synthesize(): Promise<boolean> {
    return this.#open(() => this.link.call((worker) => worker.synthesize(SYNTHETIC_SEED)));
  }

  /** `limit`: only so many recordings, the first by path; null takes all. */
  open(files: FileList, limit: number | null): Promise<boolean> {
    const list = Array.from(files, (file) => ({ path: file.webkitRelativePath || file.name, data: file }));
    return this.#open(() => this.link.call((worker) => worker.open(list, limit ?? undefined)));
  }

  async saveSynthetic(): Promise<void> {
    try {
      download('synthetic-eeg.zip', await this.link.call((worker) => worker.saveSynthetic()));
    } catch (error) {
      this.failure = failureOf(error);
    }
  }

  dismissFailure(): void {
    this.failure = null;
  }

  async #open(ask: () => Promise<FolderReport>): Promise<boolean> {
    if (this.active) return false;
    this.phase = 'opening';
    try {
      const folder = await ask();
      if (folder.recordings.length === 0) {
        this.#fail({
          kind: 'data',
          message:
            folder.refused.length > 0
              ? `None of the ${folder.refused.length} recordings can be used: ${folder.refused[0]?.reason ?? ''}`
              : 'There are no recordings (.edf or .bdf) among these files.',
          advice:
            'Choose a folder with EDF or BDF files that have all 19 electrodes, and annotations beside them.',
        });
        return false;
      }
      this.folder = folder;
      this.results = [];
      this.validations = [];
      this.losses = [];
      this.plan = this.progress = this.outcome = null;
      this.selected = Math.max(
        0,
        folder.recordings.findIndex(({ seizures }) => seizures.length > 0),
      );
      this.phase = 'idle';
      return true;
    } catch (error) {
      this.#fail(failureOf(error));
      return false;
    }
  }

  async #start(): Promise<void> {
    this.plan = this.progress = this.outcome = this.failure = this.preparation = null;
    this.validations = [];
    this.losses = [];
    this.phase = 'preparing';
    try {
      const { port1, port2 } = new MessageChannel();
      this.#port = port1;
      port1.onmessage = ({ data }: MessageEvent<EegEvent>) => this.#handle(data);
      const settings = $state.snapshot(this.settings);
      await this.link.call((worker) => worker.start(settings, transfer(port2, [port2])));
    } catch (error) {
      this.#fail(failureOf(error));
    }
  }

  async #ask(what: 'pause' | 'resume' | 'stop'): Promise<void> {
    try {
      await this.link.call((worker) => worker[what]());
    } catch (error) {
      this.#fail(failureOf(error));
    }
  }

  #handle(event: EegEvent): void {
    switch (event.type) {
      case 'planned':
        this.plan = event.plan;
        this.selected = event.plan.recordings.validation[0] ?? this.selected;
        return;
      case 'preparing':
        this.preparation = event;
        return;
      case 'progress':
        this.losses = [...this.losses, ...event.metrics.loss];
        this.progress = event;
        this.preparation = null;
        if (this.phase === 'preparing') this.phase = 'running';
        return;
      case 'validated':
        this.preparation = null;
        this.validations = [...this.validations, event];
        this.results = event.results;
        return;
      case 'paused':
        this.phase = 'paused';
        return;
      case 'resumed':
        this.phase = 'running';
        return;
      case 'finished':
        this.outcome = event;
        this.#close('finished');
        return;
      case 'failed':
        this.#fail(event.failure);
        return;
      default:
        event satisfies never;
    }
  }

  #fail(failure: Failure): void {
    this.failure = failure;
    this.#close('failed');
  }

  #close(phase: Phase): void {
    this.#port?.close();
    this.#port = null;
    this.preparation = null;
    this.phase = phase;
  }
}
