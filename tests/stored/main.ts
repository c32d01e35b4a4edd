/** Makes the files of src/lessons/stored: `npm run stored`, or of those that are named. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requestNodeDevice } from '../../src/cli/node_device';
import { interpret } from '../../src/engine/interpret';
import type { Tensor } from '../../src/engine/graph';
import { initialise } from '../../src/models/initialise';
import { Lab, type Weights } from '../../src/lessons/course/lab';
import { meanDelta, previewGraph } from '../../src/lessons/loop/preview';
import { resolveRun, sequenceGraph } from '../../src/lessons/loop/sequence';
import type { Dynamics } from '../../src/lessons/mamba';
import { RULER_STEPS, STRETCHED_FROM, STRETCHED_STEPS, TRAINED } from '../../src/lessons/half_lives/plan';
import { trainRecall } from '../../src/lessons/half_lives/recall';
import { accuracyWith, trainCopying } from '../../src/lessons/zero_order_hold/train';
import { trainingBatch } from '../../src/lessons/tasks/task';
import { trainDetector } from './detector';

const root = join(import.meta.dirname, '../..');
const SEED = 2;
const SEEDS = [1, 2, 3, 4, 5];
const STEPS = { selective: 400, 'delta-frozen': 800, 'time-invariant': 800 } as const satisfies Record<
  Dynamics,
  number
>;
const FRAMES = 40;
const ANSWERS = 3;

const rounded = (value: number): number => Number(value.toPrecision(4));

/** What the model answers, and its Δ, on one held-out sequence, in float64. */
export function frameOf(run: ReturnType<typeof resolveRun>, weights: Weights, step: number) {
  const view = previewGraph(run);
  const feed = new Map<Tensor, ArrayLike<number>>([
    [view.tokens, view.batch.tokens],
    [view.targets, view.batch.targets],
  ]);
  for (const parameter of view.graph.parameters) feed.set(parameter, weights.get(parameter.name) ?? []);
  const values = interpret(view.graph, feed);
  const valueOf = (tensor: Tensor): Float64Array => values.get(tensor) as Float64Array;
  const [{ delta, bias }] = view.sources as [(typeof view.sources)[number]];
  const all = meanDelta(delta && valueOf(delta), valueOf(bias), view.batch.tokens.length);
  const start = shownSequence(view.batch.tokens, view.length) * view.length;
  return {
    step,
    accuracy: rounded(valueOf(view.correct)[0] as number),
    predicted: [...valueOf(view.predicted).subarray(start, start + view.length)],
    delta: [...(delta ? all.subarray(start, start + view.length) : all.subarray(0, view.length))].map(
      rounded,
    ),
  };
}

/** The first held-out sequence whose three letters differ. */
function shownSequence(tokens: Uint32Array, length: number): number {
  for (let b = 0; b * length < tokens.length; b++) {
    const letters = tokens.subarray(b * length, (b + 1) * length - ANSWERS).filter((token) => token > 0);
    if (new Set(letters).size === ANSWERS) return b;
  }
  throw new RangeError('no held-out sequence has three different letters');
}

function write(name: string, data: unknown): void {
  const file = join(root, `src/lessons/stored/${name}.json`);
  writeFileSync(file, JSON.stringify(data));
  execFileSync(process.execPath, [join(root, 'node_modules/oxfmt/bin/oxfmt'), file]);
}

async function make(dynamics: Dynamics): Promise<void> {
  const run = resolveRun({ task: 'selective_copying', preset: 'tiny', seed: SEED, dynamics });
  const { sizes, training } = run.preset;
  const build = () => sequenceGraph(run, training.batch);
  const initial = initialise(build().declared, SEED);
  const learner = await new Lab(await requestNodeDevice()).learner(build, initial, training.clip);
  try {
    const frames = [frameOf(run, initial, 0)];
    let weights: Weights = initial;
    for (let step = 1; step <= STEPS[dynamics]; step++) {
      learner.step(trainingBatch(run.task, sizes, training.batch, SEED, step), step, training.learningRate);
      if (step % (STEPS[dynamics] / FRAMES) > 0) continue;
      weights = await learner.weights();
      frames.push(frameOf(run, weights, step));
    }
    const encoded = Object.fromEntries(
      [...weights].map(([name, values]) => [name, Buffer.from(values.buffer).toString('base64')]),
    );
    const { batch, length } = previewGraph(run);
    const start = shownSequence(batch.tokens, length) * length;
    const tokens = [...batch.tokens.subarray(start, start + length)];
    write(dynamics, { seed: SEED, steps: STEPS[dynamics], tokens, frames, weights: encoded });
    console.log(`${dynamics}: ${frames.at(-1)?.accuracy}`);
  } finally {
    learner.destroy();
  }
}

/** Each training of the lesson on half-lives, for browsers that cannot train. */
async function makeRecalls(): Promise<void> {
  const lab = new Lab(await requestNodeDevice());
  const runs = [];
  for (const seed of SEEDS)
    for (const halfLife of TRAINED) {
      const maxSteps = halfLife === STRETCHED_FROM ? STRETCHED_STEPS : RULER_STEPS;
      const { steps, accuracy, learned, before, after } = await trainRecall(lab, {
        halfLife,
        seed,
        maxSteps,
      });
      const run = {
        seed,
        halfLife,
        steps: steps.at(-1),
        accuracy,
        learned: Number.isNaN(learned) ? null : learned,
      };
      const clocks = halfLife === STRETCHED_FROM && {
        before: before.map(rounded),
        after: after.map(rounded),
      };
      runs.push({ ...run, ...clocks });
      console.log(`seed ${seed}, half-life ${halfLife}: ${learned}`);
    }
  write('recall', runs);
}

/** Both trainings of the lesson on the zero-order hold, and what Mamba's weights answer with the other B̄. */
async function makeHolds(): Promise<void> {
  const lab = new Lab(await requestNodeDevice());
  const runs = [];
  for (const seed of SEEDS) {
    const mamba = await trainCopying(lab, { zeroOrderHold: false, seed });
    const hold = await trainCopying(lab, { zeroOrderHold: true, seed });
    const { got } = await accuracyWith(lab, mamba.weights, true);
    const percents = ({ accuracy }: { readonly accuracy: readonly number[] }) => accuracy.map(rounded);
    const run = {
      seed,
      mamba: percents(mamba),
      hold: percents(hold),
      swapped: rounded(100 * (got[0] ?? NaN)),
    };
    runs.push(run);
    console.log(`seed ${seed}: ${run.mamba.at(-1)} and ${run.hold.at(-1)}, swapped ${run.swapped}`);
  }
  write('zero-order-hold', runs);
}

export async function main(names: readonly string[]): Promise<number> {
  for (const dynamics of Object.keys(STEPS) as Dynamics[])
    if (names.length === 0 || names.includes(dynamics)) await make(dynamics);
  if (names.length === 0 || names.includes('recall')) await makeRecalls();
  if (names.length === 0 || names.includes('zero-order-hold')) await makeHolds();
  if (names.length === 0 || names.includes('detector')) write('detector', await trainDetector());
  return 0;
}
