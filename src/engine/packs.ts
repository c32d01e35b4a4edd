/**
 * Parameters, their gradients and AdamW's moments: one packed buffer each, all with one layout, so that the global
 * norm and the update are a dispatch each however many parameters there are. A model's buffers (running statistics) are
 * packed too, in a layout of their own.
 */
import type { Device, DeviceBuffer } from './device';
import { elements, formatShape, GraphError, type Graph, type PackName, type Shape } from './graph';

/** Slices that are bound start at 256 bytes, WebGPU's alignment of a binding's offset. */
const ALIGNMENT = 64;

export interface PackSlice {
  /** In float32 elements. */
  readonly offset: number;
  readonly length: number;
  readonly shape: Shape;
}

export interface PackLayout {
  /** Elements of the pack, padding included; a multiple of 64. The padding stays 0 in every pack. */
  readonly length: number;
  /** Leading elements that AdamW decays. */
  readonly decayed: number;
  readonly slices: ReadonlyMap<string, PackSlice>;
}

interface Packed {
  readonly name: string;
  readonly shape: Shape;
  readonly decay?: boolean;
  readonly after?: string;
}

/**
 * Decayed parameters first, then the others (buffers are never decayed), each in the order of declaration; what is declared
 * after another one follows it without a gap.
 */
export function packLayout(tensors: readonly Packed[]): PackLayout {
  const slices = new Map<string, PackSlice>();
  const followers = new Map(
    tensors.flatMap((tensor) => (tensor.after ? [[tensor.after, tensor] as const] : [])),
  );
  let offset = 0;
  const place = (decay: boolean): void => {
    for (const first of tensors) {
      if (first.after !== undefined || (first.decay ?? false) !== decay) continue;
      for (let tensor: Packed | undefined = first; tensor; tensor = followers.get(tensor.name)) {
        const length = elements(tensor.shape);
        slices.set(tensor.name, { offset, length, shape: tensor.shape });
        offset += length;
      }
      offset = Math.ceil(offset / ALIGNMENT) * ALIGNMENT;
    }
  };
  place(true);
  const decayed = offset;
  place(false);
  return { length: Math.max(offset, ALIGNMENT), decayed, slices };
}

/** The packs of a model in training: values, gradients and both moments. Exported for its tests. */
export const TRAINING_PACKS = [
  'value',
  'gradient',
  'first_moment',
  'second_moment',
] as const satisfies readonly PackName[];

export interface PackOptions {
  /** Gradients and moments too. */
  readonly training: boolean;
  /** And the pack that micro-batches add to. */
  readonly accumulating?: boolean;
}

const packsOf = ({ training, accumulating = false }: PackOptions): readonly PackName[] =>
  training ? [...TRAINING_PACKS, ...(accumulating ? (['accumulated'] as const) : [])] : ['value'];

/** What a graph keeps from run to run. */
export type Model = Pick<Graph, 'parameters' | 'buffers'>;

/** A model's packed buffers on a device; shared by the programs that train and evaluate it. */
export class Parameters {
  private constructor(
    readonly layout: PackLayout,
    /** Layout of the pack `buffer`. */
    readonly bufferLayout: PackLayout,
    readonly buffers: Readonly<Partial<Record<PackName | 'buffer', DeviceBuffer>>>,
    readonly device: Device,
  ) {}

  /** Bytes that `create` will ask for. */
  static bytes({ parameters, buffers }: Model, options: PackOptions): number {
    const packs = packLayout(parameters).length * packsOf(options).length;
    return 4 * (packs + (buffers.length > 0 ? packLayout(buffers).length : 0));
  }

  /**
   * Parameters are all zero: write the initial values next. Buffers hold theirs.
   */
  static async create(device: Device, model: Model, options: PackOptions): Promise<Parameters> {
    const layout = packLayout(model.parameters);
    const bufferLayout = packLayout(model.buffers);
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
    const buffers: Partial<Record<PackName | 'buffer', DeviceBuffer>> = {};
    const created = new Parameters(layout, bufferLayout, buffers, device);
    try {
      for (const pack of packsOf(options))
        buffers[pack] = await device.createBuffer(`parameters.${pack}`, layout.length * 4, usage);
      if (model.buffers.length > 0)
        buffers.buffer = await device.createBuffer('buffers', bufferLayout.length * 4, usage);
    } catch (error) {
      created.destroy();
      throw error;
    }
    for (const { name, shape, initial } of model.buffers)
      created.write(name, new Float32Array(elements(shape)).fill(initial));
    return created;
  }

