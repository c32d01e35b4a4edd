/** How each op and model of the golden format becomes a graph of the engine. A new one is a line in this table. */
import { batchNorm } from '../../../src/engine/ops/batch_norm';
import { binaryLoss } from '../../../src/engine/ops/binary_loss';
import { causalConv1d } from '../../../src/engine/ops/causal_conv1d';
import { concatChannels } from '../../../src/engine/ops/split_concat';
import { conv1d } from '../../../src/engine/ops/conv1d';
import { convTranspose1d } from '../../../src/engine/ops/conv_transpose1d';
import { layerNorm } from '../../../src/engine/ops/layer_norm';
import { linear } from '../../../src/engine/ops/linear';
import { rmsNorm } from '../../../src/engine/ops/rms_norm';
import { selectiveScan } from '../../../src/engine/ops/selective_scan';
import { rmsNormGated } from '../../../src/engine/ops/silu_gate';
import { ssdScan } from '../../../src/engine/ops/ssd_scan';
import { biMambaLayer } from '../../../src/models/bimamba';
import { Declarations } from '../../../src/models/declarations';
import { detectorModel } from '../../../src/models/detector';
import { mambaBlock } from '../../../src/lessons/mamba';
import { mamba2Block } from '../../../src/models/mamba2';
import { CHANNELS_FIRST, type CaseGraph } from './case';
import { detectorConfig, mixerConfig } from './detector';

/** Takes the case's inputs into its graph, applies the op and hands over the outputs. */
export type Adapter = (golden: CaseGraph) => void;

