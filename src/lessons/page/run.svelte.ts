import type { Preview, RunEvent, RunPlan, RunSettings } from '../loop/protocol';
import type { Failure } from '../../run/protocol';
import type { Device } from '../../app/ui/device.svelte';
import { EventPort } from '../../app/ui/event_port';
import { failureOf } from '../../app/ui/link';
import type { LessonLink } from './link';
import { Series } from './series';

export type Phase = 'idle' | 'preparing' | 'running' | 'paused' | 'finished' | 'failed';
export type Progress = Extract<RunEvent, { type: 'progress' }>;
export type Outcome = Extract<RunEvent, { type: 'finished' }>;
export type Preparation = Omit<Extract<RunEvent, { type: 'preparing' }>, 'type'>;

/** A run that ended or was replaced; its curves stay for comparison. */
export interface PastRun {
  readonly settings: RunSettings;
  readonly series: Series;
}

/** How long events wait while the page is hidden, where no frames are drawn. */
const HIDDEN_MILLISECONDS = 500;

/** The run that the page shows: what was asked of the worker, and all that came back. */
export class LessonRun {
  phase = $state<Phase>('idle');
  /** A request that the worker has not answered yet. */
  asked = $state<'pause' | 'resume' | 'stop' | 'restart' | null>(null);
  settings = $state.raw<RunSettings | null>(null);
  preparation = $state.raw<Preparation | null>(null);
  plan = $state.raw<RunPlan | null>(null);
  progress = $state.raw<Progress | null>(null);
  preview = $state.raw<Preview | null>(null);
  outcome = $state.raw<Outcome | null>(null);
  failure = $state.raw<Failure | null>(null);
  /** A message about the run that does not end it. */
  notice = $state<string | null>(null);
  previous = $state.raw<PastRun | null>(null);
  series = $state.raw(new Series());
  /** Moves whenever `series` grew. */
  revision = $state(0);

  readonly active = $derived(['preparing', 'running', 'paused'].includes(this.phase));

  readonly memoryBytes = $derived(this.plan?.memory.reduce((sum, { bytes }) => sum + bytes, 0));
  readonly memoryShares = $derived(
    (this.plan?.memory ?? []).map(({ use, bytes }) => ({
      use,
      bytes,
      share: bytes / (this.memoryBytes ?? bytes),
    })),
  );
  readonly flopsPerSecond = $derived(
    this.plan && this.progress ? this.plan.flopsPerStep * this.progress.stepsPerSecond : undefined,
  );
  /** Of what was measured on this device. */
  readonly shareOfDevice = $derived.by(() => {
    const max = this.#device.report?.flopsPerSecond;
    return max && this.flopsPerSecond !== undefined ? this.flopsPerSecond / max : undefined;
  });
  readonly stepsDone = $derived.by(() => {
    void this.revision;
    return this.series.length;
  });

  readonly #link: LessonLink;
  readonly #device: Device;
  readonly #events = new EventPort<RunEvent>();
  #inbox: RunEvent[] = [];
  #scheduled = false;
  #next: RunSettings | null = null;

