/**
 * Production's training loop on EEG: warm-up and cosine, clipping, loss, validation on whole recordings after each epoch,
 * early stopping, the stop on a collapse. It needs a device, recordings and somebody to tell.
 */
import type { FloatTensor, TrainingState } from '../../checkpoints/state';
import type { Slot } from '../../checkpoints/store';
import { load, localSource, type Batch, type BatchSource } from '../../data/loader';
import { Sampler } from '../../data/sampler';
import { splitByFile, splitByPatient, type Split } from '../../data/split';
import { allWindows, balancedWindows, WINDOW, type WindowRef, type WindowSet } from '../../data/windows';
import { EngineError, type Device } from '../../engine/device';
import { firstNotFinite } from '../../engine/not_finite';
import type { StepScalars } from '../../engine/ops/definition';
import { Parameters } from '../../engine/packs';
import { frozenChoice, planProgram, type Plan } from '../../engine/plan';
import { Program } from '../../engine/program';
import { tune, type TuneMemory } from '../../engine/tune';
import { initialise } from '../../models/initialise';
import type { DetectorConfig } from '../../models/detector';
import { NotFiniteError, SettingsError, toFailure } from '../failure';
import { Held } from '../held';
import { MetricsReporter } from '../metrics';
import { handled } from '../pace';
import { learningRateAt, type Schedule } from '../schedule';
import type { Failure } from '../protocol';
import type { Checkpoints } from './checkpoints';
import { describe } from './describe';
import { refuseTooLarge, suggest, type Suggestion } from './fits';
import { evaluationGraph, stepGraph, type EvaluationGraph, type StepGraph } from './graphs';
import type { EegEvent, EegPlan } from './protocol';
import { checkSettings, detectorConfigOf, type EegSettings } from './settings';
import { Sources, type SourceOptions } from './sources';
import {
  atBegin,
  capture,
  identify,
  restore,
  restoreWeights,
  standingOf,
  type DataIdentity,
  type Standing,
  type StateOf,
} from './state';
import { metricOf, validate, type Validation } from './validation';
import { chooseWidth } from './width';

export interface EegTrainerOptions extends SourceOptions {
  /** Asked at the begin, and again when that device was lost. */
  readonly device: () => Promise<Device>;
  readonly emit: (event: EegEvent) => void;
  readonly tuning?: TuneMemory | Promise<TuneMemory>;
  /** Keeps states; without it a lost device is the end of the run. */
  readonly checkpoints?: Checkpoints;
  /** The state to go on from, to the bit. */
  readonly from?: TrainingState;
  /** Weights and running statistics to begin with, where there is no state to go on from. */
  readonly weights?: Pick<TrainingState, 'parameters' | 'buffers'>;
  /** Is shown the trained model before its memory is given back, unless the run failed. */
  readonly keep?: (parameters: Parameters) => Promise<void>;
}

/** Production: three epochs are given, then an AUROC below this is no better than guessing. */
const COLLAPSE = { epochs: 3, auroc: 0.55 } as const;

/** How often a run goes on after the GPU was lost. */
const MOST_RECOVERIES = 3;
/** How often, and at what distance in milliseconds, another device is then asked for. */
const DEVICE_TRIES = 20;
const DEVICE_WAIT = 500;

class Stopped extends Error {}

const isLost = (error: unknown): boolean => error instanceof EngineError && error.kind === 'device-lost';

type Finished = Extract<EegEvent, { type: 'finished' }>;

interface Session extends StateOf {
  readonly device: Device;
  /** Where it stands; changes with each update. */
  readonly standing: Standing;
  readonly data: DataIdentity;
  /** Those of the run, the width as a number. */
  readonly settings: EegSettings;
  readonly view: StepGraph;
  readonly step: Program;
  readonly update: Program | null;
  readonly evaluation: EvaluationGraph;
  readonly evaluating: Program;
  readonly split: Split;
  readonly set: WindowSet;
  readonly plan: EegPlan;
  readonly schedule: Schedule;
  readonly metrics: MetricsReporter;
}

