/**
 * Chooses among the variants of the hot kernels by timing them on the device, once per adapter, kind of shape and version of the
 * kernels. The choice is remembered, so a rebuilt or resumed program runs the same kernels and gives the same bits.
 */
import { several } from '../base/text';
import { EngineError, type Device } from './device';
import type { Graph, Node, Tensor } from './graph';
import type { Variant } from './ops/definition';
import { frozenChoice, type ChooseVariant } from './plan';
import { checkOnce, rightOnes, withoutWrong, type WrongKernel } from './self_check';
import { clockResolution, COARSEST_MS, lastingMs } from './timing';
import { Trial } from './trial';

/** Where choices are kept between programs; a Map in memory, or something that outlives the page. */
export interface TuneMemory {
  get(key: string): string | undefined;
  set(key: string, variant: string): unknown;
}

export interface TuneProgress {
  /** What is timed now. */
  readonly label: string;
  readonly done: number;
  readonly total: number;
  /** Undefined before the first is done. */
  readonly secondsLeft: number | undefined;
  /** How many of those that are done do not run here or compute something else than the default. */
  readonly rejected: number;
}

export interface TuneOptions {
  readonly onProgress?: (progress: TuneProgress) => void;
  /** Kernels that are not to be chosen. */
  readonly wrong?: readonly WrongKernel[];
  /** Once it is true, no more is timed: the rest takes the defaults, and is remembered so. */
  readonly skipped?: () => boolean;
  /** Once it is true, no more is timed: the rest takes the defaults for now, and is timed another time. */
  readonly stopped?: () => boolean;
}

export interface TuneResult {
  readonly choose: ChooseVariant;
  /** Milliseconds of each variant timed now, by key and variant's name. */
  readonly timings: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** How many variants were tried now. */
  readonly tried: number;
  /** The errors of those that this device rejected, or with which it computes something else; they are never chosen. */
  readonly rejected: readonly EngineError[];
  /** Why nothing was timed, or some kinds of kernels were not, if so. */
  readonly untimed: string | undefined;
}

/** Long enough for a clock that browsers round to 0.1 ms. */
const MINIMUM_MS = 10;

/** Shapes within a factor of four in every dimension share a choice. */
const bucket = (size: number): number => Math.round(Math.log2(size) / 2);

/**
 * Identifies adapter, op, attrs, storage and the rough shapes; exact where divisibility by four matters.
 * Exported for its tests.
 */
export const tuneKey = (device: Device, node: Node): string =>
  keyOf(device, node, (size) => `${bucket(size)}${size % 4 === 0 ? '' : 'o'}`);

/** The same for these shapes alone. */
const exactKey = (device: Device, node: Node): string => keyOf(device, node, (size) => `=${size}`);

function keyOf(device: Device, node: Node, written: (size: number) => string): string {
  const shapes = Object.entries(node.inputs).map(
    ([name, { shape }]) => `${name}:${shape.map(written).join('x')}`,
  );
  const halves = [...Object.entries(node.inputs), ...Object.entries(node.outputs)]
    .filter(([, { dtype }]) => dtype === 'f16')
    .map(([name]) => `${name}:f16`);
  return [
    device.adapterKey,
    // A device may have less than its adapter.
    device.limits.maxComputeWorkgroupStorageSize,
    device.capabilities.subgroups ? 'subgroups' : '',
    node.op.name,
    JSON.stringify(node.attrs),
    ...shapes,
    ...halves,
  ].join('|');
}

type Variants = readonly [Variant, ...Variant[]];

/** What is remembered of a node: of its kind of shape, or where that is none of its variants, of itself. */
function remembered(device: Device, memory: TuneMemory, node: Node, variants: Variants): Variant | undefined {
  const names = [memory.get(tuneKey(device, node)), memory.get(exactKey(device, node))];
  return names.map((name) => variants.find((variant) => variant.name === name)).find((found) => found);
}

/** The choice that is remembered for a device, and the defaults where none is: nothing is timed for it. */
export function storedChoice(device: Device, memory: TuneMemory): ChooseVariant {
  if (device.capabilities.software) return frozenChoice;
  return (node, variants) => remembered(device, memory, node, variants) ?? frozenChoice(node, variants);
}

/**
 * Times what `memory` does not know yet of the nodes of `graphs`, one program per variant, whose results must be those of the
 * default. Throws EngineError when the device fails or rejects every variant of a node, or all of a node's are `wrong`.
 */
