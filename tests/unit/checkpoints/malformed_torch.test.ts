import { deflateRawSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { crc32 } from '../../../src/checkpoints/crc32';
import { OP, pickle } from '../../../src/checkpoints/pickle';
import { Tuple } from '../../../src/checkpoints/python';
import { readTorch, TorchFileError, writeTorch } from '../../../src/checkpoints/torch';
import { PickleError } from '../../../src/checkpoints/pickle_machine';
import { unpickle } from '../../../src/checkpoints/unpickle';
import { readZip, writeZip, ZipError } from '../../../src/checkpoints/zip';
import { Random } from '../../../src/base/random';

const text = (content: string) => new TextEncoder().encode(content);
const join = (parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));
const zipOf = (files: Record<string, Uint8Array<ArrayBuffer>>) =>
  join(writeZip(new Map(Object.entries(files))));

describe('zip', () => {
  const files = { 'archive/data.pkl': text('pickle'), 'archive/data/0': text('0123456789') };

  test('crc32 has its check value', () => {
    expect(crc32(text('123456789'))).toBe(0xcbf43926);
    expect(crc32(new Uint8Array())).toBe(0);
    expect(crc32(text('The quick brown fox jumps over the lazy dog'))).toBe(0x414fa339);
  });

  test('data start at multiples of 64 bytes and are views of the file', () => {
    const file = zipOf(files);
    const read = readZip(file);
    expect(Object.fromEntries(read)).toEqual(files);
    for (const content of read.values()) {
      expect(content.byteOffset % 64).toBe(0);
      expect(content.buffer).toBe(file.buffer);
    }
  });

  /** Offsets of the fields in the file's lists. */
  const file = zipOf(files);
  const view = new DataView(file.buffer);
  const end = file.length - 22;
  const central = view.getUint32(end + 16, true);
  const second = central + 46 + 'archive/data.pkl'.length;

  test.each<[string, (view: DataView) => void, RegExp]>([
    [
      'compressed',
      (v) => v.setUint16(second + 10, 8, true),
      /"archive\/data\/0"\) is compressed \(method 8\)/,
    ],
    ['encrypted', (v) => v.setUint16(second + 8, 1, true), /is encrypted/],
    ['growing', (v) => v.setUint32(second + 24, 0x7fffffff, true), /claims to grow from 10 to 2147483647/],
    [
      'larger than the file',
      (v) => [20, 24].forEach((at) => v.setUint32(second + at, 0x7fffffff, true)),
      /claims 2147483647 bytes, more than the zip has/,
    ],
    [
      'overlapping',
      (v) => v.setUint32(second + 42, 0, true),
      /starts at 0, inside the file before it|another name/,
    ],
    ['elsewhere', (v) => v.setUint32(second + 42, 3, true), /starts at 3, inside|has no header at 3/],
    ['beyond the end', (v) => v.setUint32(second + 42, 0xfffffff0, true), /has no header at 4294967280/],
    ['damaged', (v) => v.setUint8(64, 0), /"archive\/data.pkl" in the zip does not have its checksum/],
    ['renamed', (v) => v.setUint8(30, 0x62), /another name in its own header/],
    ['of a million files', (v) => v.setUint16(end + 10, 60_000, true), /list of 60000 files does not fit/],
    ['with a list outside', (v) => v.setUint32(end + 16, 0xfffffffe, true), /does not fit the zip/],
    ['cut', (v) => v.setUint32(end, 0), /its end is not there/],
  ])('a file that is %s is rejected', (_, change, message) => {
    const broken = file.slice();
    change(new DataView(broken.buffer));
    expect(() => readZip(broken)).toThrow(ZipError);
    expect(() => readZip(broken)).toThrow(message);
  });

  test('a bomb of a gigabyte in a megabyte is rejected before it grows', () => {
    const bomb = new Uint8Array(deflateRawSync(Buffer.alloc(1 << 28)));
    const zip = zipOf({ 'archive/data.pkl': bomb });
    const list = new DataView(zip.buffer).getUint32(zip.length - 6, true);
    const headers = new DataView(zip.buffer);
    headers.setUint16(list + 10, 8, true);
    headers.setUint32(list + 24, 1 << 28, true);
    expect(() => readTorch(zip)).toThrow(/is compressed/);
  });

  test('the same name twice is rejected', () => {
    const twice = zipOf({ 'a/1': text('x'), 'a/2': text('y') });
    // The second digit of each header's name becomes a 1.
    for (let i = 0; i < twice.length; i++) if (twice[i] === 0x32 && twice[i - 1] === 0x2f) twice[i] = 0x31;
    expect(() => readZip(twice)).toThrow(/"a\/1" in the zip is there twice/);
  });
});

