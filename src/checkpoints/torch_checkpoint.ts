/**
 * The trainer's checkpoints, best.pt and last.pt: a dict of epoch, model_state_dict, optimizer_state_dict (AdamW's, one
 * group), best_metric, scheduler_state_dict (LambdaLR's) and config, in the layout of PyTorch 2.2.
 */
import { quotedJson, visible } from '../base/text';
import { isDict, isTensor, OrderedDict, Tuple, type PythonKey, type PythonValue } from './python';
import type { SafetensorsTensor } from './safetensors';
import {
  checkState,
  rejectNonJson,
  StateError,
  type FloatTensor,
  type Json,
  type TrainingState,
} from './state';
import { floats, splitStateDict, stateDict } from './state_file';
import { readTorch, TorchFileError, writeTorch } from './torch';

/** AdamW's settings, and where its schedule stands. */
export interface AdamWSettings {
  /** The rate that the schedule scales. */
  readonly learningRate: number;
  /** The rate of the next step. */
  readonly currentRate: number;
  readonly betas: readonly [number, number];
  readonly eps: number;
  readonly weightDecay: number;
}

/** What the trainer's file says beyond the tensors. */
export interface TorchProgress {
  /** The epoch that was running: the trainer's --resume repeats it. */
  readonly epoch: number;
  readonly bestMetric: number;
  /** Steps that the loss scale skipped: AdamW does not count them, the schedule does. */
  readonly skipped?: number;
  /** The configuration as a mapping. */
  readonly config: Json;
}

export interface TorchCheckpoint extends Omit<TrainingState, 'progress'>, TorchProgress {
  /** Steps done: AdamW's `step`. */
  readonly step: number;
  readonly batches: number;
  readonly optimizer: AdamWSettings;
}

const dict = (entries: Readonly<Record<string, PythonValue>>): Map<PythonKey, PythonValue> =>
  new Map(Object.entries(entries));

/** The parts of a file, in order: `new Blob(parts)` is what the trainer's `--resume` loads. */
export function writeTorchCheckpoint(
  state: TrainingState,
  optimizer: AdamWSettings,
  { epoch, bestMetric, skipped = 0, config }: TorchProgress,
): Uint8Array<ArrayBuffer>[] {
  checkState(state);
  rejectNonJson(config, 'config');
  const { step } = state.progress;
  return writeTorch(
    dict({
      epoch,
      model_state_dict: new OrderedDict(stateDict(state)),
      optimizer_state_dict: dict({
        state: optimizerState(state, step - skipped),
        param_groups: [
          dict({
            lr: optimizer.currentRate,
            betas: new Tuple(optimizer.betas),
            eps: optimizer.eps,
            weight_decay: optimizer.weightDecay,
            amsgrad: false,
            foreach: null,
            maximize: false,
            capturable: false,
            differentiable: false,
            fused: null,
            initial_lr: optimizer.learningRate,
            params: [...state.parameters.keys()].map((_, i) => i),
          }),
        ],
      }),
      best_metric: bestMetric,
      // LambdaLR counts its own construction as a step.
      scheduler_state_dict: dict({
        base_lrs: [optimizer.learningRate],
        last_epoch: step,
        verbose: false,
        _step_count: step + 1,
        _get_lr_called_within_step: false,
        _last_lr: [optimizer.currentRate],
        lr_lambdas: [null],
      }),
      config: fromJson(config),
    }),
  );
}

/** By the parameter's number; those that were never updated have no entry. */
function optimizerState({ parameters, firstMoments, secondMoments }: TrainingState, steps: number) {
  const entries = new Map<PythonKey, PythonValue>();
  [...parameters.keys()].forEach((name, i) => {
    const first = firstMoments.get(name);
    const second = secondMoments.get(name);
    if (!first || !second) return;
    const tensor = ({ shape, data }: FloatTensor): SafetensorsTensor => ({ dtype: 'F32', shape, data });
    entries.set(
      i,
      dict({
        step: { dtype: 'F32', shape: [], data: Float32Array.of(steps) },
        exp_avg: tensor(first),
        exp_avg_sq: tensor(second),
      }),
    );
  });
  return entries;
}

/**
 * Reads a file of the trainer or of `writeTorchCheckpoint`. Throws ZipError, PickleError, TorchFileError,
 * SafetensorsError or StateError with a sentence.
 */
