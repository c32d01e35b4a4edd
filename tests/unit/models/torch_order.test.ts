import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { inTorchOrder } from '../../../src/models/torch_order';

const CASES = join(import.meta.dirname, '../../golden/cases');

/** PyTorch wrote the names into these files in its own order. */
function names(file: string): string[] {
  const bytes = readFileSync(join(CASES, file));
  const header = bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE(0))).toString();
  return Object.keys(JSON.parse(header) as object).flatMap((name) =>
    name.startsWith('param.') && !/running_|num_batches/.test(name) ? [name.slice('param.'.length)] : [],
  );
}

test.each(['detector.conv', 'detector.mamba2', 'train.mamba2'])(
  'parameters of %s stand as in PyTorch',
  (name) => {
    const listed = names(`${name}.safetensors`);
    expect(listed.length).toBeGreaterThan(150);
    expect(inTorchOrder([...listed].sort())).toEqual(listed);
    expect(() => inTorchOrder(['encoder.unheard.weight'])).toThrow('the detector has no part named unheard');
  },
);
