/**
 * From a graph to dispatches and buffers, before anything is allocated: which tensor lies where, and how many bytes
 * the device will be asked for. Tensors whose lifetimes do not overlap share a whole buffer (WebGPU forbids reading and
 * writing one buffer in a dispatch, so cutting one arena into slices would not do).
 */
import {
  bytesOf,
  describeNode,
  GraphError,
  type Graph,
  type Node,
  type Pack,
  type PackName,
  type Slice,
  type Tensor,
} from './graph';
import { packTogether } from './ops/conv1d_weights';
import type { AnyOp, Cost, Dispatch, Lowering, Variant } from './ops/definition';
import { packLayout, type PackLayout } from './packs';
import { STEP_BYTES } from './step';

export type Capabilities = Omit<Lowering, 'scratch' | 'isUsed'>;

/** Picks a variant of a node's kernels; the frozen choice is the op's first. */
export type ChooseVariant = (node: Node, variants: readonly [Variant, ...Variant[]]) => Variant;

/** Chooses the first variant, the op's frozen default. */
export const frozenChoice: ChooseVariant = (_, [first]) => first;

export type BufferRole = 'values' | 'input' | 'constant' | 'step' | 'staging';

export interface PlannedBuffer {
  readonly role: BufferRole;
  readonly bytes: number;
  /** The tensors that live in it, one after another. */
  readonly tensors: readonly Tensor[];
}

/** Where a tensor's bytes are: in one of the plan's buffers, or in a packed buffer of the parameters. */
export type Placement =
  | { readonly in: 'buffer'; readonly buffer: PlannedBuffer; readonly offsetBytes: number }
  | { readonly in: 'pack'; readonly pack: PackName | 'buffer'; readonly offsetBytes: number };

type LoweredDispatch = Omit<PlannedDispatch, 'sizesAt'>;

export interface PlannedDispatch extends Dispatch {
  readonly node: Node;
  /** Op and shapes, for messages. */
  readonly where: string;
  /** Where in `Plan.uniforms` its sizes lie, in bytes. */
  readonly sizesAt: number;
}

export interface Plan {
  readonly dispatches: readonly PlannedDispatch[];
  readonly buffers: readonly PlannedBuffer[];
  readonly placements: ReadonlyMap<number, Placement>;
  /** Bytes of all buffers above; the packed parameters come on top (`Parameters.bytes`). */
  readonly bytes: number;
  /** What the values would take without sharing buffers. */
  readonly unsharedBytes: number;
  readonly cost: Cost;
  /** What the buffer of role 'step' holds: first the step's scalars, which each run writes, then the dispatches' sizes. */
  readonly uniforms: Uint32Array<ArrayBuffer>;
}

export interface PlanOptions {
  /** Tensors that the host reads after a run. */
  readonly outputs: readonly Tensor[];
  readonly choose?: ChooseVariant;
}

/** Buffers that wait for the host at the same time; see Program.read. */
export const STAGING_SLOTS = 2;

/** WebGPU's default of minUniformBufferOffsetAlignment, and the maximum that a device may ask for. */
const UNIFORM_ALIGNMENT = 256;

const align = (bytes: number): number => Math.ceil(bytes / 16) * 16;

/**
 * Lowers the nodes that `outputs` and updates depend on, and gives every tensor its place. Allocates nothing. Throws GraphError
 * for what the device of these capabilities cannot run.
 */
