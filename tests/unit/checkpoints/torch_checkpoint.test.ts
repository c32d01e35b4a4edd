import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Tuple, type PythonValue } from '../../../src/checkpoints/python';
import { readTorch, writeTorch } from '../../../src/checkpoints/torch';
import {
  readTorchCheckpoint,
  writeTorchCheckpoint,
  type AdamWSettings,
} from '../../../src/checkpoints/torch_checkpoint';
import { pythonWithTorch, torch } from './python';
import { PROGRESS, randomState } from './states';

/** Conv1d(2, 3, 3), BatchNorm1d(3), then a parameter that is never updated. */
const SHAPES = {
  'block.conv.weight': [3, 2, 3],
  'block.conv.bias': [3],
  'block.bn.weight': [3],
  'block.bn.bias': [3],
  'block.bn.running_mean': [3],
  'block.bn.running_var': [3],
  unused: [2],
};
const ADAMW: AdamWSettings = {
  learningRate: 3e-4,
  currentRate: 1.5e-4,
  betas: [0.9, 0.999],
  eps: 1e-8,
  weightDecay: 0.05,
};
const MORE = {
  epoch: 2,
  bestMetric: 0.75,
  config: { training: { epochs: 3, resume: false, rates: [10, 2.5] } },
};

function checkpointState() {
  const state = randomState(SHAPES);
  const without = (tensors: typeof state.parameters) =>
    new Map([...tensors].filter(([name]) => name !== 'unused'));
  return {
    ...state,
    firstMoments: without(state.firstMoments),
    secondMoments: without(state.secondMoments),
  };
}

async function bytesOf(parts: Uint8Array<ArrayBuffer>[]): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'smokescan-torch-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

test('what is written is read back', async () => {
  const state = checkpointState();
  const { progress, ...tensors } = state;
  const read = readTorchCheckpoint(await bytesOf(writeTorchCheckpoint(state, ADAMW, MORE)));
  expect(read).toEqual({ ...tensors, ...MORE, step: 7, batches: 14, optimizer: ADAMW });
  expect([...read.parameters.keys()]).toEqual([...state.parameters.keys()]);
  expect(progress).toBe(PROGRESS);
});

test('all kinds of values are written and read back', async () => {
  const values: PythonValue[] = [
    [0, 1, 255, 256, 65535, 65536, -1, -128, -129, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), 2 ** 53 - 1, -(2 ** 40)],
    [2n ** 60n, -(2n ** 63n), 2n ** 200n],
    [0.5, -0, NaN, Infinity, 1e300, 2 ** 60],
    ['', 'ünïcode 🧠', 'a\nb', true, false, null],
    new Tuple([]),
    new Tuple([1, new Tuple([2, 3]), 4, 5]),
    new Map<string | number, PythonValue>([
      [0, 'a'],
      ['', new Map()],
    ]),
    { dtype: 'BF16', shape: [2], data: Uint16Array.of(1, 2) },
    { dtype: 'BOOL', shape: [1, 2], data: Uint8Array.of(1, 0) },
    { dtype: 'F64', shape: [0, 3], data: new Float64Array() },
  ];
  const read = readTorch(await bytesOf(writeTorch(values)));
  expect(read).toEqual(values);
});

test('a dtype without a storage in PyTorch is not written', () => {
  expect(() => writeTorch({ dtype: 'U64', shape: [], data: BigUint64Array.of(1n) })).toThrow(
    /no storage for U64/,
  );
});

test('contradicting states are not written', () => {
  const state = checkpointState();
  const [first] = state.parameters.values();
  const write = (changed: Partial<typeof state>) => () =>
    writeTorchCheckpoint({ ...state, ...changed }, ADAMW, MORE);
  expect(write({ firstMoments: new Map() })).toThrow(
    /secondMoments: "block.conv.weight" has one moment of two/,
  );
  expect(write({ parameters: new Map([['x', { shape: [3], data: new Float32Array(2) }]]) })).toThrow(
    /"x" has 2 elements, and the shape \[3\]/,
  );
  expect(
    write({ firstMoments: new Map([['nobody', first ?? { shape: [], data: new Float32Array(1) }]]) }),
  ).toThrow(/"nobody" is no parameter/);
});