  constructor(link: LessonLink, device: Device) {
    this.#link = link;
    this.#device = device;
    // Frames stop while the page is hidden: what was waiting for one is handled by the clock instead.
    document.addEventListener('visibilitychange', () => {
      if (!this.#scheduled) return;
      this.#scheduled = false;
      this.#schedule();
    });
  }

  async start(settings: RunSettings): Promise<void> {
    if (this.active) return;
    this.#reset(settings);
    try {
      if (!this.#device.measured) {
        this.preparation = { label: 'Benchmarking GPU', done: 0, total: 0 };
        await this.#device.measure();
        if (this.#endedBeforeStart()) return;
      }
      this.preparation = { label: 'Asking the GPU', done: 0, total: 0 };
      const port = this.#events.open((event) => this.#receive(event));
      await this.#link.call((worker) => worker.start(settings, port));
    } catch (error) {
      this.#fail(failureOf(error));
    }
  }

  pause(): void {
    if (this.phase === 'running') this.#ask('pause');
  }

  resume(): void {
    if (this.phase === 'paused') this.#ask('resume');
  }

  togglePause(): void {
    if (this.phase === 'paused') this.resume();
    else this.pause();
  }

  /** Ends the choice of kernels. */
  skip(): void {
    this.#link.call((worker) => worker.skip()).catch((error: unknown) => this.#fail(failureOf(error)));
  }

  stop(): void {
    if (!this.active) return;
    this.#next = null;
    this.#ask('stop');
  }

  /** Starts `settings` once the present run, if any, has ended. */
  restart(settings: RunSettings): void {
    if (!this.active) {
      void this.start(settings);
      return;
    }
    this.#next = settings;
    this.#ask('restart');
  }

  /** The person has read what went wrong. */
  dismissFailure(): void {
    this.failure = null;
  }

  #ask(request: 'pause' | 'resume' | 'stop' | 'restart'): void {
    this.asked = request;
    // Before the worker knows of the run there is nobody to ask; #endedBeforeStart sees to it.
    if (!this.#events.isOpen) return;
    const method = request === 'restart' ? 'stop' : request;
    this.#link.call((worker) => worker[method]()).catch((error: unknown) => this.#fail(failureOf(error)));
  }

  #endedBeforeStart(): boolean {
    if (this.asked !== 'stop' && this.asked !== 'restart') return false;
    this.#end({ type: 'finished', reason: 'stopped', steps: 0, seconds: 0 });
    return true;
  }

  #reset(settings: RunSettings): void {
    if (this.settings && this.series.length > 0)
      this.previous = { settings: this.settings, series: this.series };
    this.settings = settings;
    this.series = new Series();
    this.revision = 0;
    this.plan = this.progress = this.preview = this.outcome = this.failure = this.asked = this.notice = null;
    this.phase = 'preparing';
  }

  /** Events wait for the next frame, so that many of them cost one update. */
  #receive(event: RunEvent): void {
    this.#inbox.push(event);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    const flush = (): void => {
      if (!this.#scheduled) return;
      this.#scheduled = false;
      const events = this.#inbox;
      this.#inbox = [];
      for (const event of events) this.#handle(event);
    };
    if (document.hidden) setTimeout(flush, HIDDEN_MILLISECONDS);
    else requestAnimationFrame(flush);
  }

  #handle(event: RunEvent): void {
    switch (event.type) {
      case 'planned':
        this.plan = event.plan;
        return;
      case 'preparing':
        this.preparation = event;
        return;
      case 'progress':
        this.series.append(event.metrics);
        this.revision++;
        this.progress = event;
        if (this.phase === 'preparing') this.#enter('running');
        return;
      case 'preview':
        this.preview = event.preview;
        return;
      case 'paused':
        this.#enter('paused');
        return;
      case 'resumed':
        this.#enter('running');
        return;
      case 'recovering':
        this.series.backTo(event.step);
        this.revision++;
        this.phase = 'preparing';
        this.notice = `The GPU was lost. Training resumes from step ${event.step} (attempt ${event.attempt} of ${event.attempts}).`;
        return;
      case 'finished':
        this.#end(event);
        return;
      case 'failed':
        this.#fail(event.failure);
        return;
      default:
        event satisfies never;
    }
  }

  #enter(phase: 'running' | 'paused'): void {
    this.phase = phase;
    this.preparation = null;
    if (this.asked === 'pause' || this.asked === 'resume') this.asked = null;
  }

  #end(outcome: Outcome): void {
    this.#close();
    this.outcome = outcome;
    this.phase = 'finished';
    const next = this.#next;
    this.#next = null;
    if (next) void this.start(next);
  }

  #fail(failure: Failure): void {
    if (!this.active) return;
    this.#close();
    this.#next = null;
    this.failure = failure;
    this.phase = 'failed';
  }

  #close(): void {
    this.#events.close();
    this.#inbox = [];
    this.preparation = null;
    this.asked = null;
  }
}
