/** All that a run needs before its first step: windows, graphs, plan, memory, weights. */
import { several } from '../base/text';
import type { FloatTensor, TrainingState } from '../checkpoints/state';
import type { RecordingInfo } from '../eeg/files/recording';
import { splitByFile, splitByFolder, splitByPatient, type SplitBasis } from '../eeg/windows/split';
import { allWindows, balancedWindows, whatLacks, type WindowSet } from '../eeg/windows/windows';
import { handled } from '../base/handled';
import { evaluationGraph, type EvaluationGraph } from '../detection/evaluation';
import { checkWeights, restoreWeights } from '../detection/restore';
import { EngineError, type Device } from '../engine/device';
import type { Graph, Tensor } from '../engine/graph';
import { Parameters } from '../engine/packs';
import { frozenChoice, planProgram, type ChooseVariant, type Plan } from '../engine/plan';
import { Program } from '../engine/program';
import { choiceFor, type TuneMemory } from '../engine/tune';
import { choosing, type Preparation } from '../run/protocol';
import { initialise } from '../models/initialise';
import { SettingsError } from '../run/failure';
import type { Owned } from '../run/owned';
import { ProgressReporter } from '../run/progress';
import type { Schedule } from './schedule';
import { describe, stepsOf } from './describe';
import { rejectTooLarge, suggest, type Suggestion } from './fits';
import { stepGraph, type StepGraph } from './graphs';
import { METRICS, type EegEvent, type EegPlan, type MetricName, type RunSplit } from './protocol';
import { checkDevice, checkSettings, detectorConfigOf, type EegSettings } from './settings';
import type { SourceOptions } from './sources';
import {
  atStart,
  identify,
  restore,
  progressOf,
  type DataIdentity,
  type RunProgress,
  type StateOf,
} from './state';
import { chooseWidth } from './width';

export interface SessionOptions extends SourceOptions {
  readonly emit: (event: EegEvent) => void;
  readonly tuning?: TuneMemory | Promise<TuneMemory>;
  /** Weights and running statistics to start with, where there is no state to resume from. */
  readonly weights?: Pick<TrainingState, 'parameters' | 'buffers'>;
}

export interface Session extends StateOf {
  readonly device: Device;
  /** Changes with each step. */
  readonly progress: RunProgress;
  readonly data: DataIdentity;
  /** Those of the run, the width as a number. */
  readonly settings: EegSettings;
  readonly view: StepGraph;
  readonly step: Program;
  /** The optimizer step after the micro-batches; null where it is part of `step`. */
  readonly optimizer: Program | null;
  readonly evaluation: EvaluationGraph;
  readonly evaluating: Program;
  readonly split: RunSplit;
  readonly set: WindowSet;
  readonly plan: EegPlan;
  readonly schedule: Schedule;
  readonly metrics: ProgressReporter<MetricName>;
}

/** What the preparation needs of whoever runs it. */
export interface PreparationHooks {
  /** Called with what takes a while; may throw, which ends the preparation. */
  readonly preparing: (preparation: Preparation) => void;
  /** Whether the choice of kernels is skipped. */
  readonly skipped: () => boolean;
  /** Whether the run was stopped: the choice ends with what it has. */
  readonly stopped: () => boolean;
  readonly device: () => Promise<Device>;
  /** The epoch that is under way. */
  readonly epoch: () => number;
  /** Called with what would fit, before the error that says that the run does not. */
  readonly suggested: (suggestions: readonly Suggestion[]) => void;
}

/**
 * Resumes from a state, or starts anew. What it creates is freed through `owned`. Throws SettingsError where settings, data, state
 * and device do not go together, before anything is compiled or allocated.
 */
