/** Selective copying, trained with either B̄. */
import { Random } from '../../base/random';
import { initialise } from '../../models/initialise';
import { copyingRun } from '../course/copying';
import type { Both, Lab, Learner, Weights } from '../course/lab';
import { sequenceGraph, type Run, type SequenceGraph } from '../loop/sequence';
import { generateBatch, trainingBatch, type Batch } from '../tasks/task';
import { STEPS } from './plan';

const UNSEEN = 128;
/** A training is looked at every so many steps, on so many batches that it never sees. */
const EVERY = 20;
const LOOKS = 4;
/** The mean of so many looks is where it ends. */
const END = 5;

/** The run of selective copying whose tokens write by zero-order hold, or as Mamba's do. */
function heldRun(zeroOrderHold: boolean): Run {
  const run = copyingRun('selective');
  return { ...run, model: { ...run.model, zeroOrderHold } };
}

export const initialWeights = (seed: number): Weights =>
  initialise(sequenceGraph(heldRun(false), 1).declared, seed);

/** Share of the answers on unseen sequences that a model with these weights and this B̄ has right. */
export async function accuracyWith(lab: Lab, weights: Weights, zeroOrderHold: boolean): Promise<Both> {
  const run = heldRun(zeroOrderHold);
  const view = sequenceGraph(run, UNSEEN);
  const { tokens, targets } = generateBatch(
    run.task,
    run.preset.sizes,
    UNSEEN,
    new Random(0).stream('unseen'),
  );
  const feed = new Map([
    [view.tokens, tokens],
    [view.targets, targets],
  ]);
  return (await lab.evaluate(view.graph, feed, weights, [view.correct]))(view.correct);
}

export interface Training {
  readonly steps: readonly number[];
  /** Percent of right answers on unseen sequences at each of `steps`. */
  readonly accuracy: readonly number[];
}

/** The mean over the last looks of a training, in percent. */
export const endOf = ({ accuracy }: Training): number =>
  accuracy.slice(-END).reduce((sum, value) => sum + value, 0) / END;

export interface TrainingOptions {
  readonly zeroOrderHold: boolean;
  readonly seed: number;
  /** STEPS if left out. */
  readonly steps?: number;
  readonly progress?: (share: number) => void;
}

/** Trains from the start; the same seed gives both the same weights at the start and the same batches. */
export async function trainCopying(
  lab: Lab,
  { zeroOrderHold, seed, steps: until = STEPS, progress = () => undefined }: TrainingOptions,
): Promise<Training & { readonly weights: Weights }> {
  const run = heldRun(zeroOrderHold);
  const { task, preset } = run;
  const { sizes, training } = preset;
  const build = (): SequenceGraph => sequenceGraph(run, training.batch);
  const learner = await lab.learner(build, initialWeights(seed), training.clip);
  const random = new Random(0).stream('looks');
  const looks = Array.from({ length: LOOKS }, () => generateBatch(task, sizes, training.batch, random));
  try {
    const steps = [0];
    const accuracy = [await percentRight(learner, looks)];
    for (let step = 1; step <= until; step++) {
      learner.step(trainingBatch(task, sizes, training.batch, seed, step), step, training.learningRate);
      if (step % EVERY > 0) continue;
      steps.push(step);
      accuracy.push(await percentRight(learner, looks));
      progress(step / until);
    }
    return { steps, accuracy, weights: await learner.weights() };
  } finally {
    learner.destroy();
  }
}

async function percentRight(learner: Learner, looks: readonly Batch[]): Promise<number> {
  let sum = 0;
  for (const batch of looks) sum += await learner.accuracy(batch);
  return (100 * sum) / looks.length;
}

/** Both trainings of a seed as they were recorded, for where none can run; `npm run stored` makes them anew. */
export async function recordedTraining({ zeroOrderHold, seed }: TrainingOptions): Promise<Training> {
  const { default: runs } = await import('../stored/zero-order-hold.json');
  const run = runs.find((one) => one.seed === seed);
  if (!run) throw new RangeError(`no training with seed ${seed} was recorded`);
  const accuracy = zeroOrderHold ? run.hold : run.mamba;
  return { steps: accuracy.map((_, i) => i * EVERY), accuracy };
}
