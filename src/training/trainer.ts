/**
 * The trainer's training loop on EEG: warm-up and cosine, clipping, loss, validation on whole recordings after each epoch,
 * early stopping, the stop on a collapse. It needs a device, recordings and a receiver of its events.
 */
import { COLLAPSE } from '../base/production';
import type { TrainingState } from '../checkpoints/state';
import type { Slot } from '../checkpoints/run';
import { load, localSource, type BatchSource } from '../eeg/windows/loader';
import { Sampler } from '../eeg/windows/sampler';
import type { WindowRef } from '../eeg/windows/windows';
import type { Device } from '../engine/device';
import { firstNotFinite } from '../engine/not_finite';
import type { Parameters } from '../engine/packs';
import { RunControl } from '../run/control';
import { isLost, NotFiniteError, toFailure, type Advice } from '../run/failure';
import { Owned } from '../run/owned';
import { handled } from '../base/handled';
import type { Failure, Preparation } from '../run/protocol';
import type { Checkpoints } from './checkpoints';
import { suggest, type Suggestion } from './fits';
import { glimpse } from './glimpse';
import type { EegEvent, Watched } from './protocol';
import { prepareSession, type Session, type SessionOptions } from './session';
import { Sources } from './sources';
import { capture } from './state';
import { submitStep } from './step';
import { metricOf, validate, type Validation } from './validation';
import type { WaitForGpu } from '../run/usable_device';

export interface EegTrainerOptions extends SessionOptions {
  /** Called at the start, and again when that device was lost. */
  readonly device: (wait: WaitForGpu) => Promise<Device>;
  /** Keeps states; without it a lost device is the end of the run. */
  readonly checkpoints?: Checkpoints;
  /** The state to resume from, to the bit. */
  readonly from?: TrainingState;
  /** A part of a recording that is looked at between steps. */
  readonly watched?: () => Watched | null;
  /** Is shown the trained model before its memory is given back, unless the run failed. */
  readonly keep?: (parameters: Parameters) => Promise<void>;
  /** Better advice than what is given on the page. */
  readonly advice?: Advice;
  /** Validates a run that has ended once more, where it is resumed: its results are to be written again. */
  readonly revalidate?: boolean;
}

/** How often a run resumes after the GPU was lost; and how often at one place, the last time with shorter submits. */
const MAX_RECOVERIES = 5;
const MAX_AT_ONE_PLACE = 2;

/** Milliseconds of training after which the first checkpoint is due, whatever interval is chosen: there is none before it. */
const FIRST_CHECKPOINT = 20_000;

/** What is better done here than what is advised for any training. */
const ADVICE = {
  'out-of-memory': 'Take what would fit, or close other tabs and programs that use the GPU, and start again.',
  'device-lost':
    'The last checkpoint is saved: resume from it. If the GPU is lost again at the same place, choose a narrower model or smaller micro-batches.',
  'held-back': 'Close all windows of this browser and open it again. Train then offers to resume the run.',
  graph: 'Take a narrower model or a smaller batch: this one does not fit the limits of this GPU.',
  settings: 'Change that and start again.',
  'not-finite':
    'Take a lower learning rate or another seed, float32 where activations are float16, or resume from the last checkpoint. If it happens with every seed, this GPU computes wrongly: try another browser.',
} as const;

class Stopped extends Error {}

type Finished = Extract<EegEvent, { type: 'finished' }>;

export class EegTrainer extends RunControl {
  #epoch = 0;
  /** A checkpoint was asked for. */
  #due = false;
  #lastSave = 0;
  /** Checkpoints that are on their way. Never rejects. */
  #saving: Promise<void> = Promise.resolve();
  #savesUnderWay = 0;
  #saves = 0;
  /** How often the GPU was lost, at which step last, and how often about there. */
  #lost = 0;
  #lostAt = -Infinity;
  #atOnePlace = 0;
  #suggestions: readonly Suggestion[] = [];

  constructor(private readonly options: EegTrainerOptions) {
    super();
  }

