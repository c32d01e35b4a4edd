/** From the detector's graph to PyTorch's tape. */
import { elements, Graph, type Node } from '../../engine/graph';
import { binaryLoss } from '../../engine/ops/binary_loss';
import { WINDOW } from '../../eeg/windows/windows';
import { convKernelOf } from '../../models/bimamba';
import { detectorModel, type DetectorConfig } from '../../models/detector';
import { mamba2Parameters } from '../../models/mamba2';
import { mamba2 } from './mamba2';
import { Recorder, type Framework } from './recorder';
import { DETECTOR_OPS, RULES, type DetectorOp } from './rules';
import { BYTES, fixed, type Tape, type Value } from './tape';

export interface TapeOptions extends Framework {
  readonly model: DetectorConfig;
  readonly loss: 'bce' | 'focal';
  /** Whether both mixers are in memory, though one of them idle: so it is wherever mamba_ssm is installed. */
  readonly bothMixers: boolean;
  /** Samples of a window. */
  readonly length?: number;
}

const MAMBA2_BLOCK = /^.*_mamba_real(?=\/)/;

/** The part of the model that a node belongs to, such as `encoder/encoder_blocks.0`. */
function layerOf({ label, op }: Node, next: Node | undefined): string {
  if (op.name === 'binary_loss') return 'loss';
  const [part = '', child = ''] = label.split('/');
  if (!isRuled(child)) return `${part}/${child}`;
  // What joins a decoder block's inputs belongs to the block.
  return op.name === 'concat' && next ? layerOf(next, undefined) : part;
}

const isRuled = (name: string): boolean => DETECTOR_OPS.some((op) => op === name);

/** `mamba.layers.0.layer_norm.weight` is of `mamba/layers.0`. */
const layerOfName = (name: string): string =>
  name.replace(/^(\w+)\.(\w+(?:\.\d+)?)\..*$/, (_, part: string, child: string) => `${part}/${child}`);

/** What PyTorch records of one window through the detector in training, and its loss. */
export function detectorTape(options: TapeOptions): Tape {
  const { model, bothMixers, length = WINDOW } = options;
  const graph = new Graph();
  const x = graph.input('EEG', [1, length, model.electrodes]);
  const detector = detectorModel(graph, x, model, { training: true });
  const { logits } = detector;
  const focal = options.loss === 'focal' ? { focal: { alpha: 0.5, gamma: 2 } } : {};
  binaryLoss(graph, logits, graph.input('labels', logits.shape), { posWeight: 1, ...focal });

  const recorder = new Recorder(options, graph);
  for (let i = 0; i < graph.nodes.length; i++) {
    const node = graph.nodes[i] as Node;
    recorder.at(node.label, layerOf(node, graph.nodes[i + 1]));
    const block = MAMBA2_BLOCK.exec(node.label)?.[0];
    if (block === undefined) {
      ruleOf(node)(recorder, node);
      continue;
    }
    const count = graph.nodes.slice(i).findIndex(({ label }) => !label.startsWith(`${block}/`));
    mamba2(recorder, graph.nodes.slice(i, i + count));
    i += count - 1;
  }

  const idle: Value[] = [];
  const keep = (name: string, count: number): void => {
    recorder.at(name, layerOfName(name));
    idle.push(recorder.create(name, fixed(count * BYTES.fp32), 'fp32', 'parameter', false));
  };
  for (const { name, shape } of graph.buffers) keep(name, elements(shape));
  if (bothMixers) {
    for (const { parameter } of detector.idle) keep(parameter.name, elements(parameter.shape));
    if (model.mixer === 'conv') keepMamba2(model, keep);
  }
  return {
    ops: recorder.ops,
    inputs: recorder.inputs,
    parameters: recorder.parameters,
    idle,
    logits: recorder.value(logits),
  };
}

function ruleOf(node: Node) {
  const rule = (RULES as Readonly<Record<string, (typeof RULES)[DetectorOp] | undefined>>)[node.op.name];
  if (rule === undefined || rule === 'fused')
    throw new RangeError(
      `${node.label}: no rule says what PyTorch keeps of ${node.op.name} outside of Mamba-2`,
    );
  return rule;
}

function keepMamba2(model: DetectorConfig, keep: (name: string, count: number) => void): void {
  const { dState, expand, headdim, convKernel } = model;
  const dModel = model.baseChannels * 2 ** (model.depth - 1);
  const shapes = mamba2Parameters({
    dModel,
    dState,
    expand,
    headdim,
    groups: 1,
    dConv: convKernelOf(convKernel),
  });
  for (let layer = 0; layer < model.layers; layer++)
    for (const direction of ['forward', 'backward'])
      for (const [name, { shape }] of Object.entries(shapes))
        keep(`mamba.layers.${layer}.${direction}_mamba_real.${name}`, elements(shape));
}
