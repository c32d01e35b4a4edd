import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { OrderedDict, type PythonValue } from '../../../src/checkpoints/python';
import { write, type SafetensorsTensor } from '../../../src/checkpoints/safetensors';
import { splitStateDict } from '../../../src/checkpoints/state_file';
import { writeTorch } from '../../../src/checkpoints/torch';
import { requestNodeDevice } from '../../../src/cli/node_device';
import { evaluationGraph } from '../../../src/detection/evaluation';
import { checkWeights, restoreWeights, type Weights } from '../../../src/detection/restore';
import { configOf, readWeightsFile, type DetectorWeights } from '../../../src/detection/weights';
import { Parameters } from '../../../src/engine/packs';
import { Program } from '../../../src/engine/program';
import { readCase, tensorOf, type GoldenCase } from '../../golden/runner/case';

const CASES = join(dirname(fileURLToPath(import.meta.url)), '../../golden/cases');
const golden = (name: string): GoldenCase => readCase(readFileSync(join(CASES, `${name}.safetensors`)));

/**
 * The state dict of a golden case. Its logits are of a pass in training mode, by the batch's own mean and variance; the
 * case has the running statistics after it, 0.9 · (0 or 1) + 0.1 · (mean or unbiased variance), from which those of the
 * batch follow. With them as running statistics, evaluation mode gives the same logits.
 */
function stateDict(golden: GoldenCase): Map<string, SafetensorsTensor> {
  const [batch = 0, , length = 0] = tensorOf(golden, 'in.x').shape;
  const tensors = new Map<string, SafetensorsTensor>();
  for (const [name, { shape, data }] of golden.tensors) {
    const parameter = /^param\.(.*)$/.exec(name)?.[1];
    if (parameter !== undefined) tensors.set(parameter, { dtype: 'F32', shape, data });
    const buffer = /^buffer\.(.*)$/.exec(name)?.[1];
    if (buffer === undefined) continue;
    const samples = batch * (length / 2 ** halvings(buffer));
    const values = buffer.endsWith('running_mean')
      ? data.map((value) => value / 0.1)
      : data.map((value) => (((value - 0.9) / 0.1) * (samples - 1)) / samples);
    tensors.set(buffer, { dtype: 'F32', shape, data: values });
  }
  return tensors;
}

