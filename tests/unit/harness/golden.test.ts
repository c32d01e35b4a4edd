import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { parse, write, type SafetensorsTensor } from '../../../src/checkpoints/safetensors';
import { runFiles } from '../../golden/main';
import { permute } from '../../golden/runner/case';
import { formatVerdict, judge, relativeError } from '../../golden/runner/compare';
import { nodeEngine } from '../../golden/runner/engines';
import { GoldenRunner } from '../../golden/runner/run';
import { CASES, golden, NAMES } from '../../golden/cases';
import { FULL } from '../../full';
import { testDevice } from '../engine/check-op';

const fileOf = (name: string): Buffer => readFileSync(join(CASES, `${name}.safetensors`));

const device = testDevice();
const defaults = testDevice({ defaultsOnly: true });

/**
 * Cases of ops whose every variant is compared with float64 by a test of its own, on both kinds of limits, the scans over several
 * intervals and chunks: of them the float64 values are compared with PyTorch's. A full run computes them by kernels, too.
 */
const BY_REFERENCE = /^(selective_scan|ssd_scan|conv1d|conv_transpose1d|linear)\./;

/** Layers and whole detectors, whose float64 values are compared with PyTorch's too. */
const LAYERS = /^(mamba|bimamba|detector)/;

/** Kernels that default limits change: the tests of their ops compare what they become there with float64. */
const ON_DEFAULTS = /^(conv1d|layer_norm|linear|rms_norm|selective_scan|ssd_scan)/;

/** Cases of more than one op whose every kernel a longer one runs too, at other sizes at most. */
const PARTS: Readonly<Record<string, string>> = {
  'bimamba2.layer': 'train.mamba2',
  'detector.conv': 'train.conv',
  'detector.mamba2': 'train.mamba2',
  'mamba2.block': 'train.mamba2',
};

describe('golden cases', () => {
  const inFloat64 = NAMES.filter((name) => BY_REFERENCE.test(name) || LAYERS.test(name));
  test.each(inFloat64)('%s, in float64', (name) => {
    const verdict = GoldenRunner.reference(name, fileOf(name));
    expect(verdict.passed, formatVerdict(verdict)).toBe(true);
  });

  test.for(NAMES)('%s, on the limits and features of the adapter', async (name, { skip }) => {
    if (BY_REFERENCE.test(name) && !FULL) skip('compared in float64');
    if (name in PARTS && !FULL) skip(`compared in float64, and its kernels are run by ${PARTS[name]}`);
    const verdict = await (await nodeEngine({}, device())).run(name, fileOf(name));
    expect(verdict.passed, formatVerdict(verdict)).toBe(true);
  });

  test.for(NAMES)('%s, on default limits only', async (name, { skip }) => {
    const file = fileOf(name);
    const [raised, engine] = [await nodeEngine({}, device()), await nodeEngine({}, defaults())];
    const [own, others] = [await engine.kernels(file), await raised.kernels(file)];
    const differing = [...own].filter(([code]) => !others.has(code)).map(([, kernel]) => kernel);
    expect(differing.filter((kernel) => !ON_DEFAULTS.test(kernel))).toEqual([]);
    if (name !== 'mamba1.block' && !FULL)
      skip('its graph is compared on raised limits, and what differs by the tests of the ops');
    const verdict = await engine.run(name, file);
    expect(verdict.passed, formatVerdict(verdict)).toBe(true);
  });
});

/** A case with some of its tensors or metadata changed. */
function changed(
  name: string,
  edit: (tensors: Map<string, SafetensorsTensor>, metadata: Record<string, string>) => void,
): Uint8Array {
  const { tensors, metadata } = parse(fileOf(name));
  const copies = new Map(
    [...tensors].map(([key, tensor]) => [key, { ...tensor, data: tensor.data.slice() }]),
  );
  const edited = { ...metadata };
  edit(copies as Map<string, SafetensorsTensor>, edited);
  return write(copies as Map<string, SafetensorsTensor>, edited);
}

