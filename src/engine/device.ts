/** One GPU device: how it is opened and what it can do. gpu_device.ts has its calls. */
import { adapterKey, requestAdapter, requestDevice } from './adapter';
import { GpuDevice } from './gpu_device';
import type { Lowering } from './ops/definition';
import { quadsRejected } from './quads';

export { EngineError, type EngineErrorKind } from './engine_error';
export type { AdapterDescription } from './adapter';
export type { DeviceBuffer } from './gpu_device';

/** Limits worth raising above WebGPU's defaults when the adapter has more. */
const RAISED_LIMITS = [
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxStorageBufferBindingSize',
  'maxBufferSize',
] as const;

const OPTIONAL_FEATURES = [
  'subgroups',
  'timestamp-query',
  'shader-f16',
] as const satisfies readonly GPUFeatureName[];

export interface DeviceOptions {
  /** Stay within WebGPU's default limits and features, whatever the adapter has. */
  readonly defaultsOnly?: boolean;
}

/** An opened device with what lowerings may know of it. Made by Device.request. */
export class Device extends GpuDevice {
  #quadsRejected: string | undefined;

  /** Throws EngineError `unsupported` with a sentence when there is no adapter or it gives no device. */
  static async request(gpu: GPU | undefined, options: DeviceOptions = {}): Promise<Device> {
    const adapter = await requestAdapter(gpu);
    const requiredLimits: Record<string, number> = {};
    const requiredFeatures: GPUFeatureName[] = [];
    if (!options.defaultsOnly) {
      for (const limit of RAISED_LIMITS) requiredLimits[limit] = adapter.limits[limit];
      requiredFeatures.push(...OPTIONAL_FEATURES.filter((feature) => adapter.features.has(feature)));
    }
    const device = new Device(
      await requestDevice(adapter, { requiredLimits, requiredFeatures }),
      adapter.info,
      await adapterKey(adapter),
    );
    if (device.features.has('subgroups')) device.#quadsRejected = await quadsRejected(device);
    return device;
  }

  /** Why kernels do not use the subgroups that the device has; undefined where it has none or they are used. */
  get quadsRejected(): string | undefined {
    return this.#quadsRejected;
  }

  /** What lowerings may know of this device. */
  get capabilities(): Omit<Lowering, 'scratch' | 'isUsed'> {
    return {
      limits: this.limits,
      subgroups: this.features.has('subgroups') && this.#quadsRejected === undefined,
      half: this.features.has('shader-f16'),
      software: this.adapter.software,
      vendor: this.adapter.vendor,
    };
  }
}