  /** Asks for a checkpoint after the step that is under way. */
  checkpoint(): void {
    this.#due = true;
  }

  /** Runs to the end. Never rejects: what goes wrong is the event `failed`. To be called once. */
  async run(): Promise<void> {
    let { from } = this.options;
    for (;;) {
      const owned = new Owned();
      let session: Session | undefined;
      let last: EegEvent;
      try {
        session = await prepareSession(this.options, owned, from, {
          preparing: (preparation) => this.#preparing(preparation),
          skipped: () => this.skipped,
          stopped: () => this.stopped,
          device: () => this.#device(),
          epoch: () => this.#epoch,
          suggested: (suggestions) => void (this.#suggestions = suggestions),
        });
        last = await this.#train(session);
      } catch (error) {
        await this.#saving;
        const { checkpoints } = this.options;
        if (isLost(error) && checkpoints && !this.stopped && this.#resumesAfterLoss(session)) {
          // A store that cannot be read is no reason to lose the run.
          from = (await checkpoints.latest().catch(() => undefined)) ?? this.options.from;
          this.options.emit({
            type: 'recovering',
            attempt: this.#lost,
            attempts: MAX_RECOVERIES,
            step: from?.progress.step ?? 0,
            shortSubmits: this.#atOnePlace > 1,
            damaged: checkpoints.damaged ?? null,
          });
          continue;
        }
        last =
          error instanceof Stopped
            ? {
                type: 'finished',
                reason: 'stopped',
                steps: from?.progress.step ?? 0,
                seconds: session?.metrics.seconds ?? 0,
              }
            : { type: 'failed', failure: this.#failureOf(error), suggestions: this.#suggestions };
      } finally {
        owned.destroy();
      }
      this.options.emit(last);
      return;
    }
  }

  #failureOf(error: unknown): Failure {
    const failure = toFailure(error, { ...ADVICE, ...this.options.advice });
    if (!isLost(error) || this.#lost < 2) return failure;
    const where =
      this.#atOnePlace > MAX_AT_ONE_PLACE
        ? `${this.#atOnePlace} times at step ${this.#lostAt}, also with shorter submits`
        : `${this.#lost} times in this run`;
    return { ...failure, message: `${failure.message} It was lost ${where}, so it is not tried again.` };
  }

  async #device(): Promise<Device> {
    const device = await this.options.device({
      waiting: (preparation) => this.#preparing(preparation),
      skipped: () => this.takeSkip(),
    });
    device.shortSubmits = this.#atOnePlace > 1;
    return device;
  }

  /** Notes a loss. Whether the run is to resume. */
  #resumesAfterLoss(session: Session | undefined): boolean {
    this.#lost++;
    const step = session?.progress.step;
    // A step more or less may be under way when the loss is heard of.
    const again = step !== undefined && Math.abs(step - this.#lostAt) <= 1;
    this.#atOnePlace = step === undefined ? this.#atOnePlace : again ? this.#atOnePlace + 1 : 1;
    this.#lostAt = step ?? this.#lostAt;
    if (this.#atOnePlace > MAX_AT_ONE_PLACE && session) {
      const bytes = session.plan.memory.reduce((sum, use) => sum + use.bytes, 0);
      this.#suggestions = suggest(session.settings, session.device.capabilities, bytes - 1);
      return false;
    }
    return this.#lost <= MAX_RECOVERIES;
  }

  #preparing(preparation: Preparation): void {
    if (this.stopped) throw new Stopped();
    this.options.emit({ type: 'preparing', ...preparation });
  }

