/**
 * Mamba-2 as mamba_ssm runs it in training: in_proj, then `MambaSplitConv1dScanCombinedFn` (mamba_ssm/ops/triton/
 * ssd_combined.py, versions 2.0 to 2.2; it needs the package causal_conv1d), which convolves, scans, normalises and projects in one
 * autograd function. Its `save_for_backward` names zxbcdt, the convolution's weights, out_x, A, D, dt_bias, the norm's
 * weight, rstd and the projection's weight as autocast has cast it; x, B, C, the chunks' states and the norm's output are
 * computed again in the backward pass. Read in the source, not measured: the operator needs a GPU.
 */
import type { Node, Tensor } from '../../engine/graph';
import type { Recorder } from './recorder';
import { flipped, linear, tensorOf } from './rules';
import { BYTES, perWindow, type InputGradient, type Scratch, type Value } from './tape';

/** Mamba2's default `chunk_size`; shorter sequences are padded to whole chunks. */
const CHUNK = 256;
/**
 * In how many parts the backward kernels sum over a group's heads (`nsplits` in ssd_chunk_state.py and ssd_chunk_scan.py):
 * fewer for larger batches, four at a batch of 8 on the 108 multiprocessors of an A100.
 */
const SPLITS = 4;

/** `nodes`: one block, from in_proj to out_proj. Backward in time, production flips its input and its output. */
export function mamba2(recorder: Recorder, nodes: readonly Node[]): void {
  const [inProj, , conv, decay, scan, , norm, outProj] = nodes as readonly [
    Node,
    Node,
    Node,
    Node,
    Node,
    Node,
    Node,
    Node,
  ];
  const { reverse, groups, headdim, dState } = scan.attrs as {
    reverse: boolean;
    groups: number;
    headdim: number;
    dState: number;
  };
  const x = recorder.value(tensorOf(inProj, 'inputs', 'x'));
  const zxbcdt = linear(recorder, inProj, reverse ? flipped(recorder, x) : x);
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

  const target: Tensor = tensorOf(outProj, 'outputs', 'y');
  const y = recorder.output('mamba2', { size: recorder.sized(target.shape, dtype), dtype });
  const scanned = recorder.create('scan before its norm', half, dtype, 'activation', false);
  const rstd = recorder.create(
    '1/σ of the gated norm',
    perWindow(length * groups * BYTES.fp32),
    'fp32',
    'activation',
    false,
  );
  const lowered = { perWindow: 0, fixed: (projection.size.fixed / BYTES.fp32) * BYTES[dtype] };
  const cast =
    dtype === 'fp32'
      ? []
      : [recorder.create(`${projection.name} in ${dtype}`, lowered, dtype, 'cast', false)];
  recorder.emit('mamba_split_conv1d_scan_combined', {
    reads: [zxbcdt, ...small, projection],
    writes: [y, scanned, rstd, ...cast],
    saves: [zxbcdt, ...small, scanned, rstd, ...cast],
    scratch: [...shared, halves('output of the gated norm')],
    gradients: [zxbcdt, ...small, projection].map((of): InputGradient => ({
      of,
      memory: 'new',
      scratch: of === projection ? [{ name: 'gradient of out_proj', size: lowered, workspace: false }] : [],
    })),
    backwardScratch: [
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
  });
  recorder.is(target, reverse ? flipped(recorder, y) : y);
}
