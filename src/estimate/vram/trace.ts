/**
 * A training loop's allocations in their order: the model and its optimizer, then steps of forward pass, backward pass and
 * update, as PyTorch's eager mode makes them. What is freed when follows from references: a tensor lives until the
 * operation that reads it last has run, and longer where autograd has saved it.
 */
import type { SegmentOf } from '../../engine/recompute';
import { AutogradRun } from './autograd';
import { fixed, type Size, type Tape } from './tape';

/** What a piece of memory is for. */
export type Use =
  'parameters' | 'gradients' | 'moments' | 'inputs' | 'saved' | 'casts' | 'temporaries' | 'workspace';

export type Phase = 'start' | 'forward' | 'backward' | 'update';

export interface Storage {
  readonly name: string;
  readonly layer: string;
  readonly use: Use;
  readonly size: Size;
  /** Whether cuDNN decides how much it is. */
  readonly workspace?: true;
}

/** Storages are allocated at their own index and freed at its complement (~index). */
export interface Moment {
  readonly phase: Phase;
  readonly layer: string;
  readonly op: string;
  /** Which step of the loop; 0 is before the first. */
  readonly step: number;
  readonly events: readonly number[];
}

export interface Trace {
  readonly storages: readonly Storage[];
  readonly moments: readonly Moment[];
  /** The steps after the first do the same as each other; this one is drawn. */
  readonly steady: number;
}

export interface LoopOptions {
  /** Micro-batches of an update that are traced: two stand for more, since the third repeats the second. */
  readonly microBatches: 1 | 2;
  /** Gradient checkpointing (torch.utils.checkpoint): which stretch of the forward pass is computed again as a whole. */
  readonly segmentOf?: SegmentOf | undefined;
  /** Mamba-2's kernels are timed by Triton when they run first. */
  readonly autotunes: boolean;
}

/**
 * cuBLAS: 4096 KiB × 2 + 16 KiB × 8 (`getChosenWorkspaceSize`, aten/src/ATen/cuda/CublasHandlePool.cpp) for each thread with
 * a handle: the forward pass's and autograd's.
 */
const CUBLAS_WORKSPACE = fixed((4096 * 2 + 16 * 8) * 1024);
/** `triton.testing.do_bench` clears the L2 cache with a tensor of 256 MB while it times a kernel's variants. */
const TRITON_CACHE = fixed(256e6);

const STEPS = 2;

/** Collects events; a moment ends when the next begins. */
export class Writer {
  readonly storages: Storage[] = [];
  readonly moments: (Moment & { readonly events: number[] })[] = [];
  step = 0;

  begin(phase: Phase, layer: string, op: string): void {
    this.moments.push({ phase, layer, op, step: this.step, events: [] });
  }

  allocate(storage: Storage): number {
    const index = this.storages.push(storage) - 1;
    this.#events().push(index);
    return index;
  }

  free(index: number): void {
    this.#events().push(~index);
  }

  #events(): number[] {
    const last = this.moments.at(-1);
    if (!last) throw new RangeError('no moment has begun');
    return last.events;
  }
}

export function traceLoop(tape: Tape, options: LoopOptions): Trace {
  const writer = new Writer();
  writer.begin('start', 'model', 'model.to(device)');
  for (const { name, layer, size } of [...tape.parameters, ...tape.idle])
    writer.allocate({ name, layer, use: 'parameters', size });

  const run = new AutogradRun(tape, writer, options);
  const trained = tape.parameters.filter(({ needsGradient }) => needsGradient);
  let inputs: number[] = [];
  for (writer.step = 1; writer.step <= STEPS; writer.step++) {
    run.zeroGradients();
    for (let micro = 0; micro < options.microBatches; micro++) {
      writer.begin('forward', 'input', 'window.to(device)');
      const arrived = tape.inputs.map(({ name, layer, size }) =>
        writer.allocate({ name, layer, use: 'inputs', size }),
      );
      // The loop's variables hold the last batch until the next is there.
      for (const index of inputs) writer.free(index);
      inputs = arrived;
      run.forward(writer.step === 1 && micro === 0 ? { cublas: CUBLAS_WORKSPACE, ...tuning(options) } : {});
      run.backward(writer.step === 1 && micro === 0 ? { cublas: CUBLAS_WORKSPACE, ...tuning(options) } : {});
    }
    writer.begin('update', 'optimizer', 'AdamW.step');
    if (writer.step === 1)
      // `_init_group`: exp_avg and exp_avg_sq as zeros, parameter by parameter, at the first update; `step` is on the CPU.
      for (const { name, layer, size } of trained)
        for (const moment of ['exp_avg', 'exp_avg_sq'])
          writer.allocate({ name: `${moment} of ${name}`, layer, use: 'moments', size });
    // `_multi_tensor_adamw` (the default on CUDA): all is in place but the list from `_foreach_sqrt(exp_avg_sq)`.
    const roots = trained.map(({ name, layer, size }) =>
      writer.allocate({ name: `√exp_avg_sq of ${name}`, layer, use: 'temporaries', size }),
    );
    for (const index of roots) writer.free(index);
  }
  return { storages: writer.storages, moments: writer.moments, steady: STEPS };
}

const tuning = ({ autotunes }: LoopOptions): { readonly triton?: Size } =>
  autotunes ? { triton: TRITON_CACHE } : {};

/** What is in memory when the last forward pass of the steady step has ended: above all, what is saved. */
export function livingWhenForwardEnds({ storages, moments }: Trace): Storage[] {
  const end = moments.findLastIndex(({ phase }) => phase === 'forward');
  const living = new Set<number>();
  for (const { events } of moments.slice(0, end + 1))
    for (const event of events)
      if (event >= 0) living.add(event);
      else living.delete(~event);
  return [...living].map((index) => storages[index] as Storage);
}