  async #train(session: Session): Promise<Finished> {
    const { settings, emit, keep } = this.options;
    const { plan, set, metrics, progress } = session;
    const { metric, mode, patience } = settings.earlyStopping;
    const sign = mode === 'max' ? 1 : -1;
    const place = { epoch: progress.epoch, position: progress.inEpoch * settings.batch };
    const sampler = new Sampler(set.windows.length, settings.seed, place);
    const sources = new Sources(this.options);
    await this.#dryRun(session);
    if (progress.step === 0) await this.#glimpse(session);
    let reason: Finished['reason'] = progress.without >= patience ? 'early-stopping' : 'completed';
    const hasEnded = reason !== 'completed' || (progress.step >= plan.steps && progress.inEpoch === 0);
    this.#lastSave = performance.now();
    metrics.start();
    try {
      while ((progress.step < plan.steps || progress.inEpoch > 0) && reason === 'completed') {
        const epoch = (this.#epoch = progress.epoch + 1);
        await this.#epochOf(session, this.#batches(session, sampler), sources.open());
        if (!settings.persistentWorkers) sources.close();
        metrics.stop();
        const validation = this.stopped ? undefined : await this.#validate(session);
        if (this.stopped) {
          reason = 'stopped';
          break;
        }
        metrics.start();
        sampler.advance();
        Object.assign(progress, { epoch, inEpoch: 0 });
        if (!validation) {
          await this.#save(session, ['last']);
          continue;
        }
        const value = metricOf(validation.scores, metric);
        const isBest = value !== undefined && (progress.best === null || sign * value > sign * progress.best);
        emit({ type: 'validated', epoch, step: progress.step, best: isBest, ...validation });
        if (isBest) progress.best = value;
        progress.without = isBest ? 0 : progress.without + 1;
        await this.#save(session, isBest ? ['best', 'last'] : ['last']);
        const { auroc } = validation.scores;
        if (epoch > COLLAPSE.epochs && auroc !== undefined && auroc < COLLAPSE.auroc) reason = 'collapse';
        else if (value !== undefined && progress.without >= patience) reason = 'early-stopping';
      }
      if (hasEnded && this.options.revalidate) {
        const { epoch, step, without } = progress;
        const validation = await this.#validate(session);
        if (this.stopped) reason = 'stopped';
        else if (validation) emit({ type: 'validated', epoch, step, best: without === 0, ...validation });
      }
    } finally {
      sources.close();
    }
    metrics.stop();
    if (reason === 'stopped') await this.#save(session, ['last']);
    await this.#saving;
    await keep?.(session.parameters);
    return { type: 'finished', reason, steps: progress.step, seconds: metrics.seconds };
  }

