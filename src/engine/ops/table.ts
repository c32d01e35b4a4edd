/** All ops by name. */
import { accumulateOp } from './accumulate';
import { adamwOp } from './adamw';
import { addOp } from './add';
import { batchNormEvaluationOp, batchNormOp } from './batch_norm';
import { batchNormBackwardOp } from './batch_norm_backward';
import { binaryLossBackwardOp, binaryLossOp } from './binary_loss';
import { causalConv1dBackwardOp, causalConv1dOp } from './causal_conv1d';
import { concatOp } from './concat';
import { conv1dOp } from './conv1d';
import { conv1dInputGradientOp, conv1dWeightGradientOp } from './conv1d_gradients';
import { convTranspose1dOp } from './conv_transpose1d';
import { copyOp } from './copy';
import type { AnyOp } from './definition';
import { dropoutOp } from './dropout';
import { embeddingBackwardOp, embeddingOp } from './embedding';
import { flipTimeOp } from './flip_time';
import { globalNormOp } from './global_norm';
import { layerNormBackwardOp, layerNormOp } from './layer_norm';
import { columnSumOp, linearInputGradientOp, linearOp, linearWeightGradientOp } from './linear';
import { multiplyOp } from './multiply';
import { negativeExpOp } from './negative_exp';
import { reluBackwardOp, reluOp } from './relu';
import { rmsNormBackwardOp, rmsNormOp } from './rms_norm';
import { selectiveScanOp } from './selective_scan';
import { selectiveScanBackwardOp } from './selective_scan_backward';
import { sigmoidBackwardOp, sigmoidOp } from './sigmoid';
import { siluBackwardOp, siluOp } from './silu';
import { siluGateBackwardOp, siluGateOp } from './silu_gate';
import { softmaxCrossEntropyBackwardOp, softmaxCrossEntropyOp } from './softmax_cross_entropy';
import { softplusBackwardOp, softplusOp } from './softplus';
import { splitOp } from './split';
import { ssdScanOp } from './ssd_scan';
import { ssdScanBackwardOp } from './ssd_scan_backward';

export const ops = {
  accumulate: accumulateOp,
  adamw: adamwOp,
  add: addOp,
  batch_norm: batchNormOp,
  batch_norm_backward: batchNormBackwardOp,
  batch_norm_evaluation: batchNormEvaluationOp,
  binary_loss: binaryLossOp,
  binary_loss_backward: binaryLossBackwardOp,
  causal_conv1d: causalConv1dOp,
  causal_conv1d_backward: causalConv1dBackwardOp,
  column_sum: columnSumOp,
  concat: concatOp,
  conv1d: conv1dOp,
  conv1d_input_gradient: conv1dInputGradientOp,
  conv1d_weight_gradient: conv1dWeightGradientOp,
  conv_transpose1d: convTranspose1dOp,
  copy: copyOp,
  dropout: dropoutOp,
  embedding: embeddingOp,
  embedding_backward: embeddingBackwardOp,
  flip_time: flipTimeOp,
  global_norm: globalNormOp,
  layer_norm: layerNormOp,
  layer_norm_backward: layerNormBackwardOp,
  linear: linearOp,
  linear_input_gradient: linearInputGradientOp,
  linear_weight_gradient: linearWeightGradientOp,
  multiply: multiplyOp,
  negative_exp: negativeExpOp,
  relu: reluOp,
  relu_backward: reluBackwardOp,
  rms_norm: rmsNormOp,
  rms_norm_backward: rmsNormBackwardOp,
  selective_scan: selectiveScanOp,
  selective_scan_backward: selectiveScanBackwardOp,
  sigmoid: sigmoidOp,
  sigmoid_backward: sigmoidBackwardOp,
  silu: siluOp,
  silu_backward: siluBackwardOp,
  silu_gate: siluGateOp,
  silu_gate_backward: siluGateBackwardOp,
  softmax_cross_entropy: softmaxCrossEntropyOp,
  softmax_cross_entropy_backward: softmaxCrossEntropyBackwardOp,
  softplus: softplusOp,
  softplus_backward: softplusBackwardOp,
  split: splitOp,
  ssd_scan: ssdScanOp,
  ssd_scan_backward: ssdScanBackwardOp,
} as const satisfies Record<string, AnyOp>;
