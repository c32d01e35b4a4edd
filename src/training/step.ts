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
import { answered } from '../run/watchdog';

export type Skipped = Omit<Extract<EegEvent, { type: 'skipped' }>, 'type'>;

/**
 * Waits for `before`, submits a step; `recorded` is when its metrics are, and with float16 the loss scale of the next
 * step, so that it depends on steps alone and not on which was faster. `skipped` is called where a step overflowed.
 */
export async function submitStep(
  { device, settings, progress, view, step: program, optimizer, schedule, metrics, plan }: Session,
  { x, y }: Batch,
  step: number,
  before: Promise<void>,
  skipped: (event: Skipped) => void,
): Promise<{ recorded: Promise<void> }> {
  const { seed, microBatches } = settings;
  const [perX, perY] = [x.length / microBatches, y.length / microBatches];
  const learningRate = learningRateAt(schedule, step - 1);
  const stop = async (what: string, program: Program, scalars?: StepScalars): Promise<never> => {
    const found = scalars && (await firstNotFinite(program, scalars));
    const where = found
      ? `; the first that is not finite is element ${found.index} of ${found.tensor} (${found.value})${found.where ? `, written by ${found.where}` : ''}`
      : '';
    throw new NotFiniteError(
      `in step ${step} of ${plan.steps} ${what}, so training stopped with the weights before it${where}`,
    );
  };
  /** `scalars` where the program can be run again to see where the norm went bad. */
  const record = async (loss: number, norm: number, program: Program, scalars?: StepScalars) => {
    const finite = Number.isFinite(norm);
    const { lossScale } = progress;
    if (lossScale) {
      const next = afterStep(lossScale, !finite);
      if (!next)
        return stop(
          `the gradient overflowed float16 even with a loss scale of ${lossScale.scale}`,
          program,
          scalars,
        );
      progress.lossScale = next;
      if (!finite) skipped({ step, skipped: next.skipped, lossScale: next.scale });
    } else if (!finite) return stop(`the gradient's norm became ${norm}`, program, scalars);
    metrics.record({ step, loss, gradientNorm: norm });
  };
  let loss = 0;
  await before;
  const { scaling } = view;
  const { scale, skipped: behind } = progress.lossScale ?? { scale: 1, skipped: 0 };
  if (scaling) {
    program.write(scaling.scale, Float32Array.of(scale));
    (optimizer ?? program).write(scaling.inverse, Float32Array.of(1 / scale));
  }
  // PyTorch's AdamW counts its own steps, while the trainer's schedule counts every batch.
  const optimizerStep = step - behind;
  for (let index = 0; index < microBatches; index++) {
    program.write(view.x, x.subarray(index * perX, (index + 1) * perX));
    program.write(view.target, y.subarray(index * perY, (index + 1) * perY));
    const micro = { index, count: microBatches };
    // Each part has a dropout of its own.
    const scalars = {
      step,
      optimizerStep,
      seed: (seed + Math.imul(index, 0x9e3779b9)) >>> 0,
      learningRate,
      micro,
    };
    program.run(scalars);
    const values = answered(device, program.read()).then(async (read) => {
      const [value, norm] = [view.loss, view.norm].map((tensor) => read.get(tensor)?.[0] ?? NaN);
      if (!Number.isFinite(value)) await stop(`the loss became ${value}`, program, scalars);
      return [value as number, norm as number] as const;
    });
    if (!optimizer)
      return { recorded: values.then(([value, norm]) => record(value, norm, program, scalars)) };
    loss += (await values)[0] / microBatches;
  }
  const last = optimizer ?? program;
  last.run({ step, optimizerStep, seed, learningRate });
  const recorded = answered(device, last.read()).then((values) =>
    record(loss, values.get(view.norm)?.[0] ?? NaN, last),
  );
  return { recorded };
}
