/** The calls of one GPU device: buffers, pipelines, commands, and the first thing that went wrong. device.ts opens it. */
import { messageOf } from '../base/text';
import { describeAdapter, type AdapterDescription } from './adapter';
import { EngineError } from './engine_error';
import type { Dispatch } from './ops/definition';

/** Minutes. The answer to a step takes a second, and on a busy CPU-backed adapter minutes. */
const PATIENCE = 10;
/** The kernels of a step are compiled all at once, by some drivers for minutes, and the last one waits for the others. */
const COMPILER_PATIENCE = 30;

const ERROR_SCOPES = ['validation', 'out-of-memory', 'internal'] as const;

export interface DeviceBuffer {
  readonly label: string;
  readonly bytes: number;
  readonly gpu: GPUBuffer;
  /** Gives the memory back; the buffer is not used again. */
  destroy(): void;
}

/** The calls of a device. Each throws EngineError that names the operation; the first error that reaches no caller is kept. */
export class GpuDevice {
  readonly limits: GPUSupportedLimits;
  readonly features: ReadonlySet<string>;
  readonly adapter: AdapterDescription;
  /** Tells its adapter apart, see adapterKey. */
  readonly adapterKey: string;
  readonly #gpu: GPUDevice;
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>();
  readonly #layouts = new Map<string, GPUBindGroupLayout>();
  /** Work that is under way; it is rejected when the device fails. */
  readonly #waiting = new Set<(failure: EngineError) => void>();
  /** The first error nobody else caught. */
  #failure: EngineError | undefined;
  #allocatedBytes = 0;
  /** When the device was last seen to be done, in the clock's milliseconds. */
  #doneAt = 0;
  #destroyed = false;
  /** Called when the GPU is lost. */
  onLost: (() => void) | undefined;
  /** Whether runs are cut into shorter submits than their times ask for; set before a program is compiled. */
  shortSubmits = false;

