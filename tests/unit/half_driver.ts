/**
 * Before the tests of float16: SwiftShader has none, Mesa's software driver does, from version 23 on. Where it is installed
 * and Dawn takes it, this process uses it. Not where there is a GPU, or a driver that somebody chose.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { linuxHasGpu } from '../../src/cli/node_gpu';

const FOLDER = '/usr/share/vulkan/icd.d';

function lavapipe(): string | undefined {
  const { VK_DRIVER_FILES, VK_ICD_FILENAMES } = process.env;
  if (process.platform !== 'linux' || linuxHasGpu() || VK_DRIVER_FILES || VK_ICD_FILENAMES) return undefined;
  const name = existsSync(FOLDER) ? readdirSync(FOLDER).find((file) => file.startsWith('lvp_')) : undefined;
  return name && join(FOLDER, name);
}

const driver = lavapipe();
if (driver !== undefined) {
  process.env['VK_DRIVER_FILES'] = driver;
  const { create } = await import('webgpu');
  const adapter = await create([]).requestAdapter();
  if (!adapter?.features.has('shader-f16')) {
    delete process.env['VK_DRIVER_FILES'];
    console.warn(`${driver} gives no adapter with float16, so its tests on a GPU are skipped.`);
  }
}
