/** One update on the GPU, in one part or in micro-batches, and what is recorded of it. */
import type { Batch } from '../../data/loader';
import { firstNotFinite } from '../../engine/not_finite';
import type { StepScalars } from '../../engine/ops/definition';
import type { Program } from '../../engine/program';
import { NotFiniteError } from '../failure';
import { learningRateAt } from '../schedule';
import type { Session } from './session';
import { answered } from './watchdog';

/** Waits for `before`, submits an update; `recorded` is when its metrics are. */
export async function submitUpdate(
  { device, settings, view, step: program, update, schedule, metrics, plan }: Session,
  { x, y }: Batch,
  step: number,
  before: Promise<void>,
): Promise<{ recorded: Promise<void> }> {
  const { seed, microBatches } = settings;
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
      const recorded = answered(device, program.read()).then(async (values) => {
        const [value, norm] = [view.loss, view.norm].map((tensor) => values.get(tensor)?.[0] ?? NaN);
        await finite(program, scalars, 'the loss', value as number);
        await finite(program, scalars, "the gradient's norm", norm as number);
        metrics.record({ step, loss: value as number, accuracy: NaN, gradientNorm: norm as number });
      });
      return { recorded };
    }
    const value = (await answered(device, program.read())).get(view.loss)?.[0] ?? NaN;
    await finite(program, scalars, 'the loss', value);
    loss += value / microBatches;
  }
  const scalars = { step, seed, learningRate };
  update?.run(scalars);
  const recorded = answered(device, (update ?? program).read()).then((values) => {
    const gradientNorm = values.get(view.norm)?.[0] ?? NaN;
    if (!Number.isFinite(gradientNorm))
      throw new NotFiniteError(
        `in step ${step} of ${plan.steps} the gradient's norm became ${gradientNorm}, so training stopped with the weights before it`,
      );
    metrics.record({ step, loss, accuracy: NaN, gradientNorm });
  });
  return { recorded };
}
