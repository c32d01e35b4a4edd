import { requestNodeGpu } from '../../../src/cli/node_gpu';

let gpu: GPU | undefined;

/**
 * Dawn without a GPU behind it: it checks shaders and calls, counts and copies as it does with one, but makes no machine
 * code of the shaders, which a software driver does for seconds, and computes nothing. It has float16. One for the process,
 * because Dawn ends with its last reference.
 */
export async function requestNullGpu(): Promise<GPU> {
  await requestNodeGpu();
  const { create } = await import('webgpu');
  return (gpu ??= create(['backend=null']));
}
