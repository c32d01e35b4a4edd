/** Trainings of the recall that were recorded, for where none can run; `npm run stored` makes them anew. */
import { EVERY, type Recall } from './recall';

/** Throws RangeError where this training was not recorded. */
export async function recordedRecall(wanted: {
  halfLife: number;
  seed: number;
  maxSteps: number;
}): Promise<Recall> {
  const { default: runs } = await import('../stored/recall.json');
  const run = runs.find(({ seed, halfLife }) => seed === wanted.seed && halfLife === wanted.halfLife);
  if (!run)
    throw new RangeError(
      `no training from half-life ${wanted.halfLife} with seed ${wanted.seed} was recorded`,
    );
  const { before = [], after = [], learned } = run;
  const accuracy = run.accuracy.slice(0, Math.floor(wanted.maxSteps / EVERY) + 1);
  return {
    steps: accuracy.map((_, i) => i * EVERY),
    accuracy,
    learned: learned === null || learned > wanted.maxSteps ? NaN : learned,
    before,
    after,
  };
}