  /** Whether a checkpoint is due after a step. */
  #isDue({ progress }: Session): boolean {
    const { everySteps } = this.options.settings.checkpoints;
    if (!this.options.checkpoints) return false;
    return (everySteps !== null && progress.step % everySteps === 0) || this.#isTime();
  }

  /** Whether a checkpoint was asked for or is due by the clock; it waits until the one before is written. */
  #isTime(): boolean {
    const { everyMinutes } = this.options.settings.checkpoints;
    if (!this.options.checkpoints || this.#savesUnderWay > 0) return false;
    const since = performance.now() - this.#lastSave;
    const interval = everyMinutes === null ? Infinity : 60_000 * everyMinutes;
    return this.#due || since >= (this.#saves === 0 ? Math.min(FIRST_CHECKPOINT, interval) : interval);
  }

  /** Queues a checkpoint of what the training is now; it continues while that is written. */
  async #save(session: Session, slots: readonly Slot[]): Promise<void> {
    const { checkpoints, emit } = this.options;
    if (!checkpoints) return;
    const { progress, settings, plan, data } = session;
    const { step } = progress;
    // One at a time, so that no more than one lies in memory.
    await this.#saving;
    const started = performance.now();
    const read = await capture(session, progress, settings, plan.steps, data);
    const paused = performance.now() - started;
    this.#due = false;
    this.#lastSave = started;
    this.#savesUnderWay++;
    this.#saves++;
    const state = read();
    state.catch(() => undefined); // awaited below
    this.#saving = this.#saving.then(async () => {
      try {
        const remark = (await checkpoints.save(slots, await state)) ?? null;
        const milliseconds = { paused, all: performance.now() - started };
        emit({ type: 'saved', slots, step, milliseconds, remark });
      } catch (error) {
        // Whoever trains on a device reports that it was lost.
        if (!isLost(error)) emit({ type: 'unsaved', step, message: toFailure(error).message });
      } finally {
        this.#savesUnderWay--;
      }
    });
  }

  /** One batch forward before anything is learned: what cannot work fails now and not after the first epoch. */
  async #dryRun({ evaluating, evaluation, set }: Session): Promise<void> {
    this.#preparing({ label: 'dry run on one batch', done: 0, total: 1 });
    const windows = set.windows.slice(0, evaluation.x.shape[0]);
    const { x } = await localSource(this.options.dataset).read(windows);
    evaluating.write(evaluation.x, x);
    const scalars = { step: 1, seed: 0, learningRate: 0 };
    evaluating.run(scalars);
    const probabilities = (await evaluating.read()).get(evaluation.probabilities) as Float32Array;
    if (probabilities.every(Number.isFinite)) return;
    const found = await firstNotFinite(evaluating, scalars);
    throw new NotFiniteError(
      `the first batch gives probabilities that are no numbers${found ? `, from ${found.tensor} on` : ''}; nothing was trained`,
    );
  }

  /** The windows of the steps that an epoch has left; what is left over of a batch is left out. */
  #batches({ plan, set, progress }: Session, sampler: Sampler): WindowRef[][] {
    const left = Math.min(plan.stepsPerEpoch - progress.inEpoch, plan.steps - progress.step);
    return Array.from({ length: left }, () =>
      sampler.next(this.options.settings.batch).flatMap((index) => set.windows[index] ?? []),
    );
  }

  /**
   * The steps that an epoch has left. While the GPU computes, the next windows are read, and with float32 the next step is submitted,
   * so that it has something to do while the results of the one before are on their way.
   */
  async #epochOf(
    session: Session,
    windows: readonly WindowRef[][],
    sources: readonly BatchSource[],
  ): Promise<void> {
    const { workers, prefetch } = this.options.settings;
    const { progress } = session;
    const batches = load(windows, sources, workers === 0 ? 1 : workers * prefetch);
    let underWay: Promise<void> = Promise.resolve();
    let beforeThat = underWay;
    try {
      for await (const batch of batches) {
        await beforeThat;
        if (this.paused) {
          await underWay;
          session.metrics.stop();
          await this.#rest(session);
          session.metrics.start();
        }
        if (this.stopped) break;
        const submitted = await submitStep(session, batch, progress.step + 1, underWay, (skipped) =>
          this.options.emit({ type: 'skipped', ...skipped }),
        );
        beforeThat = underWay;
        underWay = handled(submitted.recorded);
        progress.step++;
        progress.inEpoch++;
        const watched = this.options.watched?.();
        if (watched && progress.step % watched.everySteps === 0) {
          await underWay;
          await this.#glimpse(session);
        }
        if (this.#isDue(session)) {
          await underWay;
          await this.#save(session, ['last']);
        }
      }
      await underWay;
    } finally {
      await Promise.allSettled([underWay]);
    }
  }

  async #glimpse(session: Session): Promise<void> {
    const { dataset, emit, watched } = this.options;
    const part = watched?.();
    const seen = part && (await glimpse(session, dataset, part));
    if (seen) emit({ type: 'glimpsed', step: session.progress.step, ...seen });
  }

  async #validate(session: Session): Promise<Validation | undefined> {
    const { dataset, settings, emit } = this.options;
    const { split } = session;
    try {
      return await validate(session, dataset, split.validation, settings, async (done, total) => {
        if (this.stopped) throw new Stopped();
        emit({ type: 'preparing', label: 'validating', done, total });
        // What was trained is not lost while it is validated.
        if (this.paused) await this.#rest(session);
        else if (this.#isTime()) await this.#save(session, ['last']);
        if (this.stopped) throw new Stopped();
      });
    } catch (error) {
      if (error instanceof Stopped) return undefined;
      throw error;
    }
  }

  /** Waits until the pause ends or the run is stopped. */
  async #rest(session: Session): Promise<void> {
    this.options.emit({ type: 'paused' });
    await this.#save(session, ['last']);
    await this.resumed(session.device);
    if (!this.stopped) this.options.emit({ type: 'resumed' });
  }
}
