/**
 * A graph compiled for a device: pipelines, bind groups and buffers are made once; a run writes the step's scalars,
 * encodes the fixed list of dispatches and submits it. Nothing is allocated, compiled or bound while it runs.
 */
import { EngineError, type Device, type DeviceBuffer } from './device';
import { fromHalf, toHalf } from './half';
import { bytesOf, elements, GraphError, type Constant, type Graph, type Tensor } from './graph';
import type { Binding, StepScalars } from './ops/definition';
import type { Parameters } from './packs';
import { planProgram, type Plan, type PlannedBuffer, type PlannedDispatch, type PlanOptions } from './plan';
import { packStep, STEP_BYTES } from './step';
import { slowTimes, submitEnds } from './submits';

export interface ProgramOptions extends PlanOptions {
  /** The packed parameters; programs on the same parameters train and evaluate the same model. */
  readonly parameters?: Parameters;
  /** What `planProgram` made of the same graph, device and options, if it was asked before. */
  readonly plan?: Plan;
}

/** A dispatch with everything bound. */
export interface Command {
  readonly dispatch: PlannedDispatch;
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly grid: readonly [number, number];
}

const USAGE: Readonly<Record<PlannedBuffer['role'], () => GPUBufferUsageFlags>> = {
  values: () => GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC,
  input: () => GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC,
  constant: () => GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC,
  step: () => GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
  staging: () => GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
};

const MAX_GRID = 65_535;

/**
 * So many runs are timed. The median counts, of two the longer: a busy device and the first run's compilation add to a time, and
 * where this thread heard of two runs at once the second has none.
 */
const TIMED_RUNS = 5;

/** Folds a linear count of workgroups into two dimensions; the entry points of shaders undo it. */
export const foldGrid = (workgroups: number): readonly [number, number] =>
  workgroups <= MAX_GRID ? [workgroups, 1] : [MAX_GRID, Math.ceil(workgroups / MAX_GRID)];

/** A compiled graph. It owns its buffers until `destroy`; the packed parameters belong to whoever made them. */
export class Program {
  readonly #free: DeviceBuffer[];
  readonly #waiting: (() => void)[] = [];
  readonly #times: readonly number[];
  /** Milliseconds of the runs that were timed, in rising order. */
  readonly #measured: number[] = [];
  #timed = 0;
  /** The next run's submits, encoded while the device computes the one before. */
  #encoded: readonly GPUCommandBuffer[] | undefined;
  #destroyed = false;

  private constructor(
    readonly device: Device,
    readonly graph: Graph,
    readonly plan: Plan,
    readonly parameters: Parameters | undefined,
    readonly outputs: readonly Tensor[],
    readonly buffers: ReadonlyMap<PlannedBuffer, DeviceBuffer>,
    readonly commands: readonly Command[],
  ) {
    this.#free = [...buffers].filter(([{ role }]) => role === 'staging').map(([, buffer]) => buffer);
    this.#times = slowTimes(plan.dispatches);
  }

  /**
   * Plans, allocates and compiles. Throws GraphError for what the plan rejects, EngineError with the op's name and
   * shapes for what the device rejects; whatever was allocated until then is freed.
   */
  static async compile(device: Device, graph: Graph, options: ProgramOptions): Promise<Program> {
    device.check();
    const { parameters, plan = planProgram(graph, device.capabilities, options) } = options;
    if (graph.parameters.length + graph.buffers.length > 0) {
      if (!parameters)
        throw new GraphError('the graph has parameters or buffers, so the program needs them packed');
      parameters.assertMatches(graph);
    }
    const buffers = new Map<PlannedBuffer, DeviceBuffer>();
    try {
      for (const planned of plan.buffers)
        buffers.set(
          planned,
          await device.createBuffer(bufferLabel(planned), planned.bytes, USAGE[planned.role]()),
        );
      for (const [planned, buffer] of buffers) {
        if (planned.role !== 'constant') continue;
        const { data } = planned.tensors[0] as Constant;
        device.queue.writeBuffer(buffer.gpu, 0, data as Float32Array<ArrayBuffer>);
      }
      device.queue.writeBuffer(stepBuffer(buffers).gpu, 0, plan.uniforms);
      const pipelines = await Promise.all(
        plan.dispatches.map((dispatch) =>
          device.pipeline(`${dispatch.kernel} of ${dispatch.where}`, dispatch),
        ),
      );
      const commands: Command[] = [];
      for (const [index, dispatch] of plan.dispatches.entries()) {
        const command = await device.scoped(`${dispatch.kernel} of ${dispatch.where}`, () => {
          const resources = dispatch.bindings.map((binding) => resource(plan, buffers, parameters, binding));
          const uniforms = stepBuffer(buffers).gpu;
          if (dispatch.usesStep) resources.push({ buffer: uniforms, size: STEP_BYTES });
          if (dispatch.sizes.length > 0)
            resources.push({ buffer: uniforms, offset: dispatch.sizesAt, size: 4 * dispatch.sizes.length });
          const group = device.bindGroup(dispatch.where, dispatch, resources);
          const pipeline = pipelines[index] as GPUComputePipeline;
          const bound = { dispatch, pipeline, group, grid: foldGrid(dispatch.workgroups) };
          // Encoded once and thrown away: a dispatch that the device rejects is an error here, under its own name.
          encode(device, dispatch.where, [bound]);
          return bound;
        });
        commands.push(command);
      }
      return new Program(device, graph, plan, parameters, options.outputs, buffers, commands);
    } catch (error) {
      for (const buffer of buffers.values()) buffer.destroy();
      throw error;
    }
  }

