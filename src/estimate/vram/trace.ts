/**
 * A training loop's allocations in order: the model and its optimizer, then steps of forward pass, backward pass and
 * optimizer, as PyTorch's eager mode makes them. When memory is freed follows from references: a tensor lives until the
 * operation that reads it last has run, and longer where autograd has saved it.
 */
import type { SegmentOf } from '../../engine/recompute';
import { AutogradRun, type FirstRun } from './autograd';
import { Writer, type Storage, type Trace } from './events';
import { fixed, type Tape } from './tape';

export interface LoopOptions {
  /** Traced micro-batches of an optimizer step: two stand for more, since the third repeats the second. */
  readonly microBatches: 1 | 2;
  /** Gradient checkpointing (torch.utils.checkpoint): which segment of the forward pass is recomputed as a whole. */
  readonly segmentOf?: SegmentOf | undefined;
}

/**
 * What each thread with its handles, the forward pass's and autograd's, allocates at its first use of a library.
 * cuBLAS: 4096 KiB × 2 + 16 KiB × 8 (`getChosenWorkspaceSize`, aten/src/ATen/cuda/CublasHandlePool.cpp). Triton:
 * `triton.testing.do_bench` clears the L2 cache with a tensor of 256 MB while it times a kernel's variants.
 */
const FIRST_RUN: FirstRun = { cublas: fixed((4096 * 2 + 16 * 8) * 1024), triton: fixed(256e6) };

const STEPS = 2;

/**
 * Traces the first STEPS steps of a training loop: in the first the optimizer makes its moments and libraries their
 * workspaces, the last is like all that follow.
 */
export function traceLoop(tape: Tape, options: LoopOptions): Trace {
  const writer = new Writer();
  writer.start('start', 'model', 'model.to(device)');
  for (const { name, layer, size, package: needed } of [...tape.parameters, ...tape.unused])
    writer.allocate({ name, layer, use: 'parameters', size, ...(needed && { package: needed }) });

  const run = new AutogradRun(tape, writer, options.segmentOf);
  const trained = tape.parameters.filter(({ needsGradient }) => needsGradient);
  let inputs: number[] = [];
  for (writer.step = 1; writer.step <= STEPS; writer.step++) {
    run.zeroGradients();
    for (let micro = 0; micro < options.microBatches; micro++) {
      writer.start('forward', 'input', 'window.to(device)');
      const arrived = tape.inputs.map(({ name, layer, size }) =>
        writer.allocate({ name, layer, use: 'inputs', size }),
      );
      // The loop's variables hold the last batch until the next is there.
      for (const index of inputs) writer.free(index);
      inputs = arrived;
      const first = writer.step === 1 && micro === 0 ? FIRST_RUN : {};
      run.forward(first);
      run.backward(first);
    }
    writer.start('optimizer step', 'optimizer', 'AdamW.step');
    if (writer.step === 1)
      // `_init_group`: exp_avg and exp_avg_sq as zeros, parameter by parameter, at the first step; `step` is on the CPU.
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