function values(tensors: ReadonlyMap<string, SafetensorsTensor>, name: string): Float32Array {
  const data = tensors.get(name)?.data;
  if (!(data instanceof Float32Array)) throw new Error(`${name} is missing`);
  return data;
}

/** Moves one value so that the tensor's relative error becomes about `error`. */
function perturb(tensors: ReadonlyMap<string, SafetensorsTensor>, name: string, error: number): void {
  const data = values(tensors, name);
  data[0] = (data[0] as number) + error * Math.hypot(...data);
}

describe('a case fails', () => {
  const verdictOf = async (file: Uint8Array): Promise<string> => {
    const engine = await nodeEngine({}, device());
    return formatVerdict(await engine.run('case', file)).replace(/ +/g, ' ');
  };
  const small = 'selective_scan.small';

  test.each([
    ['out.y', 2e-5, /out\.y \S+e-5 FAIL$/],
    ['out.y', 5e-6, /out\.y \S+e-6 pass$/],
    ['grad.B', 2e-4, /grad\.B \S+e-4 FAIL$/],
    ['grad.B', 5e-5, /grad\.B \S+e-5 pass$/],
    ['grad.delta_bias', 2e-4, /grad\.delta_bias \S+e-4 FAIL$/],
  ])('beyond its bound, not within: %s off by %d', async (tensor, error, line) => {
    expect(await verdictOf(changed(small, (tensors) => perturb(tensors, tensor, error)))).toMatch(line);
  });

  test.each(['out.y', 'grad.A', 'in.u'])('with a NaN in %s', async (name) => {
    const file = changed(small, (tensors) => (values(tensors, name)[3] = NaN));
    expect(await verdictOf(file)).toMatch(/ NaN FAIL$/);
  });

  test('when a tensor of two axes is swapped', async () => {
    const file = changed(small, (tensors) => {
      const y = values(tensors, 'out.y');
      tensors.set('out.y', { dtype: 'F32', shape: [2, 37, 6], data: y });
    });
    expect(await verdictOf(file)).toMatch(/out\.y has shape \[2, 37, 6\].*\[2, 6, 37\] FAIL$/);
  });

  test.each<[string, Parameters<typeof changed>[1], RegExp]>([
    ['its op is unknown', (_, metadata) => (metadata['op'] = 'toString'), /^case unknown op toString FAIL$/],
    ['it names no op', (_, metadata) => delete metadata['op'], /names no op FAIL$/],
    [
      'its attributes are broken',
      (_, metadata) => (metadata['attrs'] = '{'),
      /attributes are not JSON.* FAIL$/,
    ],
    [
      'an attribute is wrong',
      (_, m) => (m['attrs'] = '{"delta_softplus": 1}'),
      /delta_softplus is 1, not true or false FAIL$/,
    ],
    ['an input is missing', (tensors) => tensors.delete('in.B'), /in\.B is missing FAIL$/],
    [
      'it has an input too many',
      (t) => t.set('in.E', { dtype: 'F32', shape: [1], data: new Float32Array(1) }),
      /in\.E is nothing/,
    ],
    ['it has a gradient too many', (tensors) => tensors.delete('in.D'), /grad\.D belongs to no input/],
    ['it has no cotangent', (tensors) => tensors.delete('cot.y'), /no cotangent FAIL$/],
    [
      'it holds other numbers than float32',
      (t) => t.set('in.A', { dtype: 'F64', shape: [1], data: new Float64Array(1) }),
      /in\.A is F64/,
    ],
    [
      'the op rejects the shapes',
      (t) => t.set('in.D', { dtype: 'F32', shape: [7], data: new Float32Array(7) }),
      /selective_scan\(u .*D must be \[6\].* FAIL$/,
    ],
    [
      'it compares nothing',
      (t) => [...t.keys()].filter((k) => !k.startsWith('in.')).forEach((k) => t.delete(k)),
      /FAIL$/,
    ],
  ])('when %s', async (_, edit, line) => {
    expect(await verdictOf(changed(small, edit))).toMatch(line);
  });

  test('when its file is broken', async () => {
    expect(await verdictOf(fileOf(small).subarray(0, 2000))).toMatch(
      /^case tensor "\S+": data_offsets ends at .* FAIL$/,
    );
  });

  test('when a parameter of the model is missing or unknown', async () => {
    const without = changed('mamba1.block', (tensors) => tensors.delete('param.D'));
    expect(await verdictOf(without)).toMatch(/param\.D is missing FAIL$/);
    const more = changed('mamba1.block', (tensors) =>
      tensors.set('param.E', { dtype: 'F32', shape: [1], data: new Float32Array(1) }),
    );
    expect(await verdictOf(more)).toMatch(/param\.E is nothing that model\.mamba1 has FAIL$/);
  });
});

describe('the command', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'smokescan-golden-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('prints a line a case, in order, then the count; one failure does not stop the others', async () => {
    writeFileSync(
      join(folder, 'b.safetensors'),
      changed('selective_scan.one', (_, m) => (m['op'] = 'conv9d')),
    );
    for (const name of ['c', 'a'])
      copyFileSync(join(CASES, 'selective_scan.one.safetensors'), join(folder, `${name}.safetensors`));
    writeFileSync(join(folder, 'notes.txt'), '');
    const { code, lines } = await golden(folder);
    expect(lines).toEqual([
      expect.stringMatching(/^a +\S+\.\S+ +\d\.\d\de-\d +pass$/),
      expect.stringMatching(/^b +unknown op conv9d +FAIL$/),
      expect.stringMatching(/^c .* pass$/),
      '2 passed, 1 failed',
    ]);
    expect(code).toBe(1);
  });

  test('succeeds when all cases pass', async () => {
    copyFileSync(join(CASES, 'selective_scan.one.safetensors'), join(folder, 'a.safetensors'));
    const { code, lines } = await golden(folder, '--defaults');
    expect(lines.at(-1)).toBe('1 passed, 0 failed');
    expect(code).toBe(0);
  });

  test('fails on a folder without a case, and on wrong arguments', async () => {
    expect(await golden(folder)).toEqual({
      code: 1,
      lines: [],
      errors: [`${folder} has no golden case (*.safetensors).`],
    });
    const missing = join(folder, 'missing');
    expect(await golden(missing)).toMatchObject({ code: 2, errors: [`There is no folder ${missing}.`] });
    expect(await golden()).toMatchObject({ code: 2, errors: [expect.stringContaining('Usage:')] });
    expect(await golden(folder, '--fast')).toMatchObject({
      code: 2,
      errors: [expect.stringContaining("'--fast'")],
    });
  });

  test('fails when the engine complains, even if all cases pass', async () => {
    copyFileSync(join(CASES, 'selective_scan.one.safetensors'), join(folder, 'a.safetensors'));
    vi.spyOn(console, 'log').mockReturnValue(undefined);
    const error = vi.spyOn(console, 'error').mockReturnValue(undefined);
    const engine = { ...(await nodeEngine({}, device())), complaints: ['page: oh'] };
    expect(await runFiles(engine, folder, ['a.safetensors'])).toBe(1);
    expect(error.mock.calls).toEqual([['page: oh']]);
    vi.restoreAllMocks();
  });
});