export async function prepareSession(
  options: SessionOptions,
  owned: Owned,
  from: TrainingState | undefined,
  hooks: PreparationHooks,
): Promise<Session> {
  const { settings, dataset, emit } = options;
  checkSettings(settings);
  const { split, set } = windowsOf(options);
  // Checked before anything is timed, compiled or allocated.
  const data = await identify(dataset.folder.recordings, set.windows.length);
  const progress = from
    ? progressOf(from, stepsOf(settings, set.windows.length).steps, data, settings)
    : atStart(settings);
  hooks.preparing({ label: 'benchmarking the GPU', done: 0, total: 4 });
  const device = await hooks.device();
  checkDevice(settings, device);
  const planned = await planRun(options, device, { split, set }, from ?? options.weights, hooks);
  if (from) emit({ type: 'continuing', step: progress.step });
  const programs = await allocate(device, planned, owned, from !== undefined, hooks);
  const { view, evaluation, plan, settings: chosen } = planned;
  const { declared } = view;
  const { parameters } = programs;
  const unused = unusedOf(view, settings.seed, from);
  if (from) restore({ parameters, declared, unused }, from);
  else if (options.weights) restoreWeights({ parameters, declared }, options.weights);
  else for (const [name, values] of initialise(declared, settings.seed)) parameters.write(name, values);
  const metrics: Session['metrics'] = new ProgressReporter(
    METRICS,
    plan.steps,
    (reported) => emit({ type: 'progress', epoch: hooks.epoch(), seconds: metrics.seconds, ...reported }),
    () => performance.now(),
  );
  return {
    device,
    ...programs,
    declared,
    unused,
    progress,
    data,
    settings: chosen,
    view,
    evaluation,
    split,
    set,
    plan,
    schedule: {
      peak: settings.learningRate,
      steps: plan.steps,
      warmupRatio: settings.warmupRatio,
      firstStepFullRate: true,
    },
    metrics,
  };
}

const SPLITS: Readonly<Record<SplitBasis, typeof splitByPatient>> = {
  patient: splitByPatient,
  folder: splitByFolder,
  file: splitByFile,
};

/**
 * The recordings of training and validation. Without annotations nothing is known of a recording, not even that it is
 * background, so no score counts it. Exported for its tests.
 */
export function splitOf(
  recordings: readonly RecordingInfo[],
  { split, validationSplit, seed }: Pick<EegSettings, 'split' | 'validationSplit' | 'seed'>,
): RunSplit {
  const usable = recordings.flatMap(({ unusable }, i) => (unusable === null ? [i] : []));
  const infos = usable.flatMap((i) => recordings[i] ?? []);
  const sides = SPLITS[split](infos, validationSplit, seed);
  const [training, validation] = [sides.training, sides.validation].map((side) =>
    side.flatMap((i) => usable[i] ?? []),
  ) as [number[], number[]];
  const labelled = (i: number): boolean => recordings[i]?.labelled ?? false;
  return {
    training,
    validation: validation.filter(labelled),
    unlabelled: validation.filter((i) => !labelled(i)),
  };
}

/** The recordings of training and validation, and the windows to train on. */
function windowsOf({ settings, dataset }: SessionOptions): Pick<Session, 'split' | 'set'> {
  const { recordings } = dataset.folder;
  const { seed, batch } = settings;
  const split = splitOf(recordings, settings);
  const set = settings.balanced
    ? balancedWindows(recordings, split.training, seed)
    : allWindows(recordings, split.training);
  if (set.windows.length < batch)
    throw new SettingsError(
      `for training there ${set.windows.length === 1 ? 'is' : 'are'} ${several(set.windows.length, 'window')} of 60 s, fewer than one batch of ${batch}: ${whatLacks(recordings, split.training)}`,
    );
  return { split, set };
}

interface PlannedRun extends Pick<Session, 'view' | 'evaluation' | 'plan' | 'settings'> {
  readonly plans: { readonly step: Plan; readonly optimizer: Plan | null; readonly evaluation: Plan };
  /** What a step computes for the host. */
  readonly outputs: readonly Tensor[];
  readonly packs: { readonly training: boolean; readonly accumulating: boolean };
  /** Finds, and reports, what would fit into so many bytes. */
  readonly whatFits: (limit: number) => readonly Suggestion[];
  readonly bytes: number;
}

