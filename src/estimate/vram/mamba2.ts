/**
 * Mamba-2 as mamba_ssm runs it in training: in_proj, then `MambaSplitConv1dScanCombinedFn` (mamba_ssm/ops/triton/
 * ssd_combined.py, versions 2.0 to 2.2; it needs the package causal_conv1d), which convolves, scans, normalises and projects in one
 * autograd function. Its `save_for_backward` names zxbcdt, the convolution's weights, out_x, A, D, dt_bias, the norm's
 * weight, rstd and the projection's weight as autocast has cast it; x, B, C, the chunks' states and the norm's output are
 * computed again in the backward pass. Read in the source, not measured: the operator needs a GPU.
 */
import type { Node } from '../../engine/graph';
import type { SsdAttrs } from '../../engine/ops/ssd_scan_shared';
import type { Mamba2Nodes } from './mamba2_nodes';
import type { Recorder } from './recorder';
import { flipped, linear, tensorOf, type Rule } from './rules';
import { BYTES, fixed, perWindow, type Float, type InputGradient, type Scratch, type Value } from './tape';

/** Mamba2's default `chunk_size`; shorter sequences are padded to whole chunks. */
const CHUNK = 256;
/**
 * In how many parts the backward kernels sum over a group's heads (`nsplits` in ssd_chunk_state.py and ssd_chunk_scan.py):
 * fewer for larger batches, four at a batch of 8 on the 108 multiprocessors of an A100.
 */
const SPLITS = 4;

/** Where the graph's nodes of a block become PyTorch's operations; the other nodes of the block are inside of `fused`. */
export function mamba2Rules(blocks: readonly Mamba2Nodes[]): ReadonlyMap<Node, Rule> {
  const inside: Rule = () => undefined;
  return new Map(
    blocks.flatMap((block) => [
      [block.inProj, (recorder: Recorder) => projectIn(recorder, block)] as const,
      ...[block.split, block.conv, block.decay, block.scan, block.gate, block.norm].map(
        (node) => [node, inside] as const,
      ),
      [block.outProj, (recorder: Recorder) => fused(recorder, block)] as const,
    ]),
  );
}

const attrsOf = ({ attrs }: Node): SsdAttrs => attrs as SsdAttrs;

/** x → zxbcdt. Backward in time, the trainer flips the block's input and its output. */
function projectIn(recorder: Recorder, { inProj, scan }: Mamba2Nodes): void {
  const x = recorder.value(tensorOf(inProj, 'inputs', 'x'));
  const given = attrsOf(scan).reverse ? flipped(recorder, x) : x;
  recorder.is(tensorOf(inProj, 'outputs', 'y'), linear(recorder, inProj, given));
}

/** zxbcdt → y, `MambaSplitConv1dScanCombinedFn`. */
function fused(recorder: Recorder, block: Mamba2Nodes): void {
  const { inProj, conv, decay, scan, norm, outProj } = block;
  const zxbcdt = recorder.value(tensorOf(inProj, 'outputs', 'y'));
  const weight = (node: Node, name: string): Value => recorder.value(tensorOf(node, 'inputs', name));
  const small = [
    weight(conv, 'weight'),
    weight(conv, 'bias'),
    weight(decay, 'x'),
    weight(scan, 'D'),
    weight(scan, 'dt_bias'),
    weight(norm, 'weight'),
  ];
  const projection = weight(outProj, 'weight');
  const { dtype } = zxbcdt;
  const memory = fusedMemory(recorder, scan, dtype);
  const { half, rstd: rstdSize } = memory;
  const target = tensorOf(outProj, 'outputs', 'y');
  const y = recorder.output('mamba2', { size: recorder.sized(target.shape, dtype), dtype });
  const scanned = recorder.create('scan before its norm', half, dtype, 'activation', false);
  const rstd = recorder.create('1/σ of the gated norm', rstdSize, 'fp32', 'activation', false);
  const lowered = fixed((projection.size.fixed / BYTES.fp32) * BYTES[dtype]);
  const cast =
    dtype === 'fp32'
      ? []
      : [recorder.create(`${projection.name} in ${dtype}`, lowered, dtype, 'cast', false)];
  recorder.emit('mamba_split_conv1d_scan_combined', {
    reads: [zxbcdt, ...small, projection],
    writes: [y, scanned, rstd, ...cast],
    saves: [zxbcdt, ...small, scanned, rstd, ...cast],
    scratch: memory.forward,
    gradients: [zxbcdt, ...small, projection].map((of): InputGradient => ({
      of,
      memory: 'new',
      scratch: of === projection ? [{ name: 'gradient of out_proj', size: lowered, workspace: false }] : [],
    })),
    backwardScratch: memory.backward,
    libraries: ['cublas', 'triton'],
  });
  recorder.is(target, attrsOf(scan).reverse ? flipped(recorder, y) : y);
}

/** Bytes of what the fused function allocates around its output: [b, l, channels] in its precision is `half`. */
function fusedMemory(recorder: Recorder, scan: Node, dtype: Float) {
  const { groups, headdim, dState } = attrsOf(scan);
  const inner = tensorOf(scan, 'outputs', 'y');
  const [, length, channels] = inner.shape as readonly [number, number, number];
  const half = recorder.sized(inner.shape, dtype);
  const mixed = recorder.sized(tensorOf(scan, 'inputs', 'xbc').shape, dtype);
  const heads = channels / headdim;
  const chunks = Math.ceil(length / CHUNK);
  const scratch = (name: string, bytes: number): Scratch => ({
    name,
    size: perWindow(bytes),
    workspace: false,
  });
  const halves = (name: string): Scratch => ({ name, size: half, workspace: false });
  const steps = heads * chunks * CHUNK * BYTES.fp32;
  const states = chunks * heads * headdim * dState;
  const squares = chunks * groups * CHUNK * CHUNK * BYTES.fp32;
  const convolved: Scratch = { name: 'x, B and C after the convolution', size: mixed, workspace: false };
  const shared = [
    convolved,
    scratch('Δ of the chunks', steps),
    scratch('cumulated ΔA', steps),
    scratch('states of the chunks', states * (BYTES.fp32 + BYTES[dtype])),
    scratch('C Bᵀ of the chunks', squares),
  ];
  return {
    half,
    rstd: perWindow(length * groups * BYTES.fp32),
    forward: [...shared, halves('output of the gated norm')],
    backward: [
      ...shared,
      halves('output of the gated norm, again'),
      halves('gradient of the gated norm’s output'),
      halves('gradient of the scan'),
      { name: 'gradient of x, B and C', size: mixed, workspace: false },
      scratch('gradients of the states', 2 * states * BYTES.fp32),
      scratch('gradients of B and C', 2 * SPLITS * length * groups * dState * BYTES.fp32),
      scratch('gradient of C Bᵀ', (SPLITS + 1) * squares),
      scratch('gradients of Δ', 6 * steps),
    ],
  };
}
