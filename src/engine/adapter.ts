/** The graphics adapter: how it is asked for, what it is called, and which one it is. */
import { sha256 } from '../base/sha256';
import { messageOf } from '../base/text';
import { EngineError } from './engine_error';

/** What a browser tells of an adapter; it leaves parts empty for privacy. */
export interface AdapterDescription {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  /** Whether the processor computes in place of a GPU. */
  readonly software: boolean;
}

/** Drivers that run shaders on the CPU; not all of them set isFallbackAdapter. */
const SOFTWARE_ADAPTERS = /swiftshader|llvmpipe|lavapipe|basic render/i;

/** Seconds. A driver that works answers within one, on a busy machine within some. */
const PATIENCE = 60;

/** What an adapter says of itself, texts as they are, empty ones too. Software is what calls itself so, and drivers that are known to be. */
export const describeAdapter = ({
  vendor,
  architecture,
  device,
  description,
  isFallbackAdapter,
}: GPUAdapterInfo): AdapterDescription => ({
  vendor,
  architecture,
  device,
  description,
  software: isFallbackAdapter || SOFTWARE_ADAPTERS.test(`${architecture} ${description}`),
});

/** What an adapter calls itself, in words of its own where it has them. */
export const adapterName = ({
  vendor,
  architecture,
  device,
  description,
}: Omit<AdapterDescription, 'software'>): string =>
  description || [vendor, architecture, device].filter((part) => part !== '').join(' ') || 'a GPU';

/**
 * Tells adapters apart in whatever is remembered of them: a digest of all that the browser says of one, its names, the sizes of its
 * subgroups, its limits and features. Two GPUs of which it says the same have one key, as cards of one architecture in one computer
 * mostly do in Chromium, which names the architecture alone. A browser that says more after an update makes another key.
 */
export async function adapterKey({
  info,
  limits,
  features,
}: Pick<GPUAdapter, 'info' | 'limits' | 'features'>): Promise<string> {
  const { vendor, architecture, device, description, subgroupMinSize, subgroupMaxSize } = info;
  const given = [vendor, architecture, device, description, subgroupMinSize ?? '', subgroupMaxSize ?? ''];
  // The limits are getters of the prototype, which Object.entries does not see.
  for (const name in limits)
    given.push(`${name} ${limits[name as Exclude<keyof GPUSupportedLimits, '__brand'>]}`);
  const text = [...given, ...[...features].sort()].join('\n');
  return (await sha256(new TextEncoder().encode(text))).slice(0, 16);
}

/**
 * Which GPUs are cards for sure, by vendor and architecture as Dawn names them (src/dawn/gpu_info.json there). All others of Intel
 * and Qualcomm are in the processor. AMD's gcn-1 to -5, rdna-2 and rdna-3 are cards as well as parts of processors.
 */
const IS_CARD: Readonly<Record<string, (architecture: string) => boolean>> = {
  intel: (architecture) => architecture === 'gen-12hp' || architecture.endsWith('hpg'),
  amd: (architecture) => ['terascale-2', 'rdna-1', 'rdna-4', 'cdna-1'].includes(architecture),
  qualcomm: () => false,
};

const OTHER_GPU =
  'open Settings, System, Display, Graphics in Windows, choose this browser, set it to high performance, and start it again.';

/**
 * What a person should know of the adapter that a browser gave: that it is none but the processor, or that there may be a second,
 * faster GPU: Windows gives a browser the one that its own settings name, whatever a page asks for. Undefined where there is nothing.
 */
export function adapterHint(
  { vendor, architecture, software }: Pick<AdapterDescription, 'vendor' | 'architecture' | 'software'>,
  userAgent: string,
): string | undefined {
  if (software)
    return 'This is a software adapter: the processor computes in place of a GPU, many times slower. If this computer has a GPU, switch on hardware acceleration in the settings of this browser, or update the driver of the GPU, and start it again.';
  const isCard = IS_CARD[vendor];
  if (!/Windows/.test(userAgent) || !isCard || isCard(architecture)) return undefined;
  return vendor === 'amd'
    ? `Browsers do not say whether this GPU of AMD is a card or a part of the processor. If this computer has a faster one, ${OTHER_GPU}`
    : `This is the GPU inside the processor. If this computer has another, ${OTHER_GPU}`;
}

/** The adapter that all work here takes. Throws EngineError `unsupported` with a sentence where there is none. */
export async function requestAdapter(gpu: GPU | undefined): Promise<GPUAdapter> {
  if (!gpu)
    throw new EngineError('unsupported', 'this browser', 'it has no WebGPU (navigator.gpu is missing)');
  const adapter = await inTime(
    gpu.requestAdapter({ powerPreference: 'high-performance' }),
    'the browser did not answer when asked for a graphics adapter',
  );
  if (!adapter) throw new EngineError('unsupported', 'this machine', 'WebGPU finds no graphics adapter here');
  return adapter;
}

/** A device of the adapter. Throws EngineError `unsupported` with a sentence where it gives none. */
export async function requestDevice(adapter: GPUAdapter, asked: GPUDeviceDescriptor): Promise<GPUDevice> {
  const given = adapter.requestDevice(asked).catch((error: unknown) => {
    throw new EngineError('unsupported', 'the graphics adapter', `it gave no device (${messageOf(error)})`);
  });
  return inTime(given, 'the graphics adapter did not answer when asked for a device');
}

/** What `work` gives, or an error after a minute: some drivers never answer. */
export async function inTime<T>(work: Promise<T>, failure: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () =>
        reject(
          new EngineError(
            'unsupported',
            'this machine',
            `${failure}, for ${PATIENCE} seconds; start it again, or update the driver of the GPU`,
          ),
        ),
      1000 * PATIENCE,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
