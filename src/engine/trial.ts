/** A node tried alone on the device: how long a variant of its kernels takes, and whether it computes what the default does. */
import { Random } from '../base/random';
import { EngineError, type Device } from './device';
import { elements, Graph, describeNode, type Node, type Tensor } from './graph';
import type { Variant } from './ops/definition';
import { lowerNode } from './plan';
import { Program } from './program';
import { timeRuns } from './timing';

/** So small that no recurrence over thousands of steps grows beyond its start. */
const AMPLITUDE = 0.05;

/** Of the largest value: other orders of summation differ by 1e-5 at most, a workgroup that went wrong by all of it. */
const TOLERANCE = { f32: 1e-3, f16: 1e-2, u32: 0 } as const;

type Values = ReadonlyMap<string, Float32Array | Uint32Array>;

export class Trial {
  readonly #inputs: ReadonlyMap<string, Float32Array | Uint32Array>;
  /** What the first variant that ran has computed. */
  #expected: Values | undefined;

  /** `isRead`: whether the model reads an output of the node; kernels may skip writing the others. */
  constructor(
    private readonly device: Device,
    private readonly node: Node,
    private readonly isRead: (tensor: Tensor) => boolean,
  ) {
    const random = new Random(1);
    const values = ({ shape, dtype }: Tensor): Float32Array | Uint32Array => {
      const length = elements(shape);
      if (dtype === 'u32') return new Uint32Array(length);
      return Float32Array.from({ length }, () => AMPLITUDE * (2 * random.uniform() - 1));
    };
    this.#inputs = new Map(Object.entries(node.inputs).map(([name, tensor]) => [name, values(tensor)]));
  }

  /**
   * Milliseconds of one run; undefined where the clock cannot tell. Throws EngineError where the device rejects the variant, or computes with it what the first one
   * does not: drivers are known to corrupt single workgroups of some shapes.
   */
  async time(variant: Variant, minimumMs: number): Promise<number | undefined> {
    const { device, node } = this;
    const alone = new Graph();
    const inputs = Object.fromEntries(
      Object.entries(node.inputs).map(([name, { shape, dtype }]) => [name, alone.input(name, shape, dtype)]),
    );
    const outputs = alone.apply(node.op, inputs, node.attrs);
    for (const [name, tensor] of Object.entries(outputs))
      if (node.outputs[name]?.dtype === 'f16') alone.storeHalf(tensor);
    const written = new Set(
      lowerNode(alone.nodes[0] as Node, device.capabilities, {
        isUsed: () => true,
        variant,
        nextId: counter(),
      }).flatMap(({ bindings }) =>
        bindings.filter(({ access }) => access !== 'read').map(({ tensor }) => tensor.id),
      ),
    );
    const all = Object.entries(outputs).filter(([, tensor]) => written.has(tensor.id));
    const used = all.filter(([name]) => this.isRead(node.outputs[name] as Tensor));
    // What no node reads is what the host reads: a model's last op is timed with all it writes.
    const kept = used.length > 0 ? used : all;
    const program = await Program.compile(device, alone, {
      outputs: kept.map(([, tensor]) => tensor),
      choose: () => variant,
    });
    try {
      for (const [name, data] of this.#inputs) program.write(inputs[name] as Tensor, data);
      program.run();
      const read = await program.read();
      this.#compare(variant, new Map(kept.map(([name, tensor]) => [name, read.get(tensor) as Float32Array])));
      return await timeRuns(device, program.commands, minimumMs);
    } finally {
      program.destroy();
    }
  }

  #compare(variant: Variant, found: Values): void {
    const { node } = this;
    const expected = (this.#expected ??= found);
    for (const [name, values] of found) {
      const other = expected.get(name);
      if (!other || other === values) continue;
      let largest = 0;
      for (const value of other) largest = Math.max(largest, Math.abs(value));
      const allowed = TOLERANCE[node.outputs[name]?.dtype ?? 'f32'] * largest;
      const at = values.findIndex((value, i) => !(Math.abs(value - (other[i] as number)) <= allowed));
      if (at < 0) continue;
      throw new EngineError(
        'internal',
        `${variant.name} of ${describeNode(node)}`,
        `element ${at} of ${name} is ${values[at]} on this device, with the default kernel ${other[at]}`,
      );
    }
  }
}

function counter(): () => number {
  let id = 0;
  return () => --id;
}
