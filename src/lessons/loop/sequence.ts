/** The graphs of a sequence task: one that trains, and one that shows what the model makes of held-out sequences. */
import { Graph, type Tensor } from '../../engine/graph';
import { softmaxCrossEntropy } from '../../engine/ops/softmax_cross_entropy';
import { trainingStep } from '../../engine/optimizer';
import { Parameters } from '../../engine/packs';
import type { BufferRole, Plan } from '../../engine/plan';
import { countParameters, type Declared } from '../../models/initialise';
import { mambaModel, type EditTokens, type MambaConfig, type MixerView } from '../mamba';
import { tasks } from '../tasks';
import type { Preset, Task } from '../tasks/task';
import { SettingsError } from '../../run/failure';
import type { RunPlan, RunSettings } from './protocol';

/** Settings with their names looked up. */
export interface Run {
  readonly task: Task;
  readonly preset: Preset;
  readonly model: MambaConfig;
  readonly seed: number;
}

/** Throws SettingsError for names that do not exist and for sizes that the task rejects. */
export function resolveRun(
  { task: taskName, preset: presetName, seed, dynamics }: RunSettings,
  maxSteps = Infinity,
): Run {
  const task: Task = named(tasks, taskName, 'task');
  const preset = named(task.presets, presetName, `preset of ${task.name}`);
  if (!Number.isSafeInteger(seed))
    throw new SettingsError(`a seed is a whole number within ±2⁵³, it is ${seed}`);
  try {
    task.check(preset.sizes);
  } catch (error) {
    throw error instanceof RangeError ? new SettingsError(error.message) : error;
  }
  const { sizes, training } = preset;
  return {
    task,
    preset: { ...preset, training: { ...training, steps: Math.min(training.steps, maxSteps) } },
    seed,
    model: { ...preset.model, vocabulary: sizes.vocabulary, dynamics },
  };
}

function named<T>(table: Readonly<Record<string, T>>, name: string, what: string): T {
  const found = Object.hasOwn(table, name) ? table[name] : undefined;
  if (found === undefined)
    throw new SettingsError(`there is no ${what} named ${name}, only ${Object.keys(table).join(', ')}`);
  return found;
}

export interface SequenceGraph {
  readonly graph: Graph;
  /** [b, l] */
  readonly tokens: Tensor;
  /** [b, l] */
  readonly targets: Tensor;
  /** [1], the mean over the asked tokens. */
  readonly loss: Tensor;
  /** [1], the share of the asked tokens that is predicted. */
  readonly correct: Tensor;
  /** [b, l] */
  readonly predicted: Tensor;
  /** [b, l, vocabulary] */
  readonly logits: Tensor;
  readonly layers: readonly MixerView[];
  readonly declared: readonly Declared[];
}

/** `edit` changes what each scan takes of the tokens. */
export function sequenceGraph(
  { preset: { sizes }, model }: Run,
  batch: number,
  edit?: EditTokens,
): SequenceGraph {
  const graph = new Graph();
  const tokens = graph.input('tokens', [batch, sizes.length], 'u32');
  const targets = graph.input('targets', [batch, sizes.length], 'u32');
  const { logits, layers, declared } = mambaModel(graph, tokens, model, edit);
  const { loss, correct, predicted } = softmaxCrossEntropy(graph, logits, targets);
  return { graph, tokens, targets, loss, correct, predicted, logits, layers, declared };
}

export interface TrainingGraph extends SequenceGraph {
  /** [1], of the gradient before clipping. */
  readonly norm: Tensor;
  readonly outputs: readonly Tensor[];
}

export function trainingGraph(run: Run): TrainingGraph {
  const { batch, weightDecay, clip } = run.preset.training;
  const sequence = sequenceGraph(run, batch);
  const { graph, loss, correct } = sequence;
  const norm = trainingStep(graph, loss, { weightDecay, clip });
  return { ...sequence, norm, outputs: [loss, correct, norm] };
}

/** What a buffer of the training program is for, in the page's words. */
const USES = {
  values: 'activations and their gradients',
  input: 'batch and constants',
  constant: 'batch and constants',
  step: 'batch and constants',
  staging: 'reading results',
} as const satisfies Readonly<Record<BufferRole, string>>;

/** Steps, sizes and bytes of a run whose two programs are planned; the bytes by use are all that it will allocate. */
export function planRun(
  { preset: { sizes, training }, model }: Run,
  { graph, declared }: TrainingGraph,
  trainingPlan: Plan,
  previewPlan: Plan,
  kernels: string | undefined,
): RunPlan {
  const bytes = new Map<string, number>();
  const add = (use: string, more: number): void => void bytes.set(use, (bytes.get(use) ?? 0) + more);
  const weights = Parameters.bytes(graph, { training: false });
  add('weights', weights);
  add('gradients and moments of AdamW', Parameters.bytes(graph, { training: true }) - weights);
  for (const buffer of trainingPlan.buffers) add(USES[buffer.role], buffer.bytes);
  add('preview', previewPlan.bytes);
  return {
    steps: training.steps,
    parameters: countParameters(declared),
    tokensPerStep: training.batch * sizes.length,
    memory: [...bytes].map(([use, bytes]) => ({ use, bytes })),
    dispatchesPerStep: trainingPlan.dispatches.length,
    flopsPerStep: trainingPlan.cost.flops,
    kernels: kernels ?? null,
    layers: model.layers,
    length: sizes.length,
    vocabulary: sizes.vocabulary,
  };
}
