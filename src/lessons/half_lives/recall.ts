/** Recall at a distance: a letter of four, noise, and a mark at which the letter is asked for. */
import { Random } from '../../base/random';
import { Graph } from '../../engine/graph';
import { softmaxCrossEntropy } from '../../engine/ops/softmax_cross_entropy';
import { initialise } from '../../models/initialise';
import type { Lab, Learner, Weights } from '../course/lab';
import type { SequenceGraph } from '../loop/sequence';
import { mambaModel } from '../mamba';
import { IGNORE, type Batch } from '../tasks/task';

export const DISTANCE = 32;
const LETTERS = 4;
const LENGTH = DISTANCE + 1;
const MARK = LETTERS + 1;
const BATCH = 16;
const RATE = 0.01;
/** The held-out sequences are looked at every so many steps; so many good looks in a row are “learned”. */
export const EVERY = 20;
const LOOKS = 3;
const GOOD = 0.99;

/** Δ with which the slowest state (A = −1) has half-life `h`, in tokens. */
export const deltaFor = (h: number): number => Math.LN2 / h;

function recallGraph(h: number): SequenceGraph {
  const graph = new Graph();
  const tokens = graph.input('tokens', [BATCH, LENGTH], 'u32');
  const targets = graph.input('targets', [BATCH, LENGTH], 'u32');
  const { logits, layers, declared } = mambaModel(graph, tokens, {
    vocabulary: LETTERS + 2,
    dModel: 16,
    dState: 4,
    layers: 1,
    tied: false,
    dtMin: deltaFor(h),
    dtMax: deltaFor(h),
    dynamics: 'time-invariant',
  });
  return { graph, tokens, targets, logits, layers, declared, ...softmaxCrossEntropy(graph, logits, targets) };
}

function recallBatch(random: Random): Batch {
  const tokens = new Uint32Array(BATCH * LENGTH);
  const targets = new Uint32Array(BATCH * LENGTH).fill(IGNORE);
  for (let start = 0; start < tokens.length; start += LENGTH) {
    const letter = 1 + random.integer(LETTERS);
    tokens[start] = letter;
    tokens[start + DISTANCE] = MARK;
    targets[start + DISTANCE] = letter;
  }
  return { tokens, targets };
}

export const MIXER = 'backbone.layers.0.mixer.';

/** Half-lives of all states of a time-invariant model, in rising order. */
function clocksOf(weights: Weights): number[] {
  const bias = weights.get(`${MIXER}dt_proj.bias`) ?? new Float32Array();
  const decayLog = weights.get(`${MIXER}A_log`) ?? new Float32Array();
  const states = decayLog.length / bias.length;
  return Array.from(
    decayLog,
    (value, i) => Math.LN2 / (Math.log1p(Math.exp(bias[Math.floor(i / states)] as number)) * Math.exp(value)),
  ).toSorted((a, b) => a - b);
}

export interface Recall {
  /** Accuracy on held-out sequences at each of `steps`. */
  readonly steps: readonly number[];
  readonly accuracy: readonly number[];
  /** The step at which it was learned; NaN where it was not. */
  readonly learned: number;
  /** Half-lives of all states, in rising order. */
  readonly before: readonly number[];
  readonly after: readonly number[];
}

export interface RecallOptions {
  readonly halfLife: number;
  readonly seed: number;
  readonly maxSteps: number;
  readonly progress?: (share: number) => void;
}

/** Trains the recall until it is learned, or for `maxSteps`. */
export async function trainRecall(
  lab: Lab,
  { halfLife, seed, maxSteps, progress = () => undefined }: RecallOptions,
): Promise<Recall> {
  const build = (): SequenceGraph => recallGraph(halfLife);
  const initial = initialise(build().declared, seed);
  const learner = await lab.learner(build, initial, 1);
  try {
    const learned = await learn(learner, seed, maxSteps, progress);
    return { ...learned, before: clocksOf(initial), after: clocksOf(await learner.weights()) };
  } finally {
    learner.destroy();
  }
}

async function learn(learner: Learner, seed: number, maxSteps: number, progress: (share: number) => void) {
  const heldOut = recallBatch(new Random(0).stream('recall held out'));
  const random = new Random(seed).stream('recall');
  const steps = [0];
  const accuracy = [await learner.accuracy(heldOut)];
  let streak = 0;
  let learned = NaN;
  for (let step = 1; step <= maxSteps && Number.isNaN(learned); step++) {
    learner.step(recallBatch(random.stream(String(step))), step, RATE);
    if (step % EVERY > 0 && step < maxSteps) continue;
    const now = await learner.accuracy(heldOut);
    steps.push(step);
    accuracy.push(now);
    progress(step / maxSteps);
    streak = now >= GOOD ? streak + 1 : 0;
    if (streak === LOOKS) learned = step;
  }
  return { steps, accuracy, learned };
}
