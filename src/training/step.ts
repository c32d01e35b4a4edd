/** One step on the GPU, in one part or in micro-batches, and what is recorded of it. */
import type { Batch } from '../eeg/windows/loader';
import { firstNotFinite } from '../engine/not_finite';
import type { StepScalars } from '../engine/ops/definition';
import type { Program } from '../engine/program';
import { NotFiniteError } from '../run/failure';
import { afterStep } from './loss_scale';
import { learningRateAt } from './schedule';
import type { EegEvent } from './protocol';
import type { Session } from './session';
import { handled } from '../base/handled';

export type Skipped = Omit<Extract<EegEvent, { type: 'skipped' }>, 'type'>;

/**
 * Submits a step, with float16 after `before`, since the loss scale follows from the step before. `before` is when that step is
 * recorded, and `recorded` when this one is, which comes after it: its metrics, and with float16 the loss scale of the next step,
 * so that it depends on steps alone and not on which was faster. Where the loss or the gradient of the step before turns out not
 * finite, this one has changed no weight (`halted` of its graph); running statistics may have moved, but such a run keeps nothing.
 * At most two steps may be unrecorded. `skipped` is called where a step overflowed.
 */
export async function submitStep(
  { settings, progress, view, step: program, optimizer, schedule, metrics, plan }: Session,
  { x, y }: Batch,
  step: number,
  before: Promise<void>,
  skipped: (event: Skipped) => void,
): Promise<{ recorded: Promise<void> }> {
  const { seed, microBatches } = settings;
  const [perX, perY] = [x.length / microBatches, y.length / microBatches];
  const learningRate = learningRateAt(schedule, step - 1);
  const write = (index: number): void => {
    program.write(view.x, x.subarray(index * perX, (index + 1) * perX));
    program.write(view.target, y.subarray(index * perY, (index + 1) * perY));
  };
  /** `micro` where the program can be run again to see what went bad. */
  const stop = async (what: string, micro?: StepScalars): Promise<never> => {
    // Another batch may have been written since.
    if (micro) write(micro.micro?.index ?? 0);
    const found = micro && (await firstNotFinite(program, micro));
    const where = found
      ? `; the first that is not finite is element ${found.index} of ${found.tensor} (${found.value})${found.where ? `, written by ${found.where}` : ''}`
      : '';
    throw new NotFiniteError(
      `in step ${step} of ${plan.steps} ${what}, so training stopped with the weights before it${where}`,
    );
  };
  const record = async (loss: number, norm: number, micro?: StepScalars) => {
    const finite = Number.isFinite(norm);
    const { lossScale } = progress;
    if (lossScale) {
      const next = afterStep(lossScale, !finite);
      if (!next)
        return stop(`the gradient overflowed float16 even with a loss scale of ${lossScale.scale}`, micro);
      progress.lossScale = next;
      if (!finite) skipped({ step, skipped: next.skipped, lossScale: next.scale });
    } else if (!finite) return stop(`the gradient's norm became ${norm}`, micro);
    metrics.record({ step, loss, gradientNorm: norm });
  };
  /** What a run just submitted gives, once the step before is recorded: of two failures the first counts. */
  const results = async (program: Program) => {
    const read = handled(program.read());
    await before;
    return await read;
  };
  const { scaling } = view;
  if (scaling) await before;
  const { scale, skipped: behind } = progress.lossScale ?? { scale: 1, skipped: 0 };
  if (scaling) {
    program.write(scaling.scale, Float32Array.of(scale));
    (optimizer ?? program).write(scaling.inverse, Float32Array.of(1 / scale));
  }
  // PyTorch's AdamW counts its own steps, while the trainer's schedule counts every batch.
  const optimizerStep = step - behind;
  const losses: Promise<number>[] = [];
  for (let index = 0; index < microBatches; index++) {
    // The results of no more than two runs wait to be read.
    if (index > 1) await losses[index - 2];
    write(index);
    const scalars = {
      step,
      optimizerStep,
      // Each part has a dropout of its own.
      seed: (seed + Math.imul(index, 0x9e3779b9)) >>> 0,
      learningRate,
      micro: { index, count: microBatches },
    };
    program.run(scalars);
    const values = results(program).then(async (read) => {
      const [loss, norm] = [view.loss, view.norm].map((tensor) => read.get(tensor)?.[0] ?? NaN);
      if (!Number.isFinite(loss)) await stop(`the loss became ${loss}`, scalars);
      return { loss: loss as number, norm: norm as number };
    });
    if (!optimizer) return { recorded: values.then(({ loss, norm }) => record(loss, norm, scalars)) };
    losses.push(handled(values.then(({ loss }) => loss)));
  }
  if (!optimizer) throw new RangeError('a step has at least one micro-batch');
  let mean = 0;
  for (const loss of losses) mean += (await loss) / microBatches;
  optimizer.run({ step, optimizerStep, seed, learningRate });
  const recorded = results(optimizer).then((values) => record(mean, values.get(view.norm)?.[0] ?? NaN));
  return { recorded };
}
