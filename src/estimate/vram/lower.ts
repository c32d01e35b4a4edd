/** From the detector's graph to PyTorch's tape. */
import { elements, Graph, GraphError, type Node, type Shape } from '../../engine/graph';
import { binaryLoss } from '../../engine/ops/binary_loss';
import { WINDOW } from '../../eeg/windows/windows';
import { detectorModel, type DetectorConfig } from '../../models/detector';
import { mamba2Rules } from './mamba2';
import { mamba2Blocks } from './mamba2_nodes';
import { Recorder, type Framework } from './recorder';
import { RULES, type Rule } from './rules';
import { BYTES, fixed, type Tape, type Value } from './tape';

export interface TapeOptions extends Framework {
  readonly model: DetectorConfig;
  readonly loss: 'bce' | 'focal';
  /** Whether both mixers are in memory, though one of them is unused: so it is wherever mamba_ssm is installed. */
  readonly bothMixers: boolean;
  /** Samples of a window. */
  readonly length?: number;
}

/** What PyTorch records of one window through the detector in training, and its loss. Throws GraphError as `lowerGraph`. */
export function detectorTape(options: TapeOptions): Tape {
  const { model, bothMixers, length = WINDOW } = options;
  const graph = new Graph();
  const detector = detectorOn(graph, model, length);
  const focal = options.loss === 'focal' ? { focal: { alpha: 0.5, gamma: 2 } } : {};
  const labels = graph.input('labels', detector.logits.shape);
  const loss = binaryLoss(graph, detector.logits, labels, { posWeight: 1, ...focal });

  const recorder = lowerGraph(graph, options);
  const unused: Value[] = [];
  const keep = (name: string, shape: Shape, more: Pick<Value, 'package'> = {}): void => {
    recorder.at(name, layerOfName(name));
    const size = fixed(elements(shape) * BYTES.fp32);
    unused.push({ ...recorder.create(name, size, 'fp32', 'parameter', false), ...more });
  };
  for (const { name, shape } of graph.buffers) keep(name, shape);
  if (bothMixers) {
    for (const { parameter } of detector.unused) keep(parameter.name, parameter.shape);
    if (model.mixer === 'conv')
      for (const { name, shape } of parametersBeside(graph, { ...model, mixer: 'mamba2' }, length))
        keep(name, shape, { package: 'mamba_ssm' });
  }
  return {
    ops: recorder.ops,
    inputs: recorder.inputs,
    parameters: recorder.parameters,
    unused,
    logits: recorder.value(detector.logits),
    loss: recorder.value(loss),
  };
}

/**
 * Records what PyTorch does for every node of a forward graph. Throws GraphError, with the node's label, for a node that no
 * rule is written for, for a Mamba-2 block that is built otherwise than mamba_ssm's, and for a parameter that no rule reads.
 */
export function lowerGraph(graph: Graph, framework: Framework): Recorder {
  const recorder = new Recorder(framework, graph);
  const ofBlocks = mamba2Rules(mamba2Blocks(graph));
  for (const node of graph.nodes) {
    recorder.at(node.label, layerOf(node, graph));
    (ofBlocks.get(node) ?? ruleOf(node))(recorder, node);
  }
  const unread = graph.parameters.find((parameter) => !recorder.knows(parameter));
  if (unread) throw new GraphError(`no rule says what PyTorch does with the parameter ${unread.name}`);
  return recorder;
}

function ruleOf(node: Node): Rule {
  const rule = RULES[node.op.name];
  if (!rule) throw new GraphError(`${node.label}: no rule says what PyTorch keeps of ${node.op.name}`);
  return rule;
}

/** The part of the model that a node belongs to, such as `encoder/encoder_blocks.0`. */
function layerOf({ label, op, outputs }: Node, graph: Graph): string {
  if (op.name === 'binary_loss') return 'loss';
  const scope = label.split('/').slice(0, -1);
  if (scope.length < 2 && op.name === 'concat') {
    // What joins a decoder block's inputs belongs to the block.
    const reader = graph.nodes.find(({ inputs }) =>
      Object.values(inputs).some(({ id }) => id === outputs.y?.id),
    );
    if (reader) return layerOf(reader, graph);
  }
  return scope.slice(0, 2).join('/');
}

/** `mamba.layers.0.layer_norm.weight` is of `mamba/layers.0`. */
const layerOfName = (name: string): string =>
  name.replace(/^(\w+)\.(\w+(?:\.\d+)?)\..*$/, (_, part: string, child: string) => `${part}/${child}`);

const detectorOn = (graph: Graph, model: DetectorConfig, length: number) =>
  detectorModel(graph, graph.input('EEG', [1, length, model.electrodes]), model, {
    training: true,
    apart: true,
  });

/** Parameters of another model that `graph` does not have. */
function parametersBeside(graph: Graph, model: DetectorConfig, length: number) {
  const names = new Set(graph.parameters.map(({ name }) => name));
  const other = new Graph();
  detectorOn(other, model, length);
  return other.parameters.filter(({ name }) => !names.has(name));
}
