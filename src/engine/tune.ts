/**
 * Chooses among the variants of the hot kernels by timing them on the device, once per adapter and kind of shape.
 * The choice is remembered, so a rebuilt or resumed program runs the same kernels and gives the same bits.
 */
import { adapterKey } from './adapter';
import { EngineError, type Device } from './device';
import { Graph, type Node, type Tensor } from './graph';
import type { Variant } from './ops/definition';
import { frozenChoice, lowerNode, type ChooseVariant } from './plan';
import { Program } from './program';
import { timeRuns } from './timing';

/** Where choices are kept between programs; a Map in memory, or something that outlives the page. */
export interface TuneMemory {
  get(key: string): string | undefined;
  set(key: string, variant: string): unknown;
}

export interface TuneResult {
  readonly choose: ChooseVariant;
  /** Milliseconds of each variant timed now, by key and variant's name. */
  readonly timings: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** The errors of variants that this device rejected; they are never chosen. */
  readonly rejected: readonly EngineError[];
}

/** Long enough for a clock that browsers round to 0.1 ms. */
const MINIMUM_MS = 10;

/** Shapes within a factor of four in every dimension share a choice. */
const bucket = (size: number): number => Math.round(Math.log2(size) / 2);

/** Identifies adapter, op, attrs, storage and the rough shapes; exact where divisibility by four matters. */
export function tuneKey(device: Device, node: Node): string {
  const shapes = Object.entries(node.inputs).map(
    ([name, { shape }]) =>
      `${name}:${shape.map((size) => `${bucket(size)}${size % 4 === 0 ? '' : 'o'}`).join('x')}`,
  );
  const halves = [...Object.entries(node.inputs), ...Object.entries(node.outputs)]
    .filter(([, { dtype }]) => dtype === 'f16')
    .map(([name]) => `${name}:f16`);
  const subgroups = device.capabilities.subgroups ? 'subgroups' : '';
  return [
    adapterKey(device.adapter, device.limits),
    subgroups,
    node.op.name,
    JSON.stringify(node.attrs),
    ...shapes,
    ...halves,
  ].join('|');
}

/**
 * Times what `memory` does not know yet of the nodes of `graph`, one program per variant.
 * `onProgress` is called with what is being timed. Throws EngineError when the device fails or rejects every variant of a node.
 */
export async function tune(
  device: Device,
  graph: Graph,
  memory: TuneMemory,
  onProgress: (label: string, done: number, total: number) => void = () => undefined,
): Promise<TuneResult> {
  const work = new Map<string, { node: Node; variants: readonly Variant[] }>();
  for (const node of graph.nodes) {
    const variants = variantsOf(device, node);
    if (!variants || variants.length < 2) continue;
    const key = tuneKey(device, node);
    const known = memory.get(key);
    if (!work.has(key) && !variants.some(({ name }) => name === known)) work.set(key, { node, variants });
  }
  const total = [...work.values()].reduce((sum, { variants }) => sum + variants.length, 0);
  const timings = new Map<string, Map<string, number>>();
  const rejected: EngineError[] = [];
  const read = new Set(graph.nodes.flatMap((node) => Object.values(node.inputs).map(({ id }) => id)));
  for (const id of graph.gradientOf.keys()) read.add(id);
  let done = 0;
  for (const [key, { node, variants }] of work) {
    const times = new Map<string, number>();
    let last: EngineError | undefined;
    for (const variant of variants) {
      onProgress(`${node.op.name} ${variant.name}`, done++, total);
      try {
        times.set(variant.name, await timeVariant(device, node, variant, (tensor) => read.has(tensor.id)));
      } catch (error) {
        device.check();
        if (!(error instanceof EngineError)) throw error;
        rejected.push((last = error));
      }
    }
    const best = [...times].sort(([, a], [, b]) => a - b)[0];
    if (!best) throw last ?? new EngineError('internal', node.label, 'no variant could be timed');
    memory.set(key, best[0]);
    timings.set(key, times);
  }
  const choose: ChooseVariant = (node, variants) => {
    const name = memory.get(tuneKey(device, node));
    return variants.find((variant) => variant.name === name) ?? frozenChoice(node, variants);
  };
  return { choose, timings, rejected };
}

/**
 * The choice of kernels for a run: tuned where there is a memory for it. On a CPU-backed adapter the timing of dozens of
 * variants takes longer than it saves, and the frozen ones are those that suit it.
 */
export async function choiceFor(
  device: Device,
  graph: Graph,
  memory: TuneMemory | Promise<TuneMemory> | undefined,
  onProgress: (label: string, done: number, total: number) => void,
): Promise<ChooseVariant> {
  if (!memory || device.capabilities.software) return frozenChoice;
  return (await tune(device, graph, await memory, onProgress)).choose;
}

function variantsOf(device: Device, node: Node): readonly Variant[] | undefined {
  const nothing = (): never => {
    throw new EngineError('internal', node.label, 'a list of variants cannot ask for scratch memory');
  };
  return node.op.variants?.(node, { ...device.capabilities, isUsed: () => true, scratch: nothing });
}

/** Milliseconds of one run of the node alone, on zeros. */
async function timeVariant(
  device: Device,
  node: Node,
  variant: Variant,
  isUsed: (tensor: Tensor) => boolean,
): Promise<number> {
  const alone = new Graph();
  const inputs = Object.fromEntries(
    Object.entries(node.inputs).map(([name, { shape, dtype }]) => [name, alone.input(name, shape, dtype)]),
  );
  const outputs = alone.apply(node.op, inputs, node.attrs);
  for (const [name, tensor] of Object.entries(outputs))
    if (node.outputs[name]?.dtype === 'f16') alone.storeHalf(tensor);
  const written = new Set(
    lowerNode(alone.nodes[0] as Node, device.capabilities, {
      isUsed: () => true,
      variant,
      nextId: counter(),
    }).flatMap(({ bindings }) =>
      bindings.filter(({ access }) => access !== 'read').map(({ tensor }) => tensor.id),
    ),
  );
  const all = Object.entries(outputs).filter(([, tensor]) => written.has(tensor.id));
  const used = all.filter(([name]) => isUsed(node.outputs[name] as Tensor));
  // What no node reads is what the host reads: a model's last op is timed with all it writes.
  const kept = (used.length > 0 ? used : all).map(([, tensor]) => tensor);
  const program = await Program.compile(device, alone, { outputs: kept, choose: () => variant });
  try {
    return await timeRuns(device, program.commands, MINIMUM_MS);
  } finally {
    program.destroy();
  }
}

function counter(): () => number {
  let id = 0;
  return () => --id;
}