export function readTorchCheckpoint(file: Uint8Array<ArrayBuffer>): TorchCheckpoint {
  const root = expectDict(readTorch(file), 'the file');
  const tensors = new Map<string, SafetensorsTensor>();
  for (const [name, tensor] of field(root, 'model_state_dict', expectDict)) {
    if (typeof name !== 'string' || !isTensor(tensor))
      throw new TorchFileError(`model_state_dict: ${quotedJson(name)} is no named tensor`);
    tensors.set(name, tensor);
  }
  const { parameters, buffers, batches } = splitStateDict(tensors);
  const saved = field(root, 'optimizer_state_dict', expectDict);
  const groups = field(saved, 'param_groups', expectList);
  if (groups.length !== 1)
    throw new TorchFileError(`optimizer_state_dict has ${groups.length} groups of parameters, not one`);
  const group = expectDict(groups[0], 'optimizer_state_dict.param_groups[0]');
  const ids = field(group, 'params', expectList);
  if (ids.length !== parameters.size)
    throw new TorchFileError(
      `optimizer_state_dict knows ${ids.length} parameters, model_state_dict has ${parameters.size}`,
    );
  const state = field(saved, 'state', expectDict);
  const firstMoments = new Map<string, FloatTensor>();
  const secondMoments = new Map<string, FloatTensor>();
  let step = 0;
  [...parameters.keys()].forEach((name, i) => {
    const value = state.get(expectKey(ids[i], 'optimizer_state_dict.param_groups[0].params'));
    if (value === undefined) return;
    const where = `optimizer_state_dict.state of ${visible(name, 60)}`;
    const entry = expectDict(value, where);
    step = Math.max(step, expectStep(entry.get('step'), where));
    firstMoments.set(name, floats(`${name} (exp_avg)`, expectTensor(entry.get('exp_avg'), where)));
    secondMoments.set(name, floats(`${name} (exp_avg_sq)`, expectTensor(entry.get('exp_avg_sq'), where)));
  });
  const betas = field(group, 'betas', expectList).map((beta) => expectNumber(beta, 'betas'));
  const currentRate = field(group, 'lr', expectNumber);
  const checkpoint: TorchCheckpoint = {
    parameters,
    buffers,
    firstMoments,
    secondMoments,
    batches,
    step,
    epoch: field(root, 'epoch', expectNumber),
    bestMetric: field(root, 'best_metric', expectNumber),
    config: toJson(root.get('config') ?? null, 'config'),
    optimizer: {
      learningRate: group.has('initial_lr') ? field(group, 'initial_lr', expectNumber) : currentRate,
      currentRate,
      betas: [expectNumber(betas[0], 'betas'), expectNumber(betas[1], 'betas')],
      eps: field(group, 'eps', expectNumber),
      weightDecay: field(group, 'weight_decay', expectNumber),
    },
  };
  checkState(checkpoint);
  return checkpoint;
}

type Dict = ReadonlyMap<PythonKey, PythonValue>;

function field<T>(from: Dict, name: string, expect: (value: PythonValue | undefined, where: string) => T): T {
  if (!from.has(name)) throw new TorchFileError(`this is not a checkpoint of the trainer: it has no ${name}`);
  return expect(from.get(name), name);
}

const reject = (where: string, what: string): never => {
  throw new TorchFileError(`${where} is no ${what}`);
};

const expectDict = (value: PythonValue | undefined, where: string): Dict =>
  isDict(value) ? value : reject(where, 'dict');

const expectTensor = (value: PythonValue | undefined, where: string): SafetensorsTensor =>
  isTensor(value) ? value : reject(where, 'tensor');

const expectNumber = (value: PythonValue | undefined, where: string): number =>
  typeof value === 'number' ? value : reject(where, 'number');

function expectList(value: PythonValue | undefined, where: string): readonly PythonValue[] {
  if (value instanceof Tuple) return value.items;
  return Array.isArray(value) ? (value as readonly PythonValue[]) : reject(where, 'list');
}

const expectKey = (value: PythonValue | undefined, where: string): number =>
  typeof value === 'number' ? value : reject(where, 'list of numbers');

/** A float32 tensor since PyTorch 1.12, a number before. */
function expectStep(value: PythonValue | undefined, where: string): number {
  const step = isTensor(value) ? Number(value.data[0]) : expectNumber(value, where);
  return Number.isSafeInteger(step) && step >= 0 ? step : reject(`${where}: step`, 'whole number');
}

function fromJson(value: Json): PythonValue {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return (value as readonly Json[]).map(fromJson);
  return new Map(Object.entries(value).map(([key, part]) => [key, fromJson(part)]));
}

function toJson(value: PythonValue, where: string): Json {
  if (typeof value === 'bigint') throw new StateError(`${where} is ${value}, beyond the numbers of JSON`);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Tuple) return toJson(value.items, where);
  if (isDict(value))
    return Object.fromEntries(
      [...value].map(([key, part]) => [String(key), toJson(part, `${where}.${String(key)}`)]),
    );
  if (isTensor(value)) throw new StateError(`${where} is a tensor`);
  return value.map((part, i) => toJson(part, `${where}[${i}]`));
}