const none = { get: () => undefined, budget: 0 };
const bytes = (...parts: (number | string)[]) =>
  Uint8Array.from(parts.flatMap((part) => (typeof part === 'number' ? [part] : [...text(part)])));
const SHORT = (content: string) => [OP.SHORT_BINUNICODE, content.length, content];

/** torch._utils._rebuild_tensor_v2 over storage 0 of `count` floats. */
function tensorPickle(count: number, offset: number, shape: number[], strides: number[]): Uint8Array {
  const numbers = (values: number[]) => [
    OP.MARK,
    ...values.flatMap((v) => [OP.BININT, v & 0xff, (v >> 8) & 0xff, (v >> 16) & 0xff, v >>> 24]),
    OP.TUPLE,
  ];
  return bytes(
    OP.GLOBAL,
    'torch._utils\n_rebuild_tensor_v2\n',
    OP.MARK,
    OP.MARK,
    ...SHORT('storage'),
    OP.GLOBAL,
    'torch\nFloatStorage\n',
    ...SHORT('0'),
    ...SHORT('cpu'),
    OP.BININT1,
    count,
    OP.TUPLE,
    OP.BINPERSID,
    OP.BININT1,
    offset,
    ...numbers(shape),
    ...numbers(strides),
    OP.NEWFALSE,
    OP.NONE,
    OP.TUPLE,
    OP.REDUCE,
    OP.STOP,
  );
}

