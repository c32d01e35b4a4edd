/** All that a run needs before its first update: windows, graphs, plan, memory, weights. */
import type { FloatTensor, TrainingState } from '../checkpoints/state';
import { splitByFile, splitByPatient, type Split } from '../eeg/windows/split';
import { allWindows, balancedWindows, type WindowSet } from '../eeg/windows/windows';
import { EngineError, type Device } from '../engine/device';
import { Parameters } from '../engine/packs';
import { frozenChoice, planProgram, type Plan } from '../engine/plan';
import { Program } from '../engine/program';
import { tune, type TuneMemory } from '../engine/tune';
import { initialise } from '../models/initialise';
import type { DetectorConfig } from '../models/detector';
import { SettingsError } from '../run/failure';
import type { Held } from '../run/owned';
import { ProgressReporter } from '../run/progress';
import type { Schedule } from './schedule';
import { describe, updatesOf } from './describe';
import { refuseTooLarge, suggest, type Suggestion } from './fits';
import { evaluationGraph, stepGraph, type EvaluationGraph, type StepGraph } from './graphs';
import { METRICS, type EegEvent, type EegPlan, type MetricName } from './protocol';
import { checkDevice, checkSettings, detectorConfigOf, type EegSettings } from './settings';
import type { SourceOptions } from './sources';
import {
  atBegin,
  checkWeights,
  identify,
  restore,
  restoreWeights,
  standingOf,
  type DataIdentity,
  type Standing,
  type StateOf,
} from './state';
import { chooseWidth } from './width';

export interface SessionOptions extends SourceOptions {
  readonly emit: (event: EegEvent) => void;
  readonly tuning?: TuneMemory | Promise<TuneMemory>;
  /** Weights and running statistics to begin with, where there is no state to go on from. */
  readonly weights?: Pick<TrainingState, 'parameters' | 'buffers'>;
}

export interface Session extends StateOf {
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
  readonly metrics: ProgressReporter<MetricName>;
}

/** What the preparation needs of whoever runs it. */
export interface PreparationHooks {
  /** Is told what takes a while; may throw, which ends the preparation. */
  readonly preparing: (label: string, done: number, total: number) => void;
  readonly device: () => Promise<Device>;
  /** The epoch that is under way. */
  readonly epoch: () => number;
  /** Is told what would fit, before the error that says that the run does not. */
  readonly suggested: (suggestions: readonly Suggestion[]) => void;
}

/** Goes on from a state, or begins anew. What it creates is given back through `held`. */
export async function prepareSession(
  options: SessionOptions,
  held: Held,
  from: TrainingState | undefined,
  { preparing, device: requestDevice, epoch, suggested }: PreparationHooks,
): Promise<Session> {
  const { settings, dataset, emit, tuning } = options;
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
  // What cannot go on is refused before anything is timed, compiled or allocated for it.
  const data = await identify(recordings, set.windows.length);
  const standing = from
    ? standingOf(from, updatesOf(settings, set.windows.length).steps, data, settings)
    : atBegin(settings);
  preparing('looking at the device', 0, 4);
  const device = await requestDevice();
  checkDevice(settings, device);
  const { baseChannels, reason } =
    settings.model.baseChannels === 'auto'
      ? await chooseWidth(device, settings)
      : { baseChannels: settings.model.baseChannels, reason: null };
  const config: DetectorConfig = detectorConfigOf(settings.model, baseChannels);
  const view = stepGraph(settings, config, set.posWeight);
  const weights = from ?? options.weights;
  if (weights) checkWeights(view, weights);
  const evaluation = evaluationGraph(config, batch / microBatches, settings.precision);
  let choose = frozenChoice;
  // On a CPU the timing of hundreds of variants takes minutes, and the frozen ones are those that suit it.
  if (tuning && !device.capabilities.software)
    ({ choose } = await tune(device, view.graph, await tuning, (label, done, total) =>
      preparing(`timing kernels: ${label}`, done, total),
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
  const plan = describe(options, { view, set, split, plans, packs, baseChannels, reason });
  const chosen = { ...settings, model: { ...settings.model, baseChannels } };
  const bytes = plan.memory.reduce((sum, use) => sum + use.bytes, 0);
  emit({ type: 'planned', plan, settings: chosen, device: device.adapter });
  const whatFits = (limit: number): readonly Suggestion[] => {
    const suggestions = suggest(chosen, capabilities, limit);
    suggested(suggestions);
    return suggestions;
  };
  refuseTooLarge(bytes, [plans.step, plans.evaluation], settings.memoryLimit, device.limits, whatFits);
  if (from) emit({ type: 'continuing', step: standing.step });

  const allocate = async () => {
    preparing(from ? 'weights of the checkpoint' : 'initial weights', 1, 4);
    const parameters = held.add(await Parameters.create(device, view.graph, packs));
    preparing('kernels of a training step', 2, 4);
    const compile = async (graph: StepGraph['graph'], outputs: readonly StepGraph['loss'][], made: Plan) =>
      held.add(await Program.compile(device, graph, { outputs, parameters, plan: made }));
    const step = await compile(view.graph, stepOutputs, plans.step);
    const update = view.update && plans.update && (await compile(view.update, [view.norm], plans.update));
    preparing('kernels of the validation', 3, 4);
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
  else if (weights) restoreWeights({ parameters, declared: view.declared }, weights);
  else for (const [name, values] of initialise(view.declared, seed)) parameters.write(name, values);
  const schedule = {
    peak: settings.learningRate,
    steps: plan.steps,
    warmupRatio: settings.warmupRatio,
    firstStepFullRate: true,
  };
  const reporter: Session['metrics'] = new ProgressReporter(
    METRICS,
    plan.steps,
    (progress) => emit({ type: 'progress', epoch: epoch(), seconds: reporter.seconds, ...progress }),
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
    metrics: reporter,
  };
}
