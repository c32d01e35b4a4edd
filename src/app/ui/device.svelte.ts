import { messageOf } from '../../base/text';
import { adapterHint, adapterName } from '../../engine/adapter';
import type { DeviceReport } from '../../run/protocol';
import { LinkError } from './link';

/** Seconds after which a GPU that the browser holds back is asked for again. */
const AGAIN = 10;

/** `missing`: no GPU that can be used, so the advice is shown. `unknown`: the worker could not be asked. `held`: the
 * browser gives none for a while since one was lost. */
export type DeviceStatus = 'asking' | 'ready' | 'missing' | 'unknown' | 'held';

/** How a worker is asked; both reject with a sentence. */
export interface DeviceQuestions {
  device(): Promise<DeviceReport>;
  /** The same with bandwidth and FLOP rate measured. */
  measure(): Promise<DeviceReport>;
}

/** The GPU that a page trains on. */
export class Device {
  status = $state<DeviceStatus>('asking');
  report = $state.raw<DeviceReport | null>(null);
  /** Why the status is `missing` or `unknown`, or why a measurement failed. */
  problem = $state<string | null>(null);
  measuring = $state(false);

  readonly name = $derived(this.report ? adapterName(this.report) : '');
  readonly hint = $derived(this.report && adapterHint(this.report, navigator.userAgent));

  readonly measured = $derived((this.report?.flopsPerSecond ?? null) !== null);

  readonly #questions: DeviceQuestions;
  constructor(questions: DeviceQuestions) {
    this.#questions = questions;
  }

  async ask(): Promise<void> {
    // Checked here so that browsers without WebGPU load no worker.
    if (!('gpu' in navigator)) {
      this.status = 'missing';
      this.problem = window.isSecureContext
        ? 'This browser has no WebGPU (navigator.gpu is missing).'
        : 'This address is not secure, so the browser hides WebGPU from it.';
      return;
    }
    if (this.status !== 'held') this.status = 'asking';
    try {
      this.report = await this.#questions.device();
      this.problem = null;
      this.status = 'ready';
    } catch (error) {
      this.problem = messageOf(error);
      const held = error instanceof Error && error.name === 'GpuHeldBackError';
      this.status = held ? 'held' : error instanceof LinkError ? 'unknown' : 'missing';
      if (held) setTimeout(() => this.status === 'held' && void this.ask(), 1000 * AGAIN);
    }
  }

  /** Bandwidth and FLOP rate; a failure is shown beside them and stops nothing else. */
  async measure(): Promise<void> {
    if (this.measuring) return;
    this.measuring = true;
    try {
      this.report = await this.#questions.measure();
      this.problem = null;
    } catch (error) {
      this.problem = messageOf(error);
    } finally {
      this.measuring = false;
    }
  }
}