export function planProgram(graph: Graph, capabilities: Capabilities, options: PlanOptions): Plan {
  const nodes = neededNodes(graph, options.outputs);
  const layout = packLayout(graph.parameters);
  const { lowered, slices: packed } = lower(graph, nodes, layout, capabilities, options);
  const slices = new Map<number, Slice>([...graph.views, ...packed]);
  const { dispatches, uniforms } = withSizes(lowered);
  /** The tensor that a tensor lies in. */
  const wholeOf = (tensor: Tensor): Tensor => slices.get(tensor.id)?.whole ?? tensor;
  const layouts = { parameter: layout, buffer: packLayout(graph.buffers) };
  const placements = new Map<number, Placement>();
  const buffers: PlannedBuffer[] = [];
  const place = (buffer: PlannedBuffer): void => {
    buffers.push(buffer);
    for (const tensor of buffer.tensors) placements.set(tensor.id, { in: 'buffer', buffer, offsetBytes: 0 });
  };

  const inPack = (tensor: Tensor, pack: PackName | 'buffer', name: string): void => {
    const kind = pack === 'buffer' ? 'buffer' : 'parameter';
    const slice = layouts[kind].slices.get(name);
    if (!slice) throw new GraphError(`${name} is not a ${kind} of the graph`);
    placements.set(tensor.id, { in: 'pack', pack, offsetBytes: slice.offset * 4 });
  };

  const used = new Set(dispatches.flatMap(({ bindings }) => bindings.map(({ tensor }) => wholeOf(tensor))));
  for (const tensor of options.outputs) used.add(wholeOf(tensor));
  const values: Tensor[] = [];
  for (const tensor of used) {
    const gradientOf = graph.gradientOf.get(tensor.id);
    if (tensor.role === 'parameter')
      inPack(tensor, 'value', (graph.stacks.get(tensor.id)?.parts[0] ?? tensor).name);
    else if (tensor.role === 'buffer') inPack(tensor, 'buffer', tensor.name);
    else if (gradientOf) inPack(tensor, 'gradient', gradientOf.name);
    else if (tensor.role === 'pack')
      placements.set(tensor.id, { in: 'pack', pack: (tensor as Pack).pack, offsetBytes: 0 });
    else if (tensor.role === 'value') values.push(tensor);
    else place({ role: tensor.role, bytes: align(bytesOf(tensor)), tensors: [tensor] });
  }
  // Inputs that no kernel reads can still be written by the host.
  for (const input of graph.inputs)
    if (!used.has(input)) place({ role: 'input', bytes: align(bytesOf(input)), tensors: [input] });

  for (const buffer of share(values, lifetimes(dispatches, options.outputs, wholeOf))) place(buffer);
  for (const [id, { whole, offset }] of slices) {
    const placement = placements.get(whole.id);
    if (placement) placements.set(id, { ...placement, offsetBytes: placement.offsetBytes + 4 * offset });
  }
  place({ role: 'step', bytes: uniforms.byteLength, tensors: [] });
  const staging = options.outputs.reduce((sum, tensor) => sum + align(bytesOf(tensor)), 0);
  if (staging > 0)
    for (let slot = 0; slot < STAGING_SLOTS; slot++) place({ role: 'staging', bytes: staging, tensors: [] });

  const cost = { flops: 0, bytes: 0 };
  for (const node of nodes) {
    const { flops, bytes } = node.op.cost(node);
    cost.flops += flops;
    cost.bytes += bytes;
  }
  return {
    dispatches,
    buffers,
    placements,
    bytes: buffers.reduce((sum, buffer) => sum + buffer.bytes, 0),
    unsharedBytes: values.reduce((sum, tensor) => sum + align(bytesOf(tensor)), 0),
    cost,
    uniforms,
  };
}

/** Gives equal sizes one place in the uniforms. */
function withSizes(lowered: readonly LoweredDispatch[]): Pick<Plan, 'dispatches' | 'uniforms'> {
  const places = new Map<string, number>();
  const values: number[] = new Array<number>(STEP_BYTES / 4).fill(0);
  const dispatches = lowered.map((dispatch) => {
    const key = dispatch.sizes.join();
    let sizesAt = places.get(key);
    if (sizesAt === undefined && key !== '') {
      while ((4 * values.length) % UNIFORM_ALIGNMENT !== 0) values.push(0);
      places.set(key, (sizesAt = 4 * values.length));
      values.push(...dispatch.sizes);
    }
    return { ...dispatch, sizesAt: sizesAt ?? 0 };
  });
  while (values.length % 4 !== 0) values.push(0);
  return { dispatches, uniforms: Uint32Array.from(values) };
}

/** The nodes that outputs and updates depend on, in order. */
function neededNodes(graph: Graph, outputs: readonly Tensor[]): Node[] {
  const needed = new Set(outputs.map(({ id }) => graph.views.get(id)?.whole.id ?? id));
  const kept: Node[] = [];
  for (const node of [...graph.nodes].reverse()) {
    const produces = Object.values(node.outputs);
    const mutates = node.op.mutates?.some((name) => node.inputs[name]) ?? false;
    if (!mutates && !produces.some((tensor) => needed.has(tensor.id))) continue;
    kept.push(node);
    for (const tensor of Object.values(node.inputs)) {
      needed.add(tensor.id);
      if (tensor.role === 'pack' && (tensor as Pack).pack === 'gradient')
        for (const id of graph.gradientOf.keys()) needed.add(id);
    }
  }
  return kept.reverse();
}

const scratchNamed =
  (prefix: string, nextId: () => number): Lowering['scratch'] =>
  (name, shape) => ({ id: nextId(), name: prefix + name, shape, dtype: 'f32', role: 'value' });

