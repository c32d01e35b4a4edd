/**
 * Writes Python values as PyTorch's pickles do: protocol 2, tensors as torch._utils._rebuild_tensor_v2 of a storage that is
 * a persistent id (https://docs.python.org/3/library/pickletools.html; torch/serialization.py, torch/_utils.py).
 * Nothing is memoised: each value stands where it is used.
 */
import { isTensor, OrderedDict, STORAGES, Tuple, type PythonValue, type StorageName } from './python';
import type { SafetensorsTensor } from './safetensors';

/** Opcodes, as Python's pickle module names them. */
export const OP = {
  MARK: 0x28,
  EMPTY_TUPLE: 0x29,
  STOP: 0x2e,
  BINFLOAT: 0x47,
  BININT: 0x4a,
  BININT1: 0x4b,
  BININT2: 0x4d,
  NONE: 0x4e,
  BINPERSID: 0x51,
  REDUCE: 0x52,
  BINUNICODE: 0x58,
  EMPTY_LIST: 0x5d,
  APPEND: 0x61,
  BUILD: 0x62,
  GLOBAL: 0x63,
  APPENDS: 0x65,
  BINGET: 0x68,
  LONG_BINGET: 0x6a,
  BINPUT: 0x71,
  LONG_BINPUT: 0x72,
  SETITEM: 0x73,
  TUPLE: 0x74,
  SETITEMS: 0x75,
  EMPTY_DICT: 0x7d,
  PROTO: 0x80,
  TUPLE1: 0x85,
  TUPLE2: 0x86,
  TUPLE3: 0x87,
  NEWTRUE: 0x88,
  NEWFALSE: 0x89,
  LONG1: 0x8a,
  SHORT_BINUNICODE: 0x8c,
  STACK_GLOBAL: 0x93,
  MEMOIZE: 0x94,
  FRAME: 0x95,
} as const;

export interface Pickle {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Contents of the storages; a storage's key is its index. */
  readonly storages: readonly Uint8Array<ArrayBuffer>[];
}

const ENCODER = new TextEncoder();

/** Of a list's items. */
const BATCH = 1000;

/** Throws a TypeError for a tensor whose dtype PyTorch has no storage for. */
export function pickle(value: PythonValue): Pickle {
  const writer = new Writer();
  writer.op(OP.PROTO, 2);
  writer.value(value);
  writer.op(OP.STOP);
  return { bytes: writer.bytes(), storages: writer.storages };
}

class Writer {
  #bytes = new Uint8Array(4096);
  #length = 0;
  readonly storages: Uint8Array<ArrayBuffer>[] = [];

  bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  op(...bytes: number[]): void {
    this.#append(bytes);
  }

  value(value: PythonValue): void {
    if (value === null) this.op(OP.NONE);
    else if (typeof value === 'boolean') this.op(value ? OP.NEWTRUE : OP.NEWFALSE);
    else if (typeof value === 'number') this.#number(value);
    else if (typeof value === 'bigint') this.#long(value);
    else if (typeof value === 'string') this.#text(value);
    else if (value instanceof Tuple) this.#tuple(value.items);
    else if (value instanceof Map) this.#dict(value);
    else if (isTensor(value)) this.#tensor(value);
    else if (Array.isArray(value)) this.#list(value);
  }

  #append(bytes: Uint8Array | readonly number[]): void {
    if (this.#length + bytes.length > this.#bytes.length) {
      const larger = new Uint8Array(2 * (this.#length + bytes.length));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #number(value: number): void {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
      const view = new DataView(new ArrayBuffer(9));
      view.setUint8(0, OP.BINFLOAT);
      view.setFloat64(1, value);
      this.#append(new Uint8Array(view.buffer));
    } else if (value >= 0 && value < 2 ** 8) this.op(OP.BININT1, value);
    else if (value >= 0 && value < 2 ** 16) this.op(OP.BININT2, value & 0xff, value >> 8);
    else if (value >= -(2 ** 31) && value < 2 ** 31) this.#int32(OP.BININT, value);
    else this.#long(BigInt(value));
  }

  /** Two's complement, little-endian, as short as its sign allows. */
  #long(value: bigint): void {
    const bytes: number[] = [];
    let rest = value;
    do {
      bytes.push(Number(rest & 0xffn));
      rest >>= 8n;
    } while (
      !(rest === 0n && !((bytes.at(-1) ?? 0) & 0x80)) &&
      !(rest === -1n && (bytes.at(-1) ?? 0) & 0x80)
    );
    this.op(OP.LONG1, bytes.length, ...bytes);
  }

  #int32(op: number, value: number): void {
    const view = new DataView(new ArrayBuffer(5));
    view.setUint8(0, op);
    view.setInt32(1, value, true);
    this.#append(new Uint8Array(view.buffer));
  }

  #text(text: string): void {
    const bytes = ENCODER.encode(text);
    this.#int32(OP.BINUNICODE, bytes.length);
    this.#append(bytes);
  }

  /** In batches, as pickle.py writes them: readers hand a batch on as the arguments of a call. */
  #list(items: readonly PythonValue[]): void {
    this.op(OP.EMPTY_LIST);
    for (let from = 0; from === 0 || from < items.length; from += BATCH) {
      this.op(OP.MARK);
      items.slice(from, from + BATCH).forEach((item) => this.value(item));
      this.op(OP.APPENDS);
    }
  }

  #tuple(items: readonly PythonValue[]): void {
    this.op(OP.MARK);
    items.forEach((item) => this.value(item));
    this.op(OP.TUPLE);
  }

  #dict(entries: ReadonlyMap<PythonValue, PythonValue>): void {
    if (entries instanceof OrderedDict) this.#emptyOrderedDict();
    else this.op(OP.EMPTY_DICT);
    this.op(OP.MARK);
    for (const [key, value] of entries) {
      this.value(key);
      this.value(value);
    }
    this.op(OP.SETITEMS);
  }

  #emptyOrderedDict(): void {
    this.#global('collections', 'OrderedDict');
    this.op(OP.EMPTY_TUPLE, OP.REDUCE);
  }

  #global(module: string, name: string): void {
    this.op(OP.GLOBAL);
    this.#append(ENCODER.encode(`${module}\n${name}\n`));
  }

  #tensor({ dtype, shape, data }: SafetensorsTensor): void {
    const storage = (Object.keys(STORAGES) as StorageName[]).find((name) => STORAGES[name] === dtype);
    if (storage === undefined) throw new TypeError(`PyTorch has no storage for ${dtype}`);
    const key = `${this.storages.length}`;
    const { buffer, byteOffset, byteLength } = data;
    this.storages.push(
      buffer instanceof ArrayBuffer
        ? new Uint8Array(buffer, byteOffset, byteLength)
        : new Uint8Array(buffer, byteOffset, byteLength).slice(),
    );
    this.#global('torch._utils', '_rebuild_tensor_v2');
    this.op(OP.MARK, OP.MARK);
    this.value('storage');
    this.#global('torch', storage);
    this.value(key);
    this.value('cpu');
    this.value(data.length);
    this.op(OP.TUPLE, OP.BINPERSID);
    this.value(0);
    this.#tuple(shape);
    this.#tuple(shape.map((_, i) => shape.slice(i + 1).reduce((product, size) => product * size, 1)));
    this.value(false);
    this.#emptyOrderedDict();
    this.op(OP.TUPLE, OP.REDUCE);
  }
}