export class EegTrainer {
  #paused = false;
  #stopped = false;
  #wake: () => void = () => undefined;
  #epoch = 0;
  /** A checkpoint was asked for. */
  #due = false;
  #lastSave = 0;
  /** Checkpoints that are on their way. Never rejects. */
  #saving: Promise<void> = Promise.resolve();
  #savesUnderWay = 0;
  /** How often the GPU was lost. */
  #lost = 0;
  #suggestions: readonly Suggestion[] = [];

  constructor(private readonly options: EegTrainerOptions) {}

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#wake();
  }

  stop(): void {
    this.#stopped = true;
    this.#wake();
  }

  /** Asks for a checkpoint after the update that is under way. */
  checkpoint(): void {
    this.#due = true;
  }

  /** Runs to the end. Never rejects: what goes wrong is the event `failed`. To be called once. */
  async run(): Promise<void> {
    let { from } = this.options;
    for (;;) {
      const held = new Held();
      let session: Session | undefined;
      let last: EegEvent;
      try {
        session = await this.#prepare(held, from);
        last = await this.#train(session);
      } catch (error) {
        await this.#saving;
        if (isLost(error) && this.options.checkpoints && !this.#stopped && this.#lost < MOST_RECOVERIES) {
          this.#lost++;
          from = (await this.options.checkpoints.latest()) ?? this.options.from;
          const step = from?.progress.step ?? 0;
          this.options.emit({ type: 'recovering', attempt: this.#lost, most: MOST_RECOVERIES, step });
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
        held.destroy();
      }
      this.options.emit(last);
      return;
    }
  }

  #failureOf(error: unknown): Failure {
    const failure = toFailure(error);
    if (!isLost(error) || this.#lost === 0) return failure;
    return {
      ...failure,
      message: `${failure.message} It was the ${this.#lost + 1}th time in this run, so it is not tried again.`,
    };
  }

  /** After a loss the browser needs a moment until it has a GPU again. */
  async #device(): Promise<Device> {
    for (let tried = 1; ; tried++) {
      try {
        return await this.options.device();
      } catch (error) {
        if (this.#lost === 0 || tried === DEVICE_TRIES || this.#stopped) throw error;
        await new Promise((resolve) => setTimeout(resolve, DEVICE_WAIT));
      }
    }
  }

  #preparing(label: string, done: number, total: number): void {
    if (this.#stopped) throw new Stopped();
    this.options.emit({ type: 'preparing', label, done, total });
  }

  async #prepare(held: Held, from: TrainingState | undefined): Promise<Session> {
    const { settings, dataset, emit, tuning } = this.options;
    checkSettings(settings);
    const { recordings } = dataset.folder;
    const { seed, validationSplit, batch, microBatches } = settings;
    const split =
      settings.split === 'patient'
        ? splitByPatient(recordings, validationSplit, seed)
        : splitByFile(recordings, validationSplit);
    const set = settings.balanced
      ? balancedWindows(recordings, split.training, seed)
      : allWindows(recordings, split.training);
    if (set.windows.length < batch)
      throw new SettingsError(
        `there are ${set.windows.length} windows of 60 s to train on, fewer than one batch of ${batch}`,
      );
    this.#preparing('looking at the device', 0, 4);
    const device = await this.#device();
    const { baseChannels, reason } =
      settings.model.baseChannels === 'auto'
        ? await chooseWidth(device, settings)
        : { baseChannels: settings.model.baseChannels, reason: null };
    const config: DetectorConfig = detectorConfigOf(settings.model, baseChannels);
    const view = stepGraph(settings, config, set.posWeight);
    const evaluation = evaluationGraph(config, batch / microBatches);
    let choose = frozenChoice;
    // On a CPU the timing of hundreds of variants takes minutes, and the frozen ones are those that suit it.
    if (tuning && !device.capabilities.software)
      ({ choose } = await tune(device, view.graph, await tuning, (label, done, total) =>
        this.#preparing(`timing kernels: ${label}`, done, total),
      ));
    const stepOutputs = view.update ? [view.loss] : [view.loss, view.norm];
    const capabilities = device.capabilities;
    const plans = {
      step: planProgram(view.graph, capabilities, { outputs: stepOutputs, choose }),
      update: view.update && planProgram(view.update, capabilities, { outputs: [view.norm] }),
      evaluation: planProgram(evaluation.graph, capabilities, {
        outputs: [evaluation.probabilities],
        choose,
      }),
    };
    const packs = { training: true, accumulating: view.update !== null };
    const plan = describe(this.options, { view, set, split, plans, packs, baseChannels, reason });
    const chosen = { ...settings, model: { ...settings.model, baseChannels } };
    const bytes = plan.memory.reduce((sum, use) => sum + use.bytes, 0);
    emit({ type: 'planned', plan, settings: chosen, device: device.adapter });
    const whatFits = (limit: number): readonly Suggestion[] =>
      (this.#suggestions = suggest(chosen, capabilities, limit));
    refuseTooLarge(bytes, [plans.step, plans.evaluation], settings.memoryLimit, device.limits, whatFits);
    const data = await identify(recordings, set.windows.length);
    const standing = from ? standingOf(from, plan.steps, data) : atBegin();
    if (from) emit({ type: 'continuing', step: standing.step });

    const allocate = async () => {
      this.#preparing(from ? 'weights of the checkpoint' : 'initial weights', 1, 4);
      const parameters = held.add(await Parameters.create(device, view.graph, packs));
      this.#preparing('kernels of a training step', 2, 4);
      const compile = async (graph: StepGraph['graph'], outputs: readonly StepGraph['loss'][], made: Plan) =>
        held.add(await Program.compile(device, graph, { outputs, parameters, plan: made }));
      const step = await compile(view.graph, stepOutputs, plans.step);
      const update = view.update && plans.update && (await compile(view.update, [view.norm], plans.update));
      this.#preparing('kernels of the validation', 3, 4);
      const evaluating = await compile(evaluation.graph, [evaluation.probabilities], plans.evaluation);
      return { parameters, step, update, evaluating };
    };
    const { parameters, step, update, evaluating } = await allocate().catch((error: unknown) => {
      if (error instanceof EngineError && error.kind === 'out-of-memory') whatFits(bytes - 1);
      throw error;
    });
    const untrained = initialise(view.idle, seed);
    const idle = new Map(
      view.idle.map(({ parameter: { name }, publishedShape }): [string, FloatTensor] => [
        name,
        from?.parameters.get(name) ?? {
          shape: publishedShape,
          data: untrained.get(name) as Float32Array<ArrayBuffer>,
        },
      ]),
    );
    if (from) restore({ parameters, declared: view.declared, idle }, from);
    else if (this.options.weights)
      restoreWeights({ parameters, declared: view.declared, idle }, this.options.weights);
    else for (const [name, values] of initialise(view.declared, seed)) parameters.write(name, values);
    const schedule = {
      peak: settings.learningRate,
      steps: plan.steps,
      warmupRatio: settings.warmupRatio,
      firstStepFullRate: true,
    };
    const metrics = new MetricsReporter(
      { steps: plan.steps, tokensPerStep: batch * WINDOW },
      (event) => {
        if (event.type !== 'progress') return;
        const { metrics, stepsPerSecond, secondsLeft } = event;
        emit({ type: 'progress', epoch: this.#epoch, metrics, stepsPerSecond, secondsLeft });
      },
      () => performance.now(),
    );
    return {
      device,
      parameters,
      declared: view.declared,
      idle,
      standing,
      data,
      settings: chosen,
      view,
      step,
      update,
      evaluation,
      evaluating,
      split,
      set,
      plan,
      schedule,
      metrics,
    };
  }

  async #train(session: Session): Promise<Finished> {
    const { settings, emit, keep } = this.options;
    const { plan, set, metrics, standing } = session;
    const { metric, patience } = settings.earlyStopping;
    const place = { epoch: standing.epoch, position: standing.inEpoch * settings.batch };
    const sampler = new Sampler(set.windows.length, settings.seed, place);
    const sources = new Sources(this.options);
    await this.#preflight(session);
    let reason: Finished['reason'] = standing.without >= patience ? 'early-stopping' : 'completed';
    this.#lastSave = performance.now();
    metrics.start();
    try {
      while ((standing.step < plan.steps || standing.inEpoch > 0) && reason === 'completed') {
        const epoch = (this.#epoch = standing.epoch + 1);
        await this.#epochOf(session, this.#batches(session, sampler), sources.open());
        if (!settings.persistentWorkers) sources.close();
        metrics.stop();
        const validation = this.#stopped ? undefined : await this.#validate(session);
        if (this.#stopped) {
          reason = 'stopped';
          break;
        }
        metrics.start();
        sampler.advance();
        Object.assign(standing, { epoch, inEpoch: 0 });
        if (!validation) {
          await this.#save(session, ['last']);
          continue;
        }
        const value = metricOf(validation.scores, metric);
        const isBest = value !== undefined && value > (standing.best ?? -Infinity);
        emit({ type: 'validated', epoch, step: standing.step, best: isBest, ...validation });
        if (isBest) standing.best = value;
        standing.without = isBest ? 0 : standing.without + 1;
        await this.#save(session, isBest ? ['best', 'last'] : ['last']);
        const { auroc } = validation.scores;
        if (epoch > COLLAPSE.epochs && auroc !== undefined && auroc < COLLAPSE.auroc) reason = 'collapse';
        else if (value !== undefined && standing.without >= patience) reason = 'early-stopping';
      }
    } finally {
      sources.close();
    }
    metrics.stop();
    if (reason === 'stopped') await this.#save(session, ['last']);
    await this.#saving;
    await keep?.(session.parameters);
    return { type: 'finished', reason, steps: standing.step, seconds: metrics.seconds };
  }

  /** Whether it is time for a checkpoint; those by the clock wait until the one before is written. */
  #isDue({ standing }: Session): boolean {
    const { everySteps, everyMinutes } = this.options.settings.checkpoints;
    if (!this.options.checkpoints) return false;
    if (everySteps !== null && standing.step % everySteps === 0) return true;
    if (this.#savesUnderWay > 0) return false;
    return (
      this.#due || (everyMinutes !== null && performance.now() - this.#lastSave >= 60_000 * everyMinutes)
    );
  }

  /** Queues a checkpoint of what the training is now; it goes on while that is written. */
  async #save(session: Session, slots: readonly Slot[]): Promise<void> {
    const { checkpoints, emit } = this.options;
    if (!checkpoints) return;
    const { standing, settings, plan, data } = session;
    const { step } = standing;
    // One at a time, so that no more than one lies in memory.
    await this.#saving;
    const begun = performance.now();
    const read = await capture(session, standing, settings, plan.steps, data);
    const paused = performance.now() - begun;
    this.#due = false;
    this.#lastSave = begun;
    this.#savesUnderWay++;
    const state = read();
    state.catch(() => undefined); // awaited below
    this.#saving = this.#saving.then(async () => {
      try {
        await checkpoints.save(slots, await state);
        emit({ type: 'saved', slots, step, milliseconds: { paused, all: performance.now() - begun } });
      } catch (error) {
        // A lost device is told by whoever trains on it.
        if (!isLost(error)) emit({ type: 'unsaved', step, message: toFailure(error).message });
      } finally {
        this.#savesUnderWay--;
      }
    });
  }

  /** One batch forward before anything is learned: what cannot work fails now and not after the first epoch. */
  async #preflight({ evaluating, evaluation, set }: Session): Promise<void> {
    this.#preparing('preflight of one batch', 0, 1);
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

  /** The windows of the updates that an epoch has left; what is left over of a batch is left out. */
  #batches({ plan, set, standing }: Session, sampler: Sampler): WindowRef[][] {
    const left = Math.min(plan.stepsPerEpoch - standing.inEpoch, plan.steps - standing.step);
    return Array.from({ length: left }, () =>
      sampler.next(this.options.settings.batch).flatMap((index) => set.windows[index] ?? []),
    );
  }

  /** The updates that an epoch has left. While the GPU computes, the next windows are read. */
  async #epochOf(
    session: Session,
    windows: readonly WindowRef[][],
    sources: readonly BatchSource[],
  ): Promise<void> {
    const { workers, prefetch } = this.options.settings;
    const { standing } = session;
    const batches = load(windows, sources, workers === 0 ? 1 : workers * prefetch);
    let underWay: Promise<void> = Promise.resolve();
    try {
      for await (const batch of batches) {
        if (this.#paused) {
          await underWay;
          await this.#rest(session);
        }
        if (this.#stopped) break;
        const submitted = await this.#submit(session, batch, standing.step + 1, underWay);
        underWay = handled(submitted.recorded);
        standing.step++;
        standing.inEpoch++;
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

  /** Waits for `before`, submits an update; `recorded` is when its metrics are. */
  async #submit(
    { view, step: program, update, schedule, metrics, plan }: Session,
    { x, y }: Batch,
    step: number,
    before: Promise<void>,
  ): Promise<{ recorded: Promise<void> }> {
    const { seed, microBatches } = this.options.settings;
    const [perX, perY] = [x.length / microBatches, y.length / microBatches];
    const learningRate = learningRateAt(schedule, step - 1);
    let loss = 0;
    const finite = async (program: Program, scalars: StepScalars, what: string, value: number) => {
      if (Number.isFinite(value)) return;
      const found = await firstNotFinite(program, scalars);
      const where = found
        ? `; the first that is not finite is element ${found.index} of ${found.tensor} (${found.value})${found.where ? `, written by ${found.where}` : ''}`
        : '';
      throw new NotFiniteError(
        `in step ${step} of ${plan.steps} ${what} became ${value}, so training stopped with the weights before it${where}`,
      );
    };
    for (let index = 0; index < microBatches; index++) {
      if (index === 0) await before;
      program.write(view.x, x.subarray(index * perX, (index + 1) * perX));
      program.write(view.target, y.subarray(index * perY, (index + 1) * perY));
      const micro = { index, count: microBatches };
      // Each part has a dropout of its own.
      const scalars = { step, seed: (seed + Math.imul(index, 0x9e3779b9)) >>> 0, learningRate, micro };
      program.run(scalars);
      if (!update) {
        const recorded = program.read().then(async (values) => {
          const [value, norm] = [view.loss, view.norm].map((tensor) => values.get(tensor)?.[0] ?? NaN);
          await finite(program, scalars, 'the loss', value as number);
          await finite(program, scalars, "the gradient's norm", norm as number);
          metrics.record({ step, loss: value as number, accuracy: NaN, gradientNorm: norm as number });
        });
        return { recorded };
      }
      const value = (await program.read()).get(view.loss)?.[0] ?? NaN;
      await finite(program, scalars, 'the loss', value);
      loss += value / microBatches;
    }
    const scalars = { step, seed, learningRate };
    update?.run(scalars);
    const recorded = (update ?? program).read().then((values) => {
      const gradientNorm = values.get(view.norm)?.[0] ?? NaN;
      if (!Number.isFinite(gradientNorm))
        throw new NotFiniteError(
          `in step ${step} of ${plan.steps} the gradient's norm became ${gradientNorm}, so training stopped with the weights before it`,
        );
      metrics.record({ step, loss, accuracy: NaN, gradientNorm });
    });
    return { recorded };
  }

  async #validate({ evaluating, evaluation, split, device }: Session): Promise<Validation | undefined> {
    const { dataset, settings, emit } = this.options;
    try {
      return await validate(
        evaluating,
        evaluation,
        dataset,
        split.validation,
        settings,
        async (done, total) => {
          if (this.#stopped) throw new Stopped();
          emit({ type: 'preparing', label: 'validating', done, total });
          while (this.#paused && !this.#stopped) {
            const woken = new Promise<void>((resolve) => (this.#wake = resolve));
            await device.guard(woken, 'the pause');
          }
        },
      );
    } catch (error) {
      if (error instanceof Stopped) return undefined;
      throw error;
    }
  }

  /** Waits until the pause ends or the run is stopped. */
  async #rest(session: Session): Promise<void> {
    const { device, metrics } = session;
    metrics.stop();
    this.options.emit({ type: 'paused' });
    await this.#save(session, ['last']);
    while (this.#paused && !this.#stopped) {
      const woken = new Promise<void>((resolve) => (this.#wake = resolve));
      await device.guard(woken, 'the pause');
    }
    if (!this.#stopped) this.options.emit({ type: 'resumed' });
    metrics.start();
  }
}