describe('files that are no checkpoint of the trainer', () => {
  const read = async (value: PythonValue) => {
    const bytes = await bytesOf(writeTorch(value));
    return () => readTorchCheckpoint(bytes);
  };
  test.each<[string, PythonValue, RegExp]>([
    ['a list', [], /the file is no dict/],
    ['an empty dict', new Map(), /it has no model_state_dict/],
    [
      'a state dict of numbers',
      new Map([['model_state_dict', new Map([['x', 1]])]]),
      /"x" is no named tensor/,
    ],
    [
      'half precision',
      new Map([
        [
          'model_state_dict',
          new Map([['x', { dtype: 'F16', shape: [1], data: Uint16Array.of(1) } as const]]),
        ],
      ]),
      /"x" is F16; weights are read as F32 only/,
    ],
  ])('%s', async (_, value, message) => {
    expect(await read(value)).toThrow(message);
  });
});

const MODEL = `
import json, sys, pathlib, collections, torch
torch.manual_seed(0)
class Block(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv1d(2, 3, 3, padding=1)
        self.bn = torch.nn.BatchNorm1d(3)
class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.unused = torch.nn.Parameter(torch.zeros(2))
        self.block = Block()
    def forward(self, x):
        return torch.relu(self.block.bn(self.block.conv(x))).sum(1)
def build():
    model = Model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4, weight_decay=0.05)
    return model, optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, lambda i: 1 / (1 + i))
def train(model, optimizer, scheduler, x):
    optimizer.zero_grad(); model.train(); (model(x) ** 2).mean().backward(); optimizer.step(); scheduler.step()
x = torch.linspace(-1, 1, 2 * 2 * 5).reshape(2, 2, 5)
`;