  /** Bytes this program holds on the device, the shared parameters not counted. */
  get bytes(): number {
    return this.plan.bytes;
  }

  /** Sets an input for the runs that follow. */
  write(input: Tensor, data: Float32Array | Uint32Array): void {
    const placement = this.plan.placements.get(input.id);
    if (input.role !== 'input' || placement?.in !== 'buffer')
      throw new RangeError(`${input.name} is not an input`);
    if (data.length !== elements(input.shape))
      throw new RangeError(`${input.name} has ${elements(input.shape)} values, ${data.length} were given`);
    if (data instanceof Float32Array !== (input.dtype !== 'u32'))
      throw new RangeError(`${input.name} is ${input.dtype}, a ${data.constructor.name} was given`);
    let bytes = data as Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer>;
    if (input.dtype === 'f16') {
      bytes = new Uint16Array(bytesOf(input) / 2);
      bytes.set(toHalf(data));
    }
    this.device.queue.writeBuffer(this.#buffer(placement.buffer).gpu, 0, bytes);
  }

  /** Submits one run, in parts that no driver takes for a hang. Throws the device's first error if there was one. */
  run(scalars: StepScalars = { step: 1, seed: 0, learningRate: 0 }): void {
    this.#alive();
    this.device.check();
    this.device.queue.writeBuffer(stepBuffer(this.buffers).gpu, 0, packStep(scalars));
    for (const part of this.#encoded ?? this.#encode()) this.device.queue.submit([part]);
    this.#encoded = this.#encode();
    if (this.#timed < TIMED_RUNS) void this.#time();
  }

  #encode(): readonly GPUCommandBuffer[] {
    const ends = submitEnds(this.#times, this.#typical, this.device.shortSubmits);
    return ends.map((end, i) =>
      encode(this.device, 'run', this.commands.slice(i === 0 ? 0 : ends[i - 1], end)),
    );
  }

  /** Times the run that was submitted last. Never rejects: whoever reads its results learns of a device that failed. */
  async #time(): Promise<void> {
    this.#timed++;
    const milliseconds = await this.device.elapsed().catch(() => undefined);
    if (milliseconds === undefined || this.#destroyed) return;
    const before = this.#typical;
    this.#measured.push(milliseconds);
    this.#measured.sort((a, b) => a - b);
    if (this.#typical !== before) this.#encoded = undefined;
  }

  /** Milliseconds of a run; undefined before one is timed. */
  get #typical(): number | undefined {
    return this.#measured[this.#measured.length >> 1];
  }

  /**
   * The outputs' values after the runs submitted so far, by tensor. Two reads may be under way at a time; further ones
   * wait, and see the runs submitted meanwhile. Rejects with EngineError when the device fails meanwhile.
   */
  async read(tensors: readonly Tensor[] = this.outputs): Promise<Map<Tensor, Float32Array | Uint32Array>> {
    this.#alive();
    // At once when a slot is free: the copy must see no run that is submitted after this call.
    const staging = this.#free.pop() ?? (await this.#borrow());
    try {
      const encoder = this.device.createCommandEncoder('read');
      const offsets: number[] = [];
      let offset = 0;
      for (const tensor of tensors) {
        if (!this.outputs.includes(tensor))
          throw new RangeError(`${tensor.name} is not an output of this program`);
        const { buffer, offset: from } = resource(this.plan, this.buffers, this.parameters, {
          name: tensor.name,
          tensor,
          access: 'read',
        });
        encoder.copyBufferToBuffer(buffer, from ?? 0, staging.gpu, offset, bytesOf(tensor));
        offsets.push(offset);
        offset += Math.ceil(bytesOf(tensor) / 16) * 16;
      }
      this.device.queue.submit([encoder.finish()]);
      await this.device.answer(staging.gpu.mapAsync(GPUMapMode.READ), 'reading results');
      const mapped = staging.gpu.getMappedRange();
      const results = new Map(
        tensors.map((tensor, index) => {
          return [tensor, valuesOf(tensor, mapped, offsets[index])] as const;
        }),
      );
      staging.gpu.unmap();
      return results;
    } finally {
      this.#free.push(staging);
      this.#waiting.shift()?.();
    }
  }

  /**
   * One run in slow motion: after each dispatch shows what it has written, numbers alone, until `look` returns
   * true. Before the first dispatch come the inputs. Takes a temporary buffer as large as the largest tensor.
   */
  async inspect(
    scalars: StepScalars,
    look: (tensor: Tensor, values: Float32Array, dispatch?: PlannedDispatch) => boolean,
  ): Promise<void> {
    this.#alive();
    this.device.check();
    const where = 'looking at a run';
    const written = this.commands.map(({ dispatch }) =>
      dispatch.bindings.filter(({ access }) => access !== 'read').map(({ tensor }) => tensor),
    );
    const shown = [...this.graph.inputs, ...written.flat()].filter(({ dtype }) => dtype !== 'u32');
    const staging = await this.device.createBuffer(
      where,
      Math.max(16, ...shown.map(bytesOf)),
      GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
    );
    const ends = async (tensor: Tensor, dispatch?: PlannedDispatch): Promise<boolean> => {
      if (!shown.includes(tensor)) return false;
      const source = resource(this.plan, this.buffers, this.parameters, { name: '', tensor, access: 'read' });
      const encoder = this.device.createCommandEncoder(where);
      encoder.copyBufferToBuffer(source.buffer, source.offset ?? 0, staging.gpu, 0, bytesOf(tensor));
      this.device.queue.submit([encoder.finish()]);
      await this.device.answer(staging.gpu.mapAsync(GPUMapMode.READ, 0, bytesOf(tensor)), where);
      const values = valuesOf(tensor, staging.gpu.getMappedRange(0, bytesOf(tensor))) as Float32Array;
      staging.gpu.unmap();
      return look(tensor, values, dispatch);
    };
    try {
      this.device.queue.writeBuffer(stepBuffer(this.buffers).gpu, 0, packStep(scalars));
      for (const input of this.graph.inputs) if (await ends(input)) return;
      for (const [index, command] of this.commands.entries()) {
        this.device.queue.submit([encode(this.device, where, [command])]);
        for (const tensor of written[index] ?? []) if (await ends(tensor, command.dispatch)) return;
      }
    } finally {
      staging.destroy();
    }
  }

  /** Waits until all submitted runs are done. */
  async finish(): Promise<void> {
    await this.device.answer(this.device.queue.onSubmittedWorkDone(), 'waiting for the GPU');
  }

  /** Gives the program's buffers back; the shared parameters stay. */
  destroy(): void {
    this.#destroyed = true;
    this.#encoded = undefined;
    for (const buffer of this.buffers.values()) buffer.destroy();
  }

  #alive(): void {
    if (this.#destroyed) throw new EngineError('internal', 'the program', 'it was destroyed');
  }

  #buffer(planned: PlannedBuffer): DeviceBuffer {
    return required(this.buffers.get(planned), 'a planned buffer');
  }

  async #borrow(): Promise<DeviceBuffer> {
    if (this.outputs.length === 0) throw new RangeError('this program has no outputs to read');
    for (;;) {
      const staging = this.#free.pop();
      if (staging) return staging;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }
}

function required<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new EngineError('internal', what, 'it does not exist');
  return value;
}

/** A copy of a tensor's values, in float32 where they are stored in float16. */
function valuesOf({ dtype, shape }: Tensor, mapped: ArrayBuffer, offset = 0): Float32Array | Uint32Array {
  const count = elements(shape);
  if (dtype === 'f16') return fromHalf(new Uint16Array(mapped, offset, count));
  return new (dtype === 'f32' ? Float32Array : Uint32Array)(mapped, offset, count).slice();
}

const bufferLabel = ({ role, tensors }: PlannedBuffer): string =>
  tensors[0] ? `${role} ${tensors[0].name} [${tensors[0].shape.join(', ')}]` : role;

function stepBuffer(buffers: ReadonlyMap<PlannedBuffer, DeviceBuffer>): DeviceBuffer {
  for (const [planned, buffer] of buffers) if (planned.role === 'step') return buffer;
  throw new EngineError('internal', 'the buffer of step scalars', 'it does not exist');
}

function resource(
  plan: Plan,
  buffers: ReadonlyMap<PlannedBuffer, DeviceBuffer>,
  parameters: Parameters | undefined,
  { tensor }: Binding,
): GPUBufferBinding {
  const placement = required(plan.placements.get(tensor.id), `the memory of ${tensor.name}`);
  const size = bytesOf(tensor);
  if (placement.in === 'buffer')
    return {
      buffer: required(buffers.get(placement.buffer), tensor.name).gpu,
      offset: placement.offsetBytes,
      size,
    };
  const pack = parameters?.buffers[placement.pack];
  if (!pack)
    throw new GraphError(
      `${tensor.name} needs the ${placement.pack} pack: create the parameters for training`,
    );
  return { buffer: pack.gpu, offset: placement.offsetBytes, size };
}

function encode(device: Device, label: string, commands: readonly Command[]): GPUCommandBuffer {
  const encoder = device.createCommandEncoder(label);
  const pass = encoder.beginComputePass({ label });
  for (const { pipeline, group, grid } of commands) {
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(...grid);
  }
  pass.end();
  return encoder.finish();
}