/** A hash over names and bytes, in the order of the names. */
function bits({ parameters, buffers }: Weights): string {
  const hash = createHash('sha256');
  for (const [name, { data }] of [...parameters, ...buffers].sort(([a], [b]) => (a < b ? -1 : 1)))
    hash.update(name).update(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
  return hash.digest('hex');
}

/** How often the length was halved where a norm stands. */
function halvings(name: string): number {
  const stage = Number(/\.(\d)\./.exec(name)?.[1] ?? 0);
  if (name.startsWith('encoder.input_conv')) return 0;
  if (name.startsWith('encoder')) return stage;
  return name.startsWith('rescnn') ? 4 : 3 - stage;
}

const bytesOf = (parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> =>
  new Uint8Array(Buffer.concat(parts));

const trained = (state: Map<number, PythonValue>, count: number) =>
  new Map<string, PythonValue>([
    ['state', state],
    [
      'param_groups',
      [new Map<string, PythonValue>([['params', Array.from({ length: count }, (_, i) => i)]])],
    ],
  ]);

describe.each(['detector.conv', 'detector.mamba2'])('%s', (name) => {
  const tensors = stateDict(golden(name));

  const fromTorch = (): DetectorWeights => readWeightsFile(bytesOf(writeTorch(new OrderedDict(tensors))));

  test('has the sizes that its shapes say', () => {
    expect(configOf(fromTorch())).toMatchObject({
      baseChannels: 4,
      depth: 4,
      rescnnBlocks: 3,
      kernelSizes: [3, 5, 7],
      layers: 2,
      mixer: name === 'detector.conv' ? 'conv' : 'mamba2',
      ...(name === 'detector.mamba2' && { dState: 16, expand: 2, headdim: 16 }),
    });
  });

  // One of them on the GPU is enough: compiling takes seconds, and both are golden cases of their own.
  test.runIf(name === 'detector.mamba2')('gives PyTorch’s logits within 1e-5', async () => {
    const weights = fromTorch();
    const config = configOf(weights);
    const x = tensorOf(golden(name), 'in.x');
    const [batch = 0, channels = 0, length = 0] = x.shape;
    const evaluation = evaluationGraph(config, batch, 'float32', length);
    checkWeights(evaluation, weights);
    const device = await requestNodeDevice();
    const parameters = await Parameters.create(device, evaluation.graph, { training: false });
    const program = await Program.compile(device, evaluation.graph, {
      outputs: [evaluation.logits],
      parameters,
    });
    restoreWeights({ parameters, declared: evaluation.declared }, weights);
    const lastAxis = new Float32Array(x.data.length);
    for (let b = 0; b < batch; b++)
      for (let c = 0; c < channels; c++)
        for (let t = 0; t < length; t++)
          lastAxis[(b * length + t) * channels + c] = x.data[(b * channels + c) * length + t] ?? NaN;
    program.write(evaluation.x, lastAxis);
    program.run();
    const logits = (await program.read()).get(evaluation.logits) as Float32Array;
    const expected = tensorOf(golden(name), 'out.y').data;
    let [difference, size] = [0, 0];
    for (const [i, want] of expected.entries()) {
      difference += ((logits[i] ?? NaN) - want) ** 2;
      size += want ** 2;
    }
    expect(Math.sqrt(difference / size)).toBeLessThan(1e-5);
    program.destroy();
    parameters.destroy();
  });

  test('are the same from safetensors and from within a checkpoint, with the prefixes of PyTorch’s wrappers', () => {
    const { parameters, buffers } = splitStateDict(tensors);
    const same = (weights: DetectorWeights): void => {
      expect(bits(weights)).toBe(bits({ parameters, buffers }));
    };
    same(readWeightsFile(new Uint8Array(write(tensors))));
    same(readWeightsFile(bytesOf(writeTorch(new Map([['state_dict', new OrderedDict(tensors)]])))));
    const wrapped = new OrderedDict([...tensors].map(([key, tensor]) => [`module._orig_mod.${key}`, tensor]));
    same(readWeightsFile(bytesOf(writeTorch(new Map([['model_state_dict', wrapped]])))));
  });
});

describe('weights with both mixers', () => {
  const { parameters: conv } = splitStateDict(stateDict(golden('detector.conv')));
  const tensors = stateDict(golden('detector.mamba2'));
  for (const [name, { shape, data }] of conv)
    if (name.includes('_mamba_fallback.')) tensors.set(name, { dtype: 'F32', shape, data });
  const names = [...splitStateDict(tensors).parameters.keys()];
  const file = (updated: RegExp | undefined): Uint8Array<ArrayBuffer> => {
    const moments = new Map<number, PythonValue>();
    for (const [i, name] of names.entries()) if (updated?.test(name)) moments.set(i, new Map());
    const root = new Map<string, PythonValue>([['model_state_dict', new OrderedDict(tensors)]]);
    if (updated) root.set('optimizer_state_dict', trained(moments, names.length));
    return bytesOf(writeTorch(root));
  };

  test.each([
    ['Mamba-2, where nothing says otherwise', undefined, 'mamba2'],
    ['the convolution, where the optimizer has moments of it alone', /_fallback\.|encoder/, 'conv'],
    ['Mamba-2, where the optimizer has moments of it alone', /_real\.|encoder/, 'mamba2'],
  ] as const)('are those of %s', (_, updated, mixer) => {
    const weights = readWeightsFile(file(updated));
    expect(configOf(weights).mixer).toBe(mixer);
    expect(configOf(weights, 'conv')).toMatchObject({ mixer: 'conv', convKernel: 5 });
  });
});

describe('what are no weights', () => {
  const weightsOf = (tensors: ReadonlyMap<string, SafetensorsTensor>): DetectorWeights => ({
    ...splitStateDict(tensors),
    mixer: undefined,
  });

  test('says what lacks', () => {
    const tensors = stateDict(golden('detector.conv'));
    expect(() => configOf(weightsOf(new Map()))).toThrow(/they lack encoder.input_conv.conv.weight/);
    expect(() => configOf(weightsOf(tensors), 'mamba2')).toThrow(
      /not those of the mixer mamba2; choose conv/,
    );
    tensors.delete('encoder.input_conv.bn.running_var');
    const weights = weightsOf(tensors);
    expect(() => checkWeights(evaluationGraph(configOf(weights), 1), weights)).toThrow(
      /it lacks encoder.input_conv.bn.running_var/,
    );
  });

  test('are told from a file that holds none', () => {
    expect(() => readWeightsFile(new Uint8Array(0))).toThrow(/is empty/);
    const noise = Uint8Array.from({ length: 64 }, (_, i) => (i * 37 + 1) % 256);
    for (const file of [noise.slice(0, 8), noise])
      expect(() => readWeightsFile(file)).toThrow(/neither PyTorch’s \(\.pt\) nor safetensors/);
  });

  test('are read where the length of the header starts as a pickle does', () => {
    const weight = { dtype: 'F32' as const, shape: [1], data: Float32Array.of(1) };
    const pads = Array.from({ length: 40 }, (_, i) =>
      write(new Map([['a.weight', weight]]), { pad: 'x'.repeat(8 * i) }),
    );
    const file = pads.find((one) => one[0] === 0x80) as Uint8Array<ArrayBuffer>;
    expect([...readWeightsFile(file).parameters.keys()]).toEqual(['a.weight']);
  });

  test('names what a PyTorch file holds instead', () => {
    expect(() => readWeightsFile(bytesOf(writeTorch([1, 2])))).toThrow(/holds no state dict/);
    expect(() => readWeightsFile(bytesOf(writeTorch(new Map([['epoch', 3]]))))).toThrow(
      /"epoch" of the state dict is no named tensor/,
    );
  });
});
