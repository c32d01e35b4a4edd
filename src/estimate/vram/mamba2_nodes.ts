/** Finds the nodes of each Mamba-2 block in a graph by what they read and write, not by their labels or their order. */
import { GraphError, type Graph, type Node, type Tensor } from '../../engine/graph';
import { tensorOf } from './rules';

/**
 * The nodes of one block. `inProj` is PyTorch's own linear layer; the others are one fused function there, so what lies
 * between them has no memory of its own that autograd could see.
 */
export interface Mamba2Nodes {
  readonly inProj: Node;
  /** zxbcdt → z, xBC, Δ */
  readonly split: Node;
  readonly conv: Node;
  /** A = −exp(A_log) */
  readonly decay: Node;
  readonly scan: Node;
  readonly gate: Node;
  readonly norm: Node;
  readonly outProj: Node;
}

/**
 * The blocks of a forward graph, one for each `ssd_scan`. Throws GraphError, with the node and what is expected there, where
 * a block is built in another way than mamba_ssm's fused function: no rule says what PyTorch keeps of such a block.
 */
export function mamba2Blocks({ nodes }: Graph): Mamba2Nodes[] {
  const makers = new Map<number, Node>();
  const readers = new Map<number, Node[]>();
  for (const node of nodes) {
    for (const { id } of Object.values(node.outputs)) makers.set(id, node);
    for (const { id } of Object.values(node.inputs)) readers.set(id, [...(readers.get(id) ?? []), node]);
  }

  function makerOf(node: Node, input: string, op: string): Node {
    const tensor = tensorOf(node, 'inputs', input);
    const maker = makers.get(tensor.id);
    if (maker?.op.name === op) return maker;
    throw unlike(node, `must read ${input} from ${op}, and reads it from ${maker?.op.name ?? tensor.name}`);
  }

  function readerOf(node: Node, op: string): Node {
    const readersOf = readers.get(tensorOf(node, 'outputs', 'y').id) ?? [];
    const [reader] = readersOf;
    if (reader?.op.name === op && readersOf.length === 1) return reader;
    const names = readersOf.map((one) => one.op.name).join(' and ') || 'nothing';
    throw unlike(node, `must be read by ${op} alone, and is read by ${names}`);
  }

  function blockOf(scan: Node): Mamba2Nodes {
    const conv = makerOf(scan, 'xbc', 'causal_conv1d');
    const decay = makerOf(scan, 'A', 'negative_exp');
    const split = makerOf(scan, 'dt', 'split');
    const inProj = makerOf(split, 'x', 'linear');
    const gate = readerOf(scan, 'silu_gate');
    const norm = readerOf(gate, 'rms_norm');
    const outProj = readerOf(norm, 'linear');
    const [z, xbc, dt] = Object.values(split.outputs);
    for (const [node, input, piece] of [
      [gate, 'z', z],
      [conv, 'x', xbc],
      [scan, 'dt', dt],
    ] as const)
      if (tensorOf(node, 'inputs', input).id !== piece?.id)
        throw unlike(node, `must read ${input} as split leaves it`);
    const fused = [split, conv, decay, scan, gate, norm];
    const inside = new Set([...fused, outProj]);
    for (const node of fused) rejectOtherReaders(node, inside);
    return { inProj, split, conv, decay, scan, gate, norm, outProj };
  }

  function rejectOtherReaders(node: Node, inside: ReadonlySet<Node>): void {
    const read = Object.values(node.outputs).flatMap((output: Tensor) => readers.get(output.id) ?? []);
    const other = read.find((reader) => !inside.has(reader));
    if (other) throw unlike(node, `must be read inside the block alone, and is read by ${other.label}`);
  }

  return nodes.filter(({ op }) => op.name === 'ssd_scan').map(blockOf);
}

const unlike = (node: Node, sentence: string): GraphError =>
  new GraphError(
    `${node.label}: ${node.op.name} of Mamba-2 ${sentence}. No rule says what PyTorch's fused function would keep; add one to estimate/vram/mamba2.ts.`,
  );
