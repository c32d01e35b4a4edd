/**
 * Production's training loop on EEG: warm-up and cosine, clipping, loss, validation on whole recordings after each epoch,
 * early stopping, the stop on a collapse. It needs a device, recordings and somebody to tell.
 */
import type { Dataset } from '../../data/dataset';
import { SAMPLE_RATE } from '../../data/signal/preprocess';
import { load, localSource, type Batch, type BatchSource } from '../../data/loader';
import { Sampler } from '../../data/sampler';
import { splitByFile, splitByPatient, type Split } from '../../data/split';
import {
  allWindows,
  balancedWindows,
  WINDOW,
  windowStarts,
  type WindowRef,
  type WindowSet,
} from '../../data/windows';
import type { Device } from '../../engine/device';
import { firstNotFinite } from '../../engine/not_finite';
import type { StepScalars } from '../../engine/ops/definition';
import { Parameters } from '../../engine/packs';
import { frozenChoice, planProgram, type BufferRole, type Plan } from '../../engine/plan';
import { Program } from '../../engine/program';
import { tune, type TuneMemory } from '../../engine/tune';
import { countParameters, initialise } from '../../models/initialise';
import type { DetectorConfig } from '../../models/detector';
import { NotFiniteError, SettingsError, toFailure } from '../failure';
import { Held } from '../held';
import { MetricsReporter } from '../metrics';
import { handled } from '../pace';
import { learningRateAt, type Schedule } from '../schedule';
import { evaluationGraph, stepGraph, type EvaluationGraph, type StepGraph } from './graphs';
import type { EegEvent, EegPlan } from './protocol';
import { checkSettings, detectorConfigOf, type EegSettings } from './settings';
import { metricOf, validate, type Validation } from './validation';
import { chooseWidth } from './width';

export interface EegTrainerOptions {
  readonly device: Device | Promise<Device>;
  readonly dataset: Dataset;
  readonly settings: EegSettings;
  readonly emit: (event: EegEvent) => void;
  readonly tuning?: TuneMemory | Promise<TuneMemory>;
  /** Starts workers that read windows; without it the settings may ask for none. */
  readonly startWorkers?: (count: number) => BatchSource[];
  /** Is shown the trained model before its memory is given back, unless the run failed. */
  readonly keep?: (parameters: Parameters) => Promise<void>;
}

/** Production: three epochs are given, then an AUROC below this is no better than guessing. */
const COLLAPSE = { epochs: 3, auroc: 0.55 } as const;

class Stopped extends Error {}

type Finished = Extract<EegEvent, { type: 'finished' }>;

interface Session {
  readonly device: Device;
  readonly parameters: Parameters;
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

  /** Runs to the end. Never rejects: what goes wrong is the event `failed`. To be called once. */
  async run(): Promise<void> {
    const held = new Held();
    let last: EegEvent;
    let session: Session | undefined;
    try {
      session = await this.#prepare(held);
      last = await this.#train(session);
    } catch (error) {
      last =
        error instanceof Stopped
          ? { type: 'finished', reason: 'stopped', steps: 0, seconds: session?.metrics.seconds ?? 0 }
          : { type: 'failed', failure: toFailure(error) };
    } finally {
      held.destroy();
    }
    this.options.emit(last);
  }

  #preparing(label: string, done: number, total: number): void {
    if (this.#stopped) throw new Stopped();
    this.options.emit({ type: 'preparing', label, done, total });
  }

  async #prepare(held: Held): Promise<Session> {
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
    const device = await this.options.device;
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
    emit({ type: 'planned', plan });

    this.#preparing('initial weights', 1, 4);
    const parameters = held.add(await Parameters.create(device, view.graph, packs));
    for (const [name, values] of initialise(view.declared, seed)) parameters.write(name, values);
    this.#preparing('kernels of a training step', 2, 4);
    const compile = async (graph: StepGraph['graph'], outputs: readonly StepGraph['loss'][], made: Plan) =>
      held.add(await Program.compile(device, graph, { outputs, parameters, plan: made }));
    const step = await compile(view.graph, stepOutputs, plans.step);
    const update = view.update && plans.update && (await compile(view.update, [view.norm], plans.update));
    this.#preparing('kernels of the validation', 3, 4);
    const evaluating = await compile(evaluation.graph, [evaluation.probabilities], plans.evaluation);
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
    const { plan, set, metrics } = session;
    const { metric, patience } = settings.earlyStopping;
    const sampler = new Sampler(set.windows.length, settings.seed);
    const sources = new Sources(this.options);
    await this.#preflight(session);
    let [step, best, without] = [0, -Infinity, 0];
    let reason: Finished['reason'] = 'completed';
    metrics.start();
    try {
      for (let epoch = 1; step < plan.steps && reason === 'completed'; epoch++) {
        this.#epoch = epoch;
        step = await this.#epochOf(session, this.#batches(session, sampler, step), sources.open(), step);
        if (!settings.persistentWorkers) sources.close();
        if (this.#stopped) {
          reason = 'stopped';
          break;
        }
        sampler.advance();
        metrics.stop();
        const validation = await this.#validate(session);
        metrics.start();
        if (!validation) continue;
        const value = metricOf(validation.scores, metric);
        const isBest = value !== undefined && value > best;
        emit({ type: 'validated', epoch, step, best: isBest, ...validation });
        if (isBest) best = value;
        without = isBest ? 0 : without + 1;
        const { auroc } = validation.scores;
        if (epoch > COLLAPSE.epochs && auroc !== undefined && auroc < COLLAPSE.auroc) reason = 'collapse';
        else if (value !== undefined && without >= patience) reason = 'early-stopping';
      }
    } finally {
      sources.close();
    }
    metrics.stop();
    await keep?.(session.parameters);
    return { type: 'finished', reason, steps: Math.min(step, plan.steps), seconds: metrics.seconds };
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