describe.skipIf(pythonWithTorch === undefined)('with PyTorch', () => {
  test('our file loads strictly, gives the same logits, and the optimizer steps on', async () => {
    const path = join(folder, 'ours.pt');
    const state = checkpointState();
    // In PyTorch the module's own parameters come before its children's.
    const order = ['unused', ...Object.keys(SHAPES).slice(0, 6)];
    const parameters = new Map(
      order.flatMap((name) => {
        const tensor = state.parameters.get(name);
        return tensor ? [[name, tensor] as const] : [];
      }),
    );
    writeFileSync(path, await bytesOf(writeTorchCheckpoint({ ...state, parameters }, ADAMW, MORE)));
    const result = torch(
      `${MODEL}
c = torch.load(sys.argv[1], map_location='cpu')
model, optimizer, scheduler = build()
model.load_state_dict(c['model_state_dict'], strict=True)
optimizer.load_state_dict(c['optimizer_state_dict'])
scheduler.load_state_dict(c['scheduler_state_dict'])
model.eval()
logits = model(x).flatten().tolist()
before = model.block.bn.weight.tolist()
model.block.bn.weight.grad = torch.tensor([0.1, -0.2, 0.3])
optimizer.step(); scheduler.step()
print(json.dumps(dict(logits=logits, keys=list(c), epoch=c['epoch'], best=c['best_metric'], config=c['config'],
  before=before, after=model.block.bn.weight.tolist(), lr=optimizer.param_groups[0]['lr'],
  tracked=[str(model.block.bn.num_batches_tracked.dtype), list(model.block.bn.num_batches_tracked.shape), model.block.bn.num_batches_tracked.item()],
  epochs=scheduler.last_epoch, steps=optimizer.state[model.block.bn.weight]['step'].item())))`,
      path,
    );
    const bn = state.parameters.get('block.bn.weight')?.data ?? new Float32Array();
    expect(result).toMatchObject({
      keys: [
        'epoch',
        'model_state_dict',
        'optimizer_state_dict',
        'best_metric',
        'scheduler_state_dict',
        'config',
      ],
      epoch: 2,
      best: 0.75,
      config: MORE.config,
      before: [...bn],
      tracked: ['torch.int64', [], 14],
      steps: 8,
      epochs: 8,
      lr: expect.closeTo(3e-4 / 9, 12) as number,
    });
    const { logits, after } = result as { logits: number[]; after: number[] };
    logits.forEach((logit, i) => expect(Math.abs(logit - (forward(state)[i] ?? NaN))).toBeLessThan(1e-5));
    after.forEach((value, i) =>
      expect(value).toBeCloseTo(adamw(state, 'block.bn.weight', i, [0.1, -0.2, 0.3]), 6),
    );
  });

  test('PyTorch’s own file goes through us and trains on to the same bits', async () => {
    const [theirs, ours] = [join(folder, 'theirs.pt'), join(folder, 'through.pt')];
    torch(
      `${MODEL}
model, optimizer, scheduler = build()
for _ in range(3): train(model, optimizer, scheduler, x)
torch.save(dict(epoch=1, model_state_dict=model.state_dict(), optimizer_state_dict=optimizer.state_dict(), best_metric=0.5,
  scheduler_state_dict=scheduler.state_dict(), config=dict(data=dict(dir=pathlib.Path('/data/edf'), rel=pathlib.Path('a/b')), t=(1, 2.5), n=None)), sys.argv[1])
print('{}')`,
      theirs,
    );
    const read = readTorchCheckpoint(new Uint8Array(readFileSync(theirs)));
    expect(read).toMatchObject({
      epoch: 1,
      bestMetric: 0.5,
      step: 3,
      batches: 3,
      config: { data: { dir: '/data/edf', rel: 'a/b' }, t: [1, 2.5], n: null },
      optimizer: { ...ADAMW, currentRate: 3e-4 / 4 },
    });
    expect(read.firstMoments.has('unused')).toBe(false);
    const state = { ...read, progress: { ...PROGRESS, step: read.step, batches: read.batches } };
    writeFileSync(ours, await bytesOf(writeTorchCheckpoint(state, read.optimizer, read)));
    const same = torch(
      `${MODEL}
runs = []
for path in sys.argv[1:]:
    c = torch.load(path)
    model, optimizer, scheduler = build()
    model.load_state_dict(c['model_state_dict']); optimizer.load_state_dict(c['optimizer_state_dict']); scheduler.load_state_dict(c['scheduler_state_dict'])
    for _ in range(3): train(model, optimizer, scheduler, x)
    runs.append((model.state_dict(), optimizer.state_dict(), scheduler.state_dict()))
a, b = runs
tensors = all(torch.equal(a[0][k], b[0][k]) and a[0][k].dtype == b[0][k].dtype and a[0][k].shape == b[0][k].shape for k in a[0])
moments = all(torch.equal(a[1]['state'][i][k], b[1]['state'][i][k]) for i in a[1]['state'] for k in a[1]['state'][i])
group = all(a[1]['param_groups'][0][k] == b[1]['param_groups'][0][k] for k in a[1]['param_groups'][0])
print(json.dumps([list(a[0]) == sorted(b[0], key=list(a[0]).index), tensors, list(a[1]['state']) == list(b[1]['state']), moments, group, a[2] == b[2]]))`,
      theirs,
      ours,
    );
    expect(same).toEqual([true, true, true, true, true, true]);
  });

  test('tensors of other dtypes, layouts and storages are read as PyTorch has them', () => {
    const path = join(folder, 'mixed.pt');
    torch(
      `${MODEL}
base = torch.arange(24, dtype=torch.float32)
values = dict(t=base.reshape(4, 6).t(), row=base.reshape(4, 6)[2], step=base[1::5], half=torch.tensor([1.5], dtype=torch.float16),
  bf=torch.tensor([1.5], dtype=torch.bfloat16), i=torch.tensor([[1, -2]]), mask=torch.tensor([True, False]), empty=torch.empty(0, 3),
  parameter=torch.nn.Parameter(torch.ones(2)), last=torch.arange(8.).reshape(1, 2, 2, 2).contiguous(memory_format=torch.channels_last))
torch.save(values, sys.argv[1]); print('{}')`,
      path,
    );
    const read = readTorch(new Uint8Array(readFileSync(path))) as ReadonlyMap<string, PythonValue>;
    const at = (i: number, j: number) => i + 6 * j;
    expect(Object.fromEntries(read)).toEqual({
      t: {
        dtype: 'F32',
        shape: [6, 4],
        data: Float32Array.from({ length: 24 }, (_, k) => at(k >> 2, k & 3)),
      },
      row: { dtype: 'F32', shape: [6], data: Float32Array.of(12, 13, 14, 15, 16, 17) },
      step: { dtype: 'F32', shape: [5], data: Float32Array.of(1, 6, 11, 16, 21) },
      half: { dtype: 'F16', shape: [1], data: Uint16Array.of(0x3e00) },
      bf: { dtype: 'BF16', shape: [1], data: Uint16Array.of(0x3fc0) },
      i: { dtype: 'I64', shape: [1, 2], data: BigInt64Array.of(1n, -2n) },
      mask: { dtype: 'BOOL', shape: [2], data: Uint8Array.of(1, 0) },
      empty: { dtype: 'F32', shape: [0, 3], data: new Float32Array() },
      parameter: { dtype: 'F32', shape: [2], data: Float32Array.of(1, 1) },
      last: { dtype: 'F32', shape: [1, 2, 2, 2], data: Float32Array.from({ length: 8 }, (_, k) => k) },
    });
  });
});