/** A node's dispatches. Throws GraphError when the device cannot bind them. */
export function lowerNode(
  node: Node,
  capabilities: Capabilities,
  options: {
    readonly isUsed: (tensor: Tensor) => boolean;
    readonly variant: Variant | undefined;
    readonly nextId: () => number;
  },
): LoweredDispatch[] {
  const where = describeNode(node);
  const lowering: Lowering = {
    ...capabilities,
    isUsed: options.isUsed,
    scratch: scratchNamed(`${node.label}.`, options.nextId),
  };
  const op: AnyOp = node.op;
  const dispatches = op
    .kernels(node, lowering, options.variant)
    .map((dispatch) => ({ ...dispatch, node, where }));
  const limit = capabilities.limits;
  for (const { bindings } of dispatches) {
    if (bindings.length > limit.maxStorageBuffersPerShaderStage)
      throw new GraphError(
        `${where} binds ${bindings.length} buffers, this device allows ${limit.maxStorageBuffersPerShaderStage}`,
      );
    for (const { tensor } of bindings) {
      if (tensor.dtype === 'f16' && !capabilities.half)
        throw new GraphError(
          `${where}: ${tensor.name} is stored in float16, and this device has no shader-f16`,
        );
      if (bytesOf(tensor) > limit.maxStorageBufferBindingSize)
        throw new GraphError(
          `${where}: ${tensor.name} takes ${bytesOf(tensor)} bytes, this device binds at most ${limit.maxStorageBufferBindingSize}`,
        );
    }
  }
  return dispatches;
}

function lower(
  graph: Graph,
  nodes: readonly Node[],
  layout: PackLayout,
  capabilities: Capabilities,
  options: PlanOptions,
): { readonly lowered: readonly LoweredDispatch[]; readonly slices: ReadonlyMap<number, Slice> } {
  const read = new Set(options.outputs.map(({ id }) => graph.views.get(id)?.whole.id ?? id));
  for (const node of nodes) for (const tensor of Object.values(node.inputs)) read.add(tensor.id);
  for (const id of graph.gradientOf.keys()) read.add(id);
  const choose = options.choose ?? frozenChoice;
  // Scratch tensors belong to this plan alone; negative numbers keep them apart from the graph's.
  let id = 0;
  const nextId = (): number => --id;
  const dispatches: LoweredDispatch[] = [];
  for (const node of nodes) {
    const variants = node.op.variants?.(node, {
      ...capabilities,
      isUsed: (tensor) => read.has(tensor.id),
      scratch: rejectScratch,
    });
    dispatches.push(
      ...lowerNode(node, capabilities, {
        isUsed: (tensor) => read.has(tensor.id),
        variant: variants && choose(node, variants),
        nextId,
      }),
    );
  }
  // An optimizer binds all parameters at once anyway; where a device cannot, a model still runs.
  if (4 * layout.length > capabilities.limits.maxStorageBufferBindingSize)
    return { lowered: dispatches, slices: new Map() };
  const { software } = capabilities;
  const packed = packTogether(dispatches, layout, { software, scratch: scratchNamed('', nextId) });
  return { lowered: packed.dispatches, slices: packed.slices };
}

const rejectScratch = (): never => {
  throw new GraphError('a list of variants cannot ask for scratch memory');
};

interface Lifetime {
  readonly first: number;
  last: number;
}

/** First and last dispatch that touches each value; an output lives to the end. */
function lifetimes(
  dispatches: readonly Dispatch[],
  outputs: readonly Tensor[],
  wholeOf: (tensor: Tensor) => Tensor,
): ReadonlyMap<number, Lifetime> {
  const known = new Map<number, Lifetime>();
  dispatches.forEach(({ bindings }, index) => {
    for (const { tensor } of bindings) {
      const { id } = wholeOf(tensor);
      const lifetime = known.get(id);
      if (lifetime) lifetime.last = index;
      else known.set(id, { first: index, last: index });
    }
  });
  for (const tensor of outputs) {
    const lifetime = known.get(wholeOf(tensor).id);
    if (lifetime) lifetime.last = dispatches.length;
  }
  return known;
}

/**
 * Largest tensor first, each into the smallest buffer that is free throughout its life, else into a new one
 * ("greedy by size", Pisarchyk & Lee 2020, arXiv:2001.03288).
 */
function share(values: readonly Tensor[], lives: ReadonlyMap<number, Lifetime>): PlannedBuffer[] {
  const life = (tensor: Tensor): Lifetime => {
    const known = lives.get(tensor.id);
    if (!known) throw new GraphError(`${tensor.name} is wanted as an output, but no kernel writes it`);
    return known;
  };
  const order = [...values].sort(
    (a, b) => bytesOf(b) - bytesOf(a) || life(a).first - life(b).first || a.id - b.id,
  );
  const buffers: { bytes: number; tensors: Tensor[] }[] = [];
  for (const tensor of order) {
    const { first, last } = life(tensor);
    const free = buffers.filter((buffer) =>
      buffer.tensors.every((other) => life(other).last < first || last < life(other).first),
    );
    // Sizes only fall, so the last free buffer is the smallest.
    const best = free.at(-1);
    if (best) best.tensors.push(tensor);
    else buffers.push({ bytes: align(bytesOf(tensor)), tensors: [tensor] });
  }
  return buffers.map((buffer) => ({ role: 'values', ...buffer }));
}