test('rms_norm, which has no case of its own', async () => {
  const f32 = (shape: number[], data: number[]): SafetensorsTensor => ({
    dtype: 'F32',
    shape,
    data: new Float32Array(data),
  });
  const rms = Math.sqrt((9 + 16) / 2);
  const tensors = new Map([
    ['in.x', f32([1, 2], [3, 4])],
    ['in.weight', f32([2], [1, -2])],
    ['out.y', f32([1, 2], [3 / rms, -8 / rms])],
    ['cot.y', f32([1, 2], [1, 0])],
    ['grad.weight', f32([2], [3 / rms, 0])],
    // ∂(x₀ / rms) / ∂x = (1/rms − x₀² / (2 rms³), −x₀ x₁ / (2 rms³))
    ['grad.x', f32([1, 2], [1 / rms - 9 / 2 / rms ** 3, -12 / 2 / rms ** 3])],
  ]);
  const engine = await nodeEngine({}, device());
  const verdict = await engine.run('rms_norm', write(tensors, { op: 'rms_norm', attrs: '{"eps": 0}' }));
  expect(verdict.passed, formatVerdict(verdict)).toBe(true);
});

test('running statistics after one forward pass in training mode', async () => {
  const f32 = (shape: number[], data: number[]): SafetensorsTensor => ({
    dtype: 'F32',
    shape,
    data: new Float32Array(data),
  });
  // x [1, c, l] of one channel: mean 3, variance 8/3, unbiased 4.
  const tensors = new Map([
    ['in.x', f32([1, 1, 3], [1, 3, 5])],
    ['in.weight', f32([1], [1])],
    ['in.bias', f32([1], [3])],
    ['out.y', f32([1, 1, 3], [3 - Math.sqrt(1.5), 3, 3 + Math.sqrt(1.5)])],
    ['buffer.running_mean', f32([1], [0.3])],
    ['buffer.running_var', f32([1], [1.3])],
  ]);
  const engine = await nodeEngine({}, device());
  const run = async (): Promise<string> => {
    const metadata = { op: 'batch_norm', attrs: '{"training": true, "eps": 0, "momentum": 0.1}' };
    return formatVerdict(await engine.run('batch_norm', write(tensors, metadata)));
  };
  expect(await run()).toMatch(/pass$/);
  tensors.set('buffer.running_var', f32([1], [0.9 + 0.8 / 3]));
  expect(await run()).toMatch(/buffer\.running_var .* FAIL$/);
  tensors.set('buffer.other', f32([1], [0]));
  expect(await run()).toMatch(/buffer\.other is no buffer of batch_norm .*FAIL$/);
});