export const adapters: Readonly<Record<string, Adapter>> = {
  selective_scan(golden) {
    const y = selectiveScan(
      golden.graph,
      {
        u: golden.input('u', CHANNELS_FIRST),
        delta: golden.input('delta', CHANNELS_FIRST),
        A: golden.input('A'),
        B: golden.input('B', CHANNELS_FIRST),
        C: golden.input('C', CHANNELS_FIRST),
        D: golden.optional('D'),
        z: golden.optional('z', CHANNELS_FIRST),
        deltaBias: golden.optional('delta_bias'),
      },
      {
        deltaSoftplus: golden.attrs.flag('delta_softplus'),
        zeroOrderHold: golden.attrs.flag('zero_order_hold'),
      },
    );
    golden.output('y', y, CHANNELS_FIRST);
  },

  ssd_scan(golden) {
    const [x, B, C] = [golden.merged('x'), golden.merged('B'), golden.merged('C')];
    const [heads, headdim] = x.sizes;
    const [groups, dState] = B.sizes;
    const y = ssdScan(
      golden.graph,
      {
        xbc: concatChannels(golden.graph, [x.tensor, B.tensor, C.tensor]),
        dt: golden.input('dt'),
        A: golden.input('A'),
        D: golden.input('D'),
      },
      { headdim, groups, dState, reverse: false },
    );
    const [b, l] = y.shape as [number, number];
    golden.output('y', y, undefined, [b, l, heads, headdim]);
  },

  causal_conv1d(golden) {
    const activation = golden.attrs.choice('activation', ['silu', 'none'], 'none');
    const x = golden.input('x', CHANNELS_FIRST);
    const y = causalConv1d(golden.graph, x, golden.input('weight'), golden.input('bias'), activation);
    golden.output('y', y, CHANNELS_FIRST);
  },

  conv1d(golden) {
    const x = golden.input('x', CHANNELS_FIRST);
    const y = conv1d(golden.graph, x, golden.input('weight'), golden.optional('bias'), {
      stride: golden.attrs.numberOr('stride', 1),
      padding: golden.attrs.numberOr('padding', 0),
      groups: golden.attrs.numberOr('groups', 1),
    });
    golden.output('y', y, CHANNELS_FIRST);
  },

  conv_transpose1d(golden) {
    const x = golden.input('x', CHANNELS_FIRST);
    const y = convTranspose1d(golden.graph, x, golden.input('weight'), golden.optional('bias'), {
      stride: golden.attrs.numberOr('stride', 1),
      padding: golden.attrs.numberOr('padding', 0),
      groups: golden.attrs.numberOr('groups', 1),
    });
    golden.output('y', y, CHANNELS_FIRST);
  },

  batch_norm(golden) {
    const { graph, attrs } = golden;
    const training = attrs.flag('training');
    const x = golden.input('x', CHANNELS_FIRST);
    const [weight, bias] = [golden.input('weight'), golden.input('bias')];
    const runningMean = training
      ? graph.buffer('running_mean', weight.shape, 0)
      : golden.input('running_mean');
    const runningVar = training ? graph.buffer('running_var', weight.shape, 1) : golden.input('running_var');
    const options = { training, eps: attrs.number('eps'), momentum: attrs.number('momentum') };
    const y = batchNorm(graph, x, { weight, bias, runningMean, runningVar }, options);
    golden.output('y', y, CHANNELS_FIRST);
  },

  linear(golden) {
    golden.output(
      'y',
      linear(golden.graph, golden.input('x'), golden.input('weight'), golden.optional('bias')),
    );
  },

  layer_norm(golden) {
    const [x, weight, bias] = [golden.input('x'), golden.input('weight'), golden.input('bias')];
    golden.output('y', layerNorm(golden.graph, x, weight, bias, golden.attrs.number('eps')));
  },

  rms_norm(golden) {
    const [x, weight] = [golden.input('x'), golden.input('weight')];
    golden.output('y', rmsNorm(golden.graph, x, weight, golden.attrs.number('eps')));
  },

  rms_norm_gated(golden) {
    const [x, z, weight] = [golden.input('x'), golden.input('z'), golden.input('weight')];
    golden.output('y', rmsNormGated(golden.graph, x, z, weight, golden.attrs.number('eps')));
  },

  bce_with_logits(golden) {
    const posWeight = golden.attrs.numberOr('pos_weight', 1);
    const [logits, target] = [golden.input('logits'), golden.input('target')];
    golden.output('y', binaryLoss(golden.graph, logits, target, { posWeight }));
  },

  focal_with_logits(golden) {
    const { attrs } = golden;
    const focal = { alpha: attrs.number('alpha'), gamma: attrs.number('gamma') };
    const posWeight = attrs.numberOr('pos_weight', 1);
    const [logits, target] = [golden.input('logits'), golden.input('target')];
    golden.output('y', binaryLoss(golden.graph, logits, target, { posWeight, focal }));
  },

  'model.mamba1'(golden) {
    const { attrs } = golden;
    const sizes = {
      dModel: attrs.number('d_model'),
      dState: attrs.number('d_state'),
      dConv: attrs.number('d_conv'),
      expand: attrs.number('expand'),
      dtRank: attrs.numberOr('dt_rank', 'auto'),
    };
    golden.output('y', mambaBlock(golden.graph, golden.input('x'), sizes, '').y);
  },

  'model.mamba2'(golden) {
    const { attrs } = golden;
    const sizes = {
      dModel: attrs.number('d_model'),
      dState: attrs.number('d_state'),
      dConv: attrs.number('d_conv'),
      expand: attrs.number('expand'),
      headdim: attrs.number('headdim'),
      groups: attrs.numberOr('ngroups', 1),
    };
    const declare = new Declarations(golden.graph, '');
    golden.output('y', mamba2Block(declare, golden.input('x'), sizes));
  },

  'model.bimamba2'(golden) {
    const declare = new Declarations(golden.graph, '');
    const y = biMambaLayer(declare, golden.input('x'), mixerConfig(golden.attrs), { training: true });
    golden.unused.push(...declare.unused.map(({ parameter }) => parameter.name));
    golden.output('y', y);
  },

  'model.detector'(golden) {
    const x = golden.input('x', CHANNELS_FIRST);
    const model = detectorModel(golden.graph, x, detectorConfig(golden.attrs), { training: true });
    golden.unused.push(...model.unused.map(({ parameter }) => parameter.name));
    golden.output('y', model.logits);
  },
};
