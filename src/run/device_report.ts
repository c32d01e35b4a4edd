/** What the page is told about the device. */
import type { Device } from '../engine/device';
import type { DeviceProfile } from '../engine/profile';
import type { DeviceReport } from './protocol';

const LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupsPerDimension',
] as const satisfies readonly (keyof GPUSupportedLimits)[];

/** What a run records of its GPU; measured rates are null where no profile was made. */
export function reportDevice(
  { adapter, features, limits, quadsRejected }: Device,
  profile: DeviceProfile | undefined,
): DeviceReport {
  return {
    ...adapter,
    features: [...features].sort(),
    quadsRejected: quadsRejected ?? null,
    limits: LIMITS.map((name) => [name, limits[name]] as const),
    bandwidthBytesPerSecond: profile?.bandwidthBytesPerSecond ?? null,
    flopsPerSecond: profile?.flopsPerSecond ?? null,
  };
}