describe('errors and verdicts', () => {
  test('the error is relative to the expected tensor, and absolute where that is 0', () => {
    expect(relativeError([3, 4.5], [3, 4])).toBeCloseTo(0.1, 12);
    expect(relativeError([0, 3e-7], [0, 0])).toBeCloseTo(3e-7, 12);
    expect(relativeError([0, 0], [0, 0])).toBe(0);
    expect(relativeError([1, NaN], [1, 2])).toBeNaN();
    expect(relativeError([NaN], [0])).toBeNaN();
    expect(relativeError([Infinity], [1])).toBe(Infinity);
    expect(() => relativeError([1], [1, 2])).toThrow(RangeError);
  });

  test('the worst tensor is the furthest beyond its own bound, NaN before all', () => {
    const y = { tensor: 'out.y', error: 2e-5, bound: 1e-5 };
    const grad = { tensor: 'grad.x', error: 9e-5, bound: 1e-4 };
    const nan = { tensor: 'grad.w', error: NaN, bound: 1e-4 };
    expect(judge('a', [grad, y])).toEqual({ name: 'a', passed: false, tensor: 'out.y', error: 2e-5 });
    expect(judge('a', [grad])).toMatchObject({ passed: true });
    expect(judge('a', [grad, y, nan])).toMatchObject({ passed: false, tensor: 'grad.w' });
    expect(judge('a', [])).toMatchObject({ passed: false });
  });

  test('axes are permuted', () => {
    const values = { shape: [2, 3, 4], data: Float32Array.from({ length: 24 }, (_, i) => i) };
    const { shape, data } = permute(values, [2, 0, 1]);
    expect(shape).toEqual([4, 2, 3]);
    // [c, a, b] of the result is [a, b, c] of the values.
    expect(data[1 * 6 + 1 * 3 + 2]).toBe(1 * 12 + 2 * 4 + 1);
    expect(permute({ shape, data }, [1, 2, 0])).toEqual(values);
  });
});