describe('pickle', () => {
  const storage = (floats: number) => ({
    get: (key: string) => (key === '0' ? new Uint8Array(4 * floats) : undefined),
    budget: 1000,
  });
  const doubling = Array.from({ length: 40 }, () => [OP.BINPUT, 0, OP.BINGET, 0, OP.TUPLE2]).flat();

  test.each<[string, Uint8Array, RegExp]>([
    [
      'a system call',
      bytes(OP.GLOBAL, 'os\nsystem\n', ...SHORT('ls'), OP.TUPLE1, OP.REDUCE, OP.STOP),
      /names "os.system"/,
    ],
    [
      'a class by the stack',
      bytes(...SHORT('builtins'), ...SHORT('eval'), OP.STACK_GLOBAL, OP.STOP),
      /"builtins.eval"/,
    ],
    [
      'a class of NumPy',
      bytes(OP.GLOBAL, 'numpy.core.multiarray\nscalar\n', OP.STOP),
      /names "numpy.core.multiarray.scalar"/,
    ],
    [
      'a lookalike',
      bytes(OP.GLOBAL, 'torch\n_utils._rebuild_tensor_v2x\n', OP.STOP),
      /names "torch._utils._rebuild_tensor_v2x"/,
    ],
    [
      'a class itself',
      bytes(OP.GLOBAL, 'collections\nOrderedDict\n', OP.STOP),
      /holds the class collections.OrderedDict/,
    ],
    [
      'a class in a tuple',
      bytes(OP.GLOBAL, 'torch\nFloatStorage\n', OP.TUPLE1, OP.STOP),
      /holds the class torch.FloatStorage/,
    ],
    [
      'a storage called',
      bytes(OP.GLOBAL, 'torch\nFloatStorage\n', OP.EMPTY_TUPLE, OP.REDUCE, OP.STOP),
      /calls torch.FloatStorage/,
    ],
    ['a new object', bytes(OP.EMPTY_TUPLE, 0x81, OP.STOP), /opcode 0x81/],
    ['an instance', bytes(OP.MARK, 0x69, 'os\nsystem\n', OP.STOP), /opcode 0x69/],
    [
      'an object’s state',
      bytes(OP.EMPTY_DICT, OP.EMPTY_DICT, OP.BUILD, OP.STOP),
      /sets the state of an object/,
    ],
    ['a long text', bytes(OP.BINUNICODE, 0xff, 0xff, 0xff, 0x7f), /ends too early/],
    ['a broken text', bytes(OP.SHORT_BINUNICODE, 1, 0xff, OP.STOP), /no UTF-8/],
    ['no end', bytes(OP.NONE), /ends too early/],
    ['nothing', bytes(OP.STOP), /takes from an empty stack/],
    ['below a mark', bytes(OP.NONE, OP.MARK, OP.STOP), /takes from an empty stack/],
    ['no mark', bytes(OP.NONE, OP.TUPLE, OP.STOP), /has no mark/],
    ['a value not kept', bytes(OP.BINGET, 7, OP.STOP), /asks for value 7/],
    [
      'a dict as key',
      bytes(OP.EMPTY_DICT, OP.EMPTY_DICT, OP.NONE, OP.SETITEM, OP.STOP),
      /key that is no text/,
    ],
    [
      'items of a list',
      bytes(OP.EMPTY_LIST, OP.NONE, OP.NONE, OP.SETITEM, OP.STOP),
      /items of what is no dict/,
    ],
    [
      'a list in itself',
      bytes(OP.EMPTY_LIST, OP.BINPUT, 0, OP.BINGET, 0, OP.APPEND, OP.STOP),
      /nests deeper than 100/,
    ],
    ['2⁴⁰ values in 200 bytes', bytes(OP.NONE, ...doubling, OP.STOP), /more than 1000000 values/],
    [
      'a storage that is not there',
      tensorPickle(4, 0, [4], [1]),
      /uses storage "0", which the file does not hold/,
    ],
  ])('%s is rejected', (_, content, message) => {
    expect(() => unpickle(content, none)).toThrow(PickleError);
    expect(() => unpickle(content, none)).toThrow(message);
  });

  test.each<[string, Uint8Array, RegExp]>([
    [
      'more elements than bytes',
      tensorPickle(5, 0, [5], [1]),
      /claims 5 elements of F32 in storage "0", which has 16 bytes/,
    ],
    [
      'a view past the end',
      tensorPickle(4, 1, [4], [1]),
      /tensor \[4\] that its storage of 16 bytes does not hold/,
    ],
    ['strides past the end', tensorPickle(4, 0, [2, 2], [4, 1]), /does not hold/],
    ['an element repeated', tensorPickle(4, 0, [100_000, 100_000], [0, 0]), /does not hold/],
    [
      'an overflowing shape',
      tensorPickle(4, 0, Array<number>(9).fill(2 ** 30), Array<number>(9).fill(0)),
      /does not hold/,
    ],
    ['a negative size', tensorPickle(4, 0, [-1], [1]), /wrong sizes/],
    ['fewer strides than sizes', tensorPickle(4, 0, [2, 2], [1]), /wrong arguments/],
  ])('%s is rejected', (_, content, message) => {
    expect(() => unpickle(content, storage(4))).toThrow(message);
  });

  test('copies of one storage are counted', () => {
    const copies = bytes(
      OP.EMPTY_LIST,
      OP.MARK,
      ...Array.from({ length: 80 }, () => [...tensorPickle(4, 0, [2, 2], [1, 2])].slice(0, -1)).flat(),
      OP.APPENDS,
      OP.STOP,
    );
    expect(() => unpickle(copies, storage(4))).toThrow(/more tensors than the file has bytes/);
  });

  test('damaged pickles are read or rejected, with a sentence', () => {
    const random = new Random(5);
    const { bytes: whole, storages } = pickle(
      new Map<string, Parameters<typeof pickle>[0]>([
        ['a', { dtype: 'F32', shape: [2, 3], data: new Float32Array(6) }],
        ['b', [1, 2.5, 'text', null, true, new Tuple([1, -70_000])]],
        ['c', new Map([[0, 2n ** 70n]])],
      ]),
    );
    const where = { get: (key: string) => storages[Number(key)], budget: 10_000 };
    let rejected = 0;
    for (let round = 0; round < 20_000; round++) {
      const damaged = whole.slice(0, random.integer(4) === 0 ? random.integer(whole.length) : whole.length);
      for (let i = random.integer(4); i >= 0 && damaged.length > 0; i--)
        damaged[random.integer(damaged.length)] = random.integer(256);
      try {
        unpickle(damaged, where);
      } catch (error) {
        expect(error).toBeInstanceOf(PickleError);
        rejected++;
      }
    }
    expect(rejected).toBeGreaterThan(5000);
  });
});

