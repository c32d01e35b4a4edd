/** The engine's scan and its backward pass, with a state stored every so many steps. */
import type { Device } from '../../engine/device';
import { differentiate } from '../../engine/gradient';
import { bytesOf, Graph, type Tensor } from '../../engine/graph';
import { selectiveScanOp } from '../../engine/ops/selective_scan';
import type { ChooseVariant } from '../../engine/plan';
import { Program } from '../../engine/program';
import { scanInputs } from '../course/scan_values';
import type { LoopValues, Sizes } from './loop';

/** The first variant that walks all of time at once: where time is cut, sums start in other places. */
const oneWalk: ChooseVariant = (_, variants) =>
  variants.find(({ CHUNKED }) => CHUNKED !== true) ?? variants[0];

export interface KernelResult {
  /** Gradients by u, Δ, A, B and C. */
  readonly gradients: readonly Float32Array[];
  /** Of the states that the forward pass stores. */
  readonly storedBytes: number;
}

/** Gradients of Σ dy·y on kernels that store a state every `interval` steps, a multiple of 16. */
export async function kernelGradients(
  device: Device,
  values: LoopValues,
  sizes: Sizes,
  interval: number,
): Promise<KernelResult> {
  const graph = new Graph();
  const inputs = scanInputs(graph, sizes);
  const dy = graph.input('dy', inputs.u.shape);
  const scan = graph.apply(selectiveScanOp, inputs, { deltaSoftplus: false, interval });
  const gradients = differentiate(graph, [{ of: scan.y, cotangent: dy }], Object.values(inputs));
  const outputs = Object.values(inputs).map((input) => gradients.get(input) as Tensor);
  const program = await Program.compile(device, graph, { outputs, choose: oneWalk });
  try {
    for (const [name, tensor] of Object.entries(inputs))
      program.write(tensor, values[name as keyof typeof inputs]);
    program.write(dy, values.dy);
    program.run();
    const read = await program.read();
    return {
      gradients: outputs.map((tensor) => read.get(tensor) as Float32Array),
      storedBytes: bytesOf(scan.states),
    };
  } finally {
    program.destroy();
  }
}
