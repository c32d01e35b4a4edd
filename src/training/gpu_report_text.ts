/** The report of a GPU in words. */
import { aligned } from '../base/table';
import type { WrongKernel } from '../engine/self_check';
import type { GpuReport, OpTime } from './gpu_report';

/** Three digits. */
const giga = (value: number): string => (value / 1e9).toLocaleString('en', { maximumSignificantDigits: 3 });
const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;

/** The kernels of an op: "32 × 32 (3), 64 × 64"; empty where there is no choice. */
export const variantsText = (variants: OpTime['variants']): string =>
  variants.map(({ name, nodes }) => (variants.length > 1 ? `${name} (${nodes})` : name)).join(', ');

/** What is wrong with a kernel: "linear (shared 64x64), relative error 3.0e-2". */
const wrongText = ({ op, variant, error, message }: WrongKernel): string =>
  `${op}${variant === undefined ? '' : ` (${variant})`}${
    message === undefined ? `, relative error ${error.toExponential(1)}` : ` does not compile: ${message}`
  }`;

/** The report as a person reads it, or pastes it into a bug report. */
export function reportText({
  gpu,
  features,
  limits,
  check,
  step,
  ops,
  remark,
  kernels,
}: GpuReport): string[] {
  return [
    `${gpu}; kernels ${kernels}`,
    `features: ${features.join(', ') || 'none'}`,
    `limits as measured: ${giga(limits.flopsPerSecond)} GFLOP/s in float32, ${giga(limits.bytesPerSecond)} GB/s`,
    check.wrong.length === 0
      ? `${check.cases} ops agree with float64, forward and backward`
      : `wrong beside float64: ${check.wrong.map(wrongText).join('; ')}`,
    ...(remark === null ? [] : [remark]),
    step
      ? `a training step of width ${step.width}, batch 1: ${step.milliseconds.toFixed(1)} ms, ${giga(step.flops)} GFLOP, ${step.dispatches} dispatches, ${percent(step.share)} of the limit`
      : 'a training step was not timed',
    ...(ops.length === 0 ? [] : ['', ...opLines(ops)]),
  ];
}

function opLines(ops: GpuReport['ops']): string[] {
  const total = ops.reduce((sum, { ms }) => sum + ms, 0);
  return aligned([
    ['op', 'nodes', 'ms', 'of the step', 'GFLOP/s', 'GB/s', 'of its limit', 'kernels'],
    ...ops.map(({ op, nodes, variants, ms, flopsPerSecond, bytesPerSecond, bound, share: reached }) => [
      op,
      String(nodes),
      ms.toFixed(2),
      percent(ms / total),
      giga(flopsPerSecond),
      giga(bytesPerSecond),
      `${percent(reached)} ${bound}`,
      variantsText(variants),
    ]),
  ]);
}