export async function tune(
  device: Device,
  graphs: readonly Graph[],
  memory: TuneMemory,
  {
    onProgress = () => undefined,
    wrong = [],
    skipped = () => false,
    stopped = () => false,
  }: TuneOptions = {},
): Promise<TuneResult> {
  const timings = new Map<string, Map<string, number>>();
  const rejected: EngineError[] = [];
  const choose = withoutWrong(
    (node, variants) => remembered(device, memory, node, variants) ?? frozenChoice(node, variants),
    wrong,
  );
  const nodes = graphs
    .flatMap(({ nodes }) => nodes)
    .flatMap((node) => {
      const variants = variantsOf(device, node, wrong);
      return variants && variants.length > 1 ? [{ node, variants }] : [];
    });
  const isKnown = ({ node, variants }: (typeof nodes)[number]): boolean =>
    remembered(device, memory, node, variants) !== undefined;
  const first = new Map(
    nodes.filter((one) => !isKnown(one)).map(({ node, variants }) => [tuneKey(device, node), variants]),
  );
  let total = [...first.values()].reduce((sum, { length }) => sum + length, 0);
  if (total === 0) return { choose, timings, tried: 0, rejected, untimed: undefined };
  const resolution = await clockResolution(device);
  if (resolution > COARSEST_MS)
    return {
      choose,
      timings,
      tried: 0,
      rejected,
      untimed: `this device says only every ${resolution.toFixed(0)} ms whether the GPU is done, so kernels cannot be compared and the defaults are used`,
    };
  const minimum = lastingMs(resolution, MINIMUM_MS);
  const read = new Set(
    graphs.flatMap(({ nodes }) => nodes).flatMap(({ inputs }) => Object.values(inputs).map(({ id }) => id)),
  );
  for (const graph of graphs) for (const id of graph.gradientOf.keys()) read.add(id);
  const isRead = ({ id }: Tensor): boolean => read.has(id);
  let done = 0;
  /** Kinds of nodes whose variants are too short for the clock. */
  let untold = 0;
  const started = performance.now();
  for (const one of nodes) {
    if (stopped()) break;
    if (isKnown(one)) continue;
    const { node, variants } = one;
    const bucketKey = tuneKey(device, node);
    // Of another node of this kind of shape, whose winner is none of this one's variants.
    const key = memory.get(bucketKey) === undefined ? bucketKey : exactKey(device, node);
    if (timings.has(bucketKey)) total += variants.length;
    const times = new Map<string, number>();
    let last: EngineError | undefined;
    /** The first variant that computes right, where the clock cannot tell how long one takes. */
    let unmeasured: string | undefined;
    const trial = new Trial(device, node, isRead);
    for (const variant of skipped() ? [] : variants) {
      const secondsLeft =
        done > 0 ? ((performance.now() - started) / 1000 / done) * (total - done) : undefined;
      onProgress({
        label: `${node.op.name} ${variant.name}`,
        done,
        total,
        secondsLeft,
        rejected: rejected.length,
      });
      try {
        const ms = await trial.time(variant, minimum);
        if (ms === undefined) unmeasured = [...times.keys()][0] ?? variant.name;
        else times.set(variant.name, ms);
      } catch (error) {
        device.check();
        if (!(error instanceof EngineError)) throw error;
        rejected.push((last = error));
      }
      done++;
      if (unmeasured !== undefined || skipped() || stopped()) break;
    }
    const best = [...times].sort(([, a], [, b]) => a - b)[0];
    // Half a comparison says little.
    if (stopped() && times.size < variants.length) break;
    if (skipped()) memory.set(key, variants[0].name);
    else if (unmeasured !== undefined) {
      memory.set(key, unmeasured);
      untold++;
    } else if (!best) throw last ?? new EngineError('internal', node.label, 'no variant could be timed');
    else {
      memory.set(key, best[0]);
      timings.set(key, times);
    }
  }
  const untimed =
    untold > 0
      ? `for ${several(untold, 'kind')} of kernels the clock cannot tell how long they take, so the defaults are used there`
      : undefined;
  return { choose, timings, tried: done, rejected, untimed };
}

/** What a person should know of the variants that were rejected; undefined where none was. Exported for its tests. */
export function rejectedText({
  tried,
  rejected,
}: Pick<TuneResult, 'tried' | 'rejected'>): string | undefined {
  const [first] = rejected;
  return (
    first &&
    `${rejected.length} of ${several(tried, 'kernel')} that were tried compute something else than the default or do not run on this GPU, and are not used; the first: ${first.message}`
  );
}

/**
 * The choice of kernels for a run: of those that compute what float64 does, the fastest where there is a memory for it. On a
 * CPU-backed adapter the timing of dozens of variants takes longer than it saves, and the frozen ones, which the tests check there,
 * are those that suit it. `remark`: what a person should know of it. Throws EngineError where the GPU computes wrongly.
 */
export async function choiceFor(
  device: Device,
  graphs: readonly Graph[],
  memory: TuneMemory | Promise<TuneMemory> | undefined,
  options: TuneOptions,
): Promise<{ readonly choose: ChooseVariant; readonly remark: string | undefined }> {
  if (device.capabilities.software) return { choose: frozenChoice, remark: undefined };
  const { wrong, broken } = await checkOnce(device);
  if (broken.length > 0)
    throw new EngineError(
      'internal',
      'this GPU',
      `it computes ${broken.join(', ')} wrongly, by every kernel there is, so nothing was trained; update its driver, or try another browser`,
    );
  const avoided =
    wrong.length > 0
      ? `this GPU computes wrongly, or not at all, with ${wrong.map(({ op, variant }) => `${variant} of ${op}`).join(', ')}, so others are used`
      : undefined;
  if (!memory) return { choose: withoutWrong(frozenChoice, wrong), remark: avoided };
  const tuned = await tune(device, graphs, await memory, { ...options, wrong });
  const remark = [avoided, rejectedText(tuned), tuned.untimed]
    .filter((text) => text !== undefined)
    .join('; ');
  return { choose: tuned.choose, remark: remark || undefined };
}

function variantsOf(device: Device, node: Node, wrong: readonly WrongKernel[]): Variants | undefined {
  const nothing = (): never => {
    throw new EngineError('internal', node.label, 'a list of variants cannot ask for scratch memory');
  };
  const variants = node.op.variants?.(node, {
    ...device.capabilities,
    isUsed: () => true,
    scratch: nothing,
  });
  return variants && rightOnes(node, variants, wrong);
}