  protected constructor(gpu: GPUDevice, info: GPUAdapterInfo, adapterKey: string) {
    this.#gpu = gpu;
    this.limits = gpu.limits;
    this.features = gpu.features;
    this.adapter = describeAdapter(info);
    this.adapterKey = adapterKey;
    gpu.addEventListener('uncapturederror', (event) => this.#fail(toEngineError(event.error, 'the device')));
    void gpu.lost.then((info) => {
      if (this.#destroyed) return;
      const reason = info.message || info.reason || 'no reason given';
      this.#fail(new EngineError('device-lost', 'the device', `the GPU was lost (${reason})`));
    });
  }

  /** Bytes of all buffers created and not yet destroyed. */
  get allocatedBytes(): number {
    return this.#allocatedBytes;
  }

  get queue(): GPUQueue {
    return this.#gpu.queue;
  }

  /** The first error that reached no caller; a device that has one is of no more use. */
  get failure(): EngineError | undefined {
    return this.#failure;
  }

  /** Throws that error. */
  check(): void {
    if (this.#failure) throw this.#failure;
  }

  /** `work`, or the device's failure if that comes first, however long it takes: a promise on a lost device may never settle otherwise. */
  async guard<T>(work: Promise<T>, where: string): Promise<T> {
    // Whichever of the two loses the race below must not count as unhandled.
    work.catch(() => undefined);
    this.check();
    // A promise of its own: one that lives as long as the device would remember every race it was in.
    let fail: (failure: EngineError) => void = () => undefined;
    const failed = new Promise<never>((_, reject) => (fail = reject));
    this.#waiting.add(fail);
    try {
      return await Promise.race([work, failed]);
    } catch (error) {
      // A lost device rejects pending work just before it says why.
      await Promise.race([this.#gpu.lost, new Promise((resolve) => setTimeout(resolve, 50))]);
      this.check();
      throw error instanceof EngineError ? error : new EngineError('internal', where, String(error));
    } finally {
      this.#waiting.delete(fail);
    }
  }

  /** What the GPU is asked for. Some drivers hang without an error: after `minutes` the device counts as lost. */
  async answer<T>(work: Promise<T>, where: string, minutes = PATIENCE): Promise<T> {
    const timer = setTimeout(
      () => this.giveUp(`the GPU gave no answer for ${minutes} minutes`),
      60_000 * minutes,
    );
    try {
      return await this.guard(work, where);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Runs synchronous GPU calls; their validation, memory and internal errors are thrown as EngineError of `where`. */
  async scoped<T>(where: string, work: () => T): Promise<T> {
    for (const filter of ERROR_SCOPES) this.#gpu.pushErrorScope(filter);
    let result: T | undefined;
    let thrown: Error | undefined;
    try {
      result = work();
    } catch (error) {
      thrown = asError(error);
    }
    const errors = ERROR_SCOPES.map(() => this.#gpu.popErrorScope());
    const first = (await this.answer(Promise.all(errors), where, COMPILER_PATIENCE)).find(
      (error) => error !== null,
    );
    if (first) throw toEngineError(first, where);
    if (thrown) throw thrown;
    return result as T;
  }

  async createBuffer(label: string, bytes: number, usage: GPUBufferUsageFlags): Promise<DeviceBuffer> {
    const limit = this.limits.maxBufferSize;
    if (bytes > limit)
      throw new EngineError(
        'out-of-memory',
        label,
        `needs a buffer of ${bytes} bytes, this device allows ${limit}`,
      );
    const gpu = await this.scoped(label, () => this.#gpu.createBuffer({ label, size: bytes, usage }));
    this.#allocatedBytes += bytes;
    let alive = true;
    return {
      label,
      bytes,
      gpu,
      destroy: () => {
        if (!alive) return;
        alive = false;
        this.#allocatedBytes -= bytes;
        gpu.destroy();
      },
    };
  }

  /** Milliseconds that the device takes for what was submitted since the last call, by the wall clock. */
  async elapsed(): Promise<number> {
    const submitted = performance.now();
    await this.answer(this.queue.onSubmittedWorkDone(), 'timing');
    const started = Math.max(submitted, this.#doneAt);
    this.#doneAt = performance.now();
    return this.#doneAt - started;
  }

  createQuerySet(count: number): GPUQuerySet {
    return this.#gpu.createQuerySet({ type: 'timestamp', count });
  }

  createCommandEncoder(label: string): GPUCommandEncoder {
    return this.#gpu.createCommandEncoder({ label });
  }

  /** The pipeline of a shader; equal code is compiled once. Compiler messages become EngineError of `where`. */
  pipeline(where: string, dispatch: Dispatch): Promise<GPUComputePipeline> {
    const { code } = dispatch;
    const layout = this.#layout(dispatch);
    const known = this.#pipelines.get(code);
    if (known) return known;
    const created = this.#compile(where, code, layout);
    this.#pipelines.set(code, created);
    // A failed compilation is not remembered: the next caller gets a message with its own name.
    created.catch(() => this.#pipelines.delete(code));
    return created;
  }

  /** `resources` are those of the dispatch's bindings, then of the step's scalars and of its sizes, where it has them. */
  bindGroup(label: string, dispatch: Dispatch, resources: readonly GPUBufferBinding[]): GPUBindGroup {
    return this.#gpu.createBindGroup({
      label,
      layout: this.#layout(dispatch),
      entries: resources.map((resource, binding) => ({ binding, resource })),
    });
  }

  /** Counts the device as lost: work that is under way rejects with that. */
  giveUp(reason: string): void {
    this.#fail(new EngineError('device-lost', 'the device', reason));
    this.destroy();
  }

  destroy(): void {
    this.#destroyed = true;
    this.#gpu.destroy();
  }

  #fail(error: EngineError): void {
    this.#failure ??= error;
    if (error.kind === 'device-lost') this.onLost?.();
    for (const reject of this.#waiting) reject(this.#failure);
  }

  async #compile(where: string, code: string, layout: GPUBindGroupLayout): Promise<GPUComputePipeline> {
    let module: GPUShaderModule | undefined;
    const rejection = await this.scoped(where, () => {
      module = this.#gpu.createShaderModule({ label: where, code });
    }).catch(asError);
    if (!module) throw rejection ?? new EngineError('internal', where, 'no shader module came back');
    const info = await this.answer(module.getCompilationInfo(), where, COMPILER_PATIENCE);
    const lines = code.split('\n');
    const errors = info.messages
      .filter((message) => message.type === 'error')
      .map(({ lineNum, message }) => `${message} (line ${lineNum}: ${(lines[lineNum - 1] ?? '').trim()})`);
    if (errors.length > 0) throw new EngineError('compilation', where, errors.join('; '));
    if (rejection) throw rejection;
    const pipelineLayout = this.#gpu.createPipelineLayout({ bindGroupLayouts: [layout] });
    try {
      return await this.answer(
        this.#gpu.createComputePipelineAsync({
          label: where,
          layout: pipelineLayout,
          compute: { module, entryPoint: 'main' },
        }),
        where,
        COMPILER_PATIENCE,
      );
    } catch (error) {
      this.check();
      throw new EngineError('compilation', where, messageOf(error));
    }
  }

  #layout({ bindings, usesStep, sizes }: Dispatch): GPUBindGroupLayout {
    const types = bindings.map(({ access }): GPUBufferBindingType =>
      access === 'read' ? 'read-only-storage' : 'storage',
    );
    if (usesStep) types.push('uniform');
    if (sizes.length > 0) types.push('uniform');
    const key = types.join();
    let layout = this.#layouts.get(key);
    if (!layout) {
      layout = this.#gpu.createBindGroupLayout({
        entries: types.map((type, binding) => ({
          binding,
          visibility: GPUShaderStage.COMPUTE,
          buffer: { type },
        })),
      });
      this.#layouts.set(key, layout);
    }
    return layout;
  }
}

const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)));

function toEngineError(error: GPUError, where: string): EngineError {
  const kind =
    error instanceof GPUOutOfMemoryError
      ? 'out-of-memory'
      : error instanceof GPUValidationError
        ? 'validation'
        : 'internal';
  return new EngineError(kind, where, error.message);
}