/** Chooses the width and the kernels, plans all graphs and emits `planned`. Throws SettingsError where the run is too large. */
async function planRun(
  options: SessionOptions,
  device: Device,
  { split, set }: Pick<Session, 'split' | 'set'>,
  weights: SessionOptions['weights'],
  { preparing, skipped, stopped, suggested }: PreparationHooks,
): Promise<PlannedRun> {
  const { settings, emit, tuning } = options;
  const { model, batch, microBatches, precision, memoryLimit } = settings;
  const { capabilities } = device;
  const { baseChannels, reason } =
    model.baseChannels === 'auto'
      ? await chooseWidth(device, settings)
      : { baseChannels: model.baseChannels, reason: null };
  const config = detectorConfigOf(model, baseChannels);
  const view = stepGraph(settings, config, set.posWeight);
  if (weights) checkWeights(view, weights);
  const evaluation = evaluationGraph(config, batch / microBatches, precision);
  const outputs = view.optimizerGraph ? [view.loss] : [view.loss, view.norm];
  const packs = { training: true, accumulating: view.optimizerGraph !== null };
  const chosen = { ...settings, model: { ...model, baseChannels } };
  const whatFits = (limit: number): readonly Suggestion[] => {
    const suggestions = suggest(chosen, capabilities, limit);
    suggested(suggestions);
    return suggestions;
  };
  const plannedBy = (choose: ChooseVariant, kernels: string | null) => {
    const planned = (graph: Graph, outputs: readonly Tensor[]): Plan =>
      planProgram(graph, capabilities, { outputs, choose });
    const plans = {
      step: planned(view.graph, outputs),
      optimizer: view.optimizerGraph && planned(view.optimizerGraph, [view.norm]),
      evaluation: planned(evaluation.graph, [evaluation.probabilities]),
    };
    const plan = describe(options, { view, set, split, plans, packs, baseChannels, reason, kernels });
    return { plans, plan, bytes: plan.memory.reduce((sum, use) => sum + use.bytes, 0) };
  };
  const announce = ({ plan }: { readonly plan: EegPlan }): void =>
    emit({ type: 'planned', plan, settings: chosen, device: device.adapter, adapterKey: device.adapterKey });
  const reject = ({ plans, bytes }: ReturnType<typeof plannedBy>): void =>
    rejectTooLarge(bytes, [plans.step, plans.evaluation], memoryLimit, device.limits, whatFits);

  // First without a choice, which takes a GPU minutes, and for what is too large ends in an error of a single kernel.
  const untuned = plannedBy(frozenChoice, null);
  try {
    reject(untuned);
  } catch (error) {
    announce(untuned);
    throw error;
  }
  const { choose, remark } = await choiceFor(device, [view.graph, evaluation.graph], tuning, {
    onProgress: (progress) => preparing(choosing(progress)),
    skipped,
    stopped,
  });
  const final = choose === frozenChoice ? untuned : plannedBy(choose, remark ?? null);
  announce(final);
  reject(final);
  const { plans, plan, bytes } = final;
  return { view, evaluation, plan, settings: chosen, plans, outputs, packs, whatFits, bytes };
}

/** Parameters and programs on the GPU. Where its memory runs out, what would fit is found before the error is thrown. */
async function allocate(
  device: Device,
  { view, evaluation, plans, outputs, packs, whatFits, bytes }: PlannedRun,
  owned: Owned,
  resumed: boolean,
  { preparing }: PreparationHooks,
): Promise<Pick<Session, 'parameters' | 'step' | 'optimizer' | 'evaluating'>> {
  try {
    const stage = (label: string, done: number): void => preparing({ label, done, total: 4 });
    stage(resumed ? 'weights of the checkpoint' : 'initial weights', 1);
    const parameters = owned.add(await Parameters.create(device, view.graph, packs));
    const compile = async (graph: Graph, outputs: readonly Tensor[], plan: Plan): Promise<Program> =>
      owned.add(await Program.compile(device, graph, { outputs, parameters, plan }));
    stage('compiling the kernels of a training step', 2);
    // Both at once: drivers compile in several threads, and the dry run needs both.
    const soon = handled(compile(evaluation.graph, [evaluation.probabilities], plans.evaluation));
    const step = await compile(view.graph, outputs, plans.step);
    const optimizer =
      view.optimizerGraph &&
      plans.optimizer &&
      (await compile(view.optimizerGraph, [view.norm], plans.optimizer));
    stage('compiling the kernels of the validation', 3);
    return { parameters, step, optimizer, evaluating: await soon };
  } catch (error) {
    if (error instanceof EngineError && error.kind === 'out-of-memory') whatFits(bytes - 1);
    throw error;
  }
}

/** Parameters of the published model that are not trained: as the state has them, or as they are initialised. */
function unusedOf(
  { unused }: StepGraph,
  seed: number,
  from: TrainingState | undefined,
): ReadonlyMap<string, FloatTensor> {
  const untrained = initialise(unused, seed);
  return new Map(
    unused.map(({ parameter: { name }, publishedShape }): [string, FloatTensor] => [
      name,
      from?.parameters.get(name) ?? {
        shape: publishedShape,
        data: untrained.get(name) as Float32Array<ArrayBuffer>,
      },
    ]),
  );
}