test('damaged files are rejected, with a sentence', () => {
  const random = new Random(6);
  const whole = join(
    writeTorch(new Map([['x', { dtype: 'F32', shape: [9], data: new Float32Array(9) } as const]])),
  );
  for (let round = 0; round < 3000; round++) {
    const damaged = whole.slice(0, random.integer(4) === 0 ? random.integer(whole.length) : whole.length);
    for (let i = random.integer(3); i >= 0 && damaged.length > 0; i--)
      damaged[random.integer(damaged.length)] = random.integer(256);
    try {
      readTorch(damaged);
    } catch (error) {
      const known = [ZipError, PickleError, TorchFileError].some((type) => error instanceof type);
      expect(known, String(error)).toBe(true);
    }
  }
});

test('files that are no PyTorch files are rejected', () => {
  expect(() => readTorch(text('hello'))).toThrow(/no zip file/);
  expect(() => readTorch(new Uint8Array())).toThrow(/no zip file/);
  expect(() => readTorch(bytes(0x80, 2))).toThrow(/written before version 1.6/);
  expect(() => readTorch(zipOf({ 'a/b': text('c') }))).toThrow(/has 0 files data.pkl/);
  expect(() => readTorch(zipOf({ 'a/data.pkl': bytes(OP.NONE, OP.STOP), 'b/data.pkl': text('c') }))).toThrow(
    /has 2 files/,
  );
  expect(() =>
    readTorch(zipOf({ 'a/data.pkl': bytes(OP.NONE, OP.STOP), 'a/byteorder': text('big') })),
  ).toThrow(/big-endian/);
});

describe('a pickle of few bytes that would grow', () => {
  /** PosixPath(("a", "a")) whose two parts are the path before it, so many times. */
  const doubled = (times: number): Uint8Array =>
    bytes(
      ...SHORT('a'),
      OP.BINPUT,
      0,
      ...Array.from({ length: times }, () => [
        OP.GLOBAL,
        'pathlib\nPosixPath\n',
        OP.BINGET,
        0,
        OP.BINGET,
        0,
        OP.TUPLE2,
        OP.REDUCE,
        OP.BINPUT,
        0,
      ]).flat(),
      OP.STOP,
    );
  /** A list of the list before it, twice, so many times; `first` is in the innermost. */
  const shared = (first: readonly (number | string)[], times: number): Uint8Array =>
    bytes(
      ...first,
      OP.BINPUT,
      0,
      ...Array.from({ length: times }, () => [OP.BINGET, 0, OP.BINGET, 0, OP.TUPLE2, OP.BINPUT, 0]).flat(),
      OP.STOP,
    );
  const long = 'x'.repeat(100_000);
  test.each([
    ['a path that holds itself twice', doubled(30), /has a path of more than 4096 characters/],
    ['tuples that hold each other twice', shared(SHORT('a'), 40), /holds more than 1000000 values/],
    [
      'a long text, thousands of times',
      shared([OP.BINUNICODE, 0xa0, 0x86, 0x01, 0x00, long], 12),
      /holds more than 10000000 characters/,
    ],
    [
      'more opcodes than any checkpoint has',
      new Uint8Array(1_000_002).fill(OP.NONE),
      /has more than 1000000 opcodes/,
    ],
    [
      'a tensor of a thousand axes',
      tensorPickle(
        4,
        0,
        Array.from({ length: 1000 }, () => 1),
        Array.from({ length: 1000 }, () => 1),
      ),
      /makes a tensor of more than 64 axes/,
    ],
  ])('%s is rejected', (_, content, message) => {
    expect(() => unpickle(content, { get: () => new Uint8Array(16), budget: 16 })).toThrow(message);
  });

  test('names in a message are bounded, and hold nothing that a terminal obeys', () => {
    const name = `\u001b[2J\u202e${'n'.repeat(5000)}`;
    const content = bytes(OP.GLOBAL, `os\n${name}\n`, OP.STOP);
    expect(() => unpickle(content, none)).toThrow(/names "os\.\\u001b\[2J\\u202en{40,60}…"/);
  });
});
