import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { inTime } from '../engine/adapter';
import { SettingsError } from '../run/failure';

const NO_ADAPTER =
  'No WebGPU adapter was found: install a Vulkan driver for your GPU, or Chromium for its software driver ' +
  '(on Debian: apt-get install chromium), or set VK_DRIVER_FILES to the JSON file of a Vulkan driver.';

const DAWN_OPTIONS = [
  // Quantized timestamps are multiples of 65,536 ns, which is longer than many dispatches.
  'disable-dawn-features=timestamp_quantization',
  // For tests: each option as Dawn's `create` takes it, with a space between two.
  ...(process.env['DAWN_OPTIONS']?.split(' ') ?? []),
];

// The C library's value, which Node does not name: the library stays loaded when Node closes it again.
const RTLD_NODELETE = 0x1000;

/** Folders in which Linux packages of Chromium put the browser's libraries, SwiftShader among them. */
const CHROMIUM_FOLDERS = [
  '/usr/lib/chromium',
  '/usr/lib64/chromium-browser',
  '/usr/lib/chromium-browser',
  '/snap/chromium/current/usr/lib/chromium-browser',
  '/opt/google/chrome',
  '/opt/microsoft/msedge',
];

/** Whether this Linux machine shows a GPU: a render node, NVIDIA's device, or the one of WSL. Exported for its tests. */
export function linuxHasGpu(): boolean {
  return ['/dev/dri', '/dev/nvidia0', '/dev/dxg'].some((path) => existsSync(path));
}

let found: Promise<GPU> | undefined;

/**
 * WebGPU for Node: the same Dawn that Chromium has, on the machine's GPU or else on SwiftShader.
 * There is one GPU object per process, kept for good: Dawn ends with its last reference.
 * Defines GPUBufferUsage and the other WebGPU globals. Throws when there is no adapter at all.
 */
export function requestNodeGpu(): Promise<GPU> {
  return (found ??= findGpu());
}

/** The package is left to be installed by whoever needs it: most commands need no GPU, and it is large. */
async function webgpu(): Promise<typeof import('webgpu')> {
  try {
    return await import('webgpu');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND')
      throw new SettingsError(
        'This command computes on the GPU, for which Node needs the package webgpu: npm install webgpu beside smokescan, or npx -p smokescan -p webgpu smokescan …',
      );
    throw error;
  }
}

const answered = <T>(asked: Promise<T>): Promise<T> =>
  inTime(asked, 'the driver did not answer when asked for a graphics adapter');

async function findGpu(): Promise<GPU> {
  if (process.platform === 'linux') loadVulkan();
  const { create, globals } = await webgpu();
  Object.assign(globalThis, globals);
  pollEveryMillisecond();

  // Without a GPU the first try would only print the Vulkan loader's complaints.
  const userChoseDriver = Boolean(process.env['VK_DRIVER_FILES'] ?? process.env['VK_ICD_FILENAMES']);
  if (process.platform !== 'linux' || userChoseDriver || linuxHasGpu()) {
    const gpu = create(DAWN_OPTIONS);
    if (await answered(gpu.requestAdapter({ powerPreference: 'high-performance' }))) return gpu;
    if (process.platform !== 'linux' || userChoseDriver) throw new Error(NO_ADAPTER);
  }

  const driver = inChromium('vk_swiftshader_icd.json');
  if (driver === undefined) throw new Error(NO_ADAPTER);
  // Each create() makes a Vulkan instance, and the loader reads this variable anew for each.
  process.env['VK_DRIVER_FILES'] = driver;
  const gpu = create(DAWN_OPTIONS);
  if (!(await answered(gpu.requestAdapter()))) throw new Error(NO_ADAPTER);
  return gpu;
}

/**
 * Dawn's binding for Node looks for results in each turn of the event loop, by `setImmediate` and with a new function each
 * time: while a program waits for the GPU it keeps a core busy, which a software adapter needs itself. A look each
 * millisecond is enough. Of what is given to `setImmediate`, Dawn's functions are the native ones without a name.
 */
function pollEveryMillisecond(): void {
  const immediately = globalThis.setImmediate;
  const isPoll = (callback: (...args: never[]) => void): boolean =>
    callback.name === '' && Function.prototype.toString.call(callback).endsWith('{ [native code] }');
  const patient = (callback: (...args: unknown[]) => void, ...args: unknown[]) =>
    isPoll(callback) ? setTimeout(callback, 1) : immediately(callback, ...args);
  Object.assign(globalThis, { setImmediate: Object.assign(patient, immediately) });
}

/**
 * Dawn opens `libvulkan.so.1` by name. Debian without Vulkan has it only in Chromium's folder, where the
 * linker does not look, but a library that is loaded already is found by its name.
 */
function loadVulkan(): void {
  if (canLoad('libvulkan.so.1')) return;
  const path = inChromium('libvulkan.so.1');
  if (path !== undefined) canLoad(path);
}

/** Loads a library for good. Node says that it is no Node module, which shows that the linker found it. */
function canLoad(library: string): boolean {
  try {
    process.dlopen({ exports: {} }, library, constants.dlopen.RTLD_NOW | RTLD_NODELETE);
    return true;
  } catch (error) {
    return error instanceof Error && error.message.includes('did not self-register');
  }
}

function inChromium(file: string): string | undefined {
  return CHROMIUM_FOLDERS.map((folder) => join(folder, file)).find((path) => existsSync(path));
}