type State = ReturnType<typeof checkpointState>;

/** The model of the script, evaluated on its x. */
function forward({ parameters, buffers }: State): number[] {
  const p = (name: string) => (parameters.get(`block.${name}`) ?? buffers.get(`block.${name}`))?.data ?? [];
  const x = Float32Array.from({ length: 20 }, (_, i) => -1 + (2 * i) / 19);
  return Array.from({ length: 10 }, (_, at) => {
    const [b, t] = [Math.floor(at / 5), at % 5];
    let sum = 0;
    for (let o = 0; o < 3; o++) {
      let y = p('conv.bias')[o] ?? NaN;
      for (let i = 0; i < 2; i++)
        for (let k = 0; k < 3; k++) {
          const from = t + k - 1;
          if (from >= 0 && from < 5)
            y += (p('conv.weight')[o * 6 + i * 3 + k] ?? NaN) * (x[b * 10 + i * 5 + from] ?? NaN);
        }
      const mean = p('bn.running_mean')[o] ?? NaN;
      const deviation = Math.sqrt((p('bn.running_var')[o] ?? NaN) + 1e-5);
      sum += Math.max(0, ((y - mean) / deviation) * (p('bn.weight')[o] ?? NaN) + (p('bn.bias')[o] ?? NaN));
    }
    return sum;
  });
}

/** The eighth AdamW update of one element (Loshchilov & Hutter 2019, algorithm 2). */
function adamw(state: State, name: string, i: number, gradient: number[]): number {
  const at = (tensors: State['parameters']) => tensors.get(name)?.data[i] ?? NaN;
  const { betas, currentRate, eps, weightDecay } = ADAMW;
  const g = gradient[i] ?? NaN;
  const m = betas[0] * at(state.firstMoments) + (1 - betas[0]) * g;
  const v = betas[1] * at(state.secondMoments) + (1 - betas[1]) * g * g;
  const decayed = at(state.parameters) * (1 - currentRate * weightDecay);
  return decayed - (currentRate * (m / (1 - betas[0] ** 8))) / (Math.sqrt(v / (1 - betas[1] ** 8)) + eps);
}