  /** The windows of an epoch's updates; what is left over of a batch is left out. */
  #batches({ plan, set }: Session, sampler: Sampler, done: number): WindowRef[][] {
    return Array.from({ length: Math.min(plan.stepsPerEpoch, plan.steps - done) }, () =>
      sampler.next(this.options.settings.batch).flatMap((index) => set.windows[index] ?? []),
    );
  }

  /** All updates of an epoch; returns how many there are now. While the GPU computes, the next windows are read. */
  async #epochOf(
    session: Session,
    windows: readonly WindowRef[][],
    sources: readonly BatchSource[],
    before: number,
  ): Promise<number> {
    const { workers, prefetch } = this.options.settings;
    const batches = load(windows, sources, workers === 0 ? 1 : workers * prefetch);
    let underWay: Promise<void> = Promise.resolve();
    let step = before;
    try {
      for await (const batch of batches) {
        if (this.#paused) {
          await underWay;
          await this.#rest(session);
        }
        if (this.#stopped) break;
        const submitted = await this.#submit(session, batch, ++step, underWay);
        underWay = handled(submitted.recorded);
      }
      await underWay;
    } finally {
      await Promise.allSettled([underWay]);
    }
    return step;
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
  async #rest({ device, metrics }: Session): Promise<void> {
    metrics.stop();
    this.options.emit({ type: 'paused' });
    while (this.#paused && !this.#stopped) {
      const woken = new Promise<void>((resolve) => (this.#wake = resolve));
      await device.guard(woken, 'the pause');
    }
    if (!this.#stopped) this.options.emit({ type: 'resumed' });
    metrics.start();
  }
}

/** Who reads windows: the dataset itself, or workers that are started when they are needed. */
class Sources {
  #open: readonly BatchSource[] = [];

  constructor(private readonly options: EegTrainerOptions) {}

  open(): readonly BatchSource[] {
    const { dataset, settings, startWorkers } = this.options;
    if (this.#open.length > 0) return this.#open;
    if (settings.workers === 0) return (this.#open = [localSource(dataset)]);
    if (!startWorkers)
      throw new SettingsError('workers that read windows exist in a browser alone: ask for 0');
    return (this.#open = startWorkers(settings.workers));
  }

  close(): void {
    for (const source of this.#open) source.close();
    this.#open = [];
  }
}

const USES = {
  values: 'activations and their gradients',
  input: 'windows and labels',
  constant: 'windows and labels',
  step: 'windows and labels',
  staging: 'reading results',
} as const satisfies Readonly<Record<BufferRole, string>>;

/** Steps, sizes and bytes; the bytes are all that the run will ask the device for. */
function describe(
  { dataset, settings }: EegTrainerOptions,
  made: {
    view: StepGraph;
    set: WindowSet;
    split: Split;
    plans: { step: Plan; update: Plan | null; evaluation: Plan };
    packs: { training: boolean; accumulating: boolean };
    baseChannels: number;
    reason: string | null;
  },
): EegPlan {
  const { view, set, split, plans, packs, baseChannels, reason } = made;
  const { batch, epochs, microBatches, validationStride, stepsPerEpoch: most, mostSteps } = settings;
  const stepsPerEpoch = Math.min(Math.floor(set.windows.length / batch), most ?? Infinity);
  const bytes = new Map<string, number>();
  const add = (use: string, more: number): void => void bytes.set(use, (bytes.get(use) ?? 0) + more);
  const weights = Parameters.bytes(view.graph, { training: false });
  add('weights', weights);
  add('gradients and moments of AdamW', Parameters.bytes(view.graph, packs) - weights);
  for (const buffer of [...plans.step.buffers, ...(plans.update?.buffers ?? [])])
    add(USES[buffer.role], buffer.bytes);
  add('validation', plans.evaluation.bytes);
  const validation = split.validation.reduce((sum, recording) => {
    const info = dataset.folder.recordings[recording];
    return sum + (info ? windowStarts(info, validationStride * SAMPLE_RATE).length : 0);
  }, 0);
  return {
    parameters: countParameters(view.declared),
    baseChannels,
    reason,
    steps: Math.min(epochs * stepsPerEpoch, mostSteps ?? Infinity),
    stepsPerEpoch,
    windows: { training: set.windows.length, validation },
    recordings: split,
    posWeight: set.posWeight,
    memory: [...bytes].map(([use, bytes]) => ({ use, bytes })),
    dispatchesPerStep: microBatches * plans.step.dispatches.length + (plans.update?.dispatches.length ?? 0),
    flopsPerStep: microBatches * plans.step.cost.flops + (plans.update?.cost.flops ?? 0),
  };
}