  get bytes(): number {
    return Object.values(this.buffers).reduce((sum, buffer) => sum + buffer.bytes, 0);
  }

  /** Throws GraphError when a program's parameters and buffers are not these. */
  assertMatches(model: Model): void {
    assertSameLayout('parameter', packLayout(model.parameters), this.layout);
    assertSameLayout('buffer', packLayout(model.buffers), this.bufferLayout);
  }

  /** Sets a parameter's values, those of its gradient or moments, or a buffer's. */
  write(name: string, data: Float32Array, pack: PackName = 'value'): void {
    const isBuffer = this.bufferLayout.slices.has(name);
    const slice = isBuffer ? this.bufferLayout.slices.get(name) : this.layout.slices.get(name);
    if (!slice) throw new RangeError(`there is no parameter or buffer named ${name}`);
    if (data.length !== slice.length)
      throw new RangeError(
        `${name} has ${slice.length} values ${formatShape(slice.shape)}, ${data.length} were given`,
      );
    this.device.queue.writeBuffer(
      this.#buffer(isBuffer ? 'buffer' : pack).gpu,
      slice.offset * 4,
      data as Float32Array<ArrayBuffer>,
    );
  }

  /** Every parameter's values from one pack, or every buffer's. Takes a temporary buffer of the pack's size. */
  async read(pack: PackName | 'buffer' = 'value'): Promise<Map<string, Float32Array<ArrayBuffer>>> {
    const read = await this.snapshot(pack);
    return read();
  }

  /**
   * The same as it is now, to be read later: the copy is queued when this resolves, and what is submitted afterwards does
   * not change it. The temporary buffer lives until it was read.
   */
  async snapshot(pack: PackName | 'buffer'): Promise<() => Promise<Map<string, Float32Array<ArrayBuffer>>>> {
    const { slices } = pack === 'buffer' ? this.bufferLayout : this.layout;
    if (slices.size === 0) return () => Promise.resolve(new Map());
    const where = `reading the packed ${pack}s`;
    const source = this.#buffer(pack);
    const staging = await this.device.createBuffer(
      where,
      source.bytes,
      GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
    );
    const encoder = this.device.createCommandEncoder(where);
    encoder.copyBufferToBuffer(source.gpu, 0, staging.gpu, 0, source.bytes);
    this.device.queue.submit([encoder.finish()]);
    return async () => {
      try {
        await this.device.answer(staging.gpu.mapAsync(GPUMapMode.READ), where);
        const all = new Float32Array(staging.gpu.getMappedRange());
        return new Map(
          [...slices].map(([name, { offset, length }]) => [name, all.slice(offset, offset + length)]),
        );
      } finally {
        staging.destroy();
      }
    };
  }

  destroy(): void {
    for (const buffer of Object.values(this.buffers)) buffer.destroy();
  }

  #buffer(pack: PackName | 'buffer'): DeviceBuffer {
    const buffer = this.buffers[pack];
    if (!buffer)
      throw new RangeError(`these parameters have no ${pack} pack: they were not created for training`);
    return buffer;
  }
}

function assertSameLayout(what: 'parameter' | 'buffer', theirs: PackLayout, ours: PackLayout): void {
  for (const [name, slice] of theirs.slices) {
    const packed = ours.slices.get(name);
    if (!packed) throw new GraphError(`the ${what} ${name} is not among the packed ${what}s`);
    if (packed.offset !== slice.offset || packed.length !== slice.length)
      throw new GraphError(
        `the ${what} ${name} ${formatShape(slice.shape)} is packed as ${formatShape(packed.shape)}`,
      );
  }
  if (theirs.slices.size !== ours.slices.size)
    throw new GraphError(`the graph has ${theirs.slices.size} ${what}s, the pack ${ours.slices.size}`);
}
