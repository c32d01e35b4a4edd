/**
 * Reads pickles that hold tensors and plain containers, and rejects every other: no class is looked up, nothing named in
 * the file is called. Of the classes that PyTorch's checkpoints name, the table REDUCERS is all that is known.
 */
import { quoted } from '../base/text';
import { OP } from './pickle';
import { Global, isStorageName, KNOWN, Storage, type Item, type Storages } from './pickle_classes';
import { isTensor, OrderedDict, STORAGES, Tuple, type PythonKey, type PythonValue } from './python';
import { MAX_AXES, view, VIEWS, type SafetensorsTensor } from './safetensors';
import { gather, isContiguous } from './strided';

/** A pickle that is not read: a sentence that names what it holds and where. */
export class PickleError extends Error {
  override name = 'PickleError';
}

/** A pickle of the trainer's checkpoint has 100 kB and 30,000 opcodes. */
const MAX_BYTES = 16 * 1024 * 1024;
const MAX_OPCODES = 1_000_000;
const MAX_MEMO = 500_000;
/** Values may be shared, so that a short pickle can describe a value without end. */
const MAX_VALUES = 1_000_000;
const MAX_CHARACTERS = 10_000_000;
const MAX_DEPTH = 100;
/** Characters of a path, as systems allow them. */
const MAX_PATH = 4096;

/** Throws PickleError. Contiguous tensors are views of their storages, others are copied within `storages.budget`. */
export function unpickle(bytes: Uint8Array, storages: Storages): PythonValue {
  if (bytes.length > MAX_BYTES)
    throw new PickleError(`the pickle has ${bytes.length} bytes, more than the ${MAX_BYTES} allowed`);
  return new Reader(bytes, storages).read();
}

class Reader {
  readonly #view: DataView;
  readonly #stack: Item[] = [];
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, Item>();
  #at = 0;
  #opcodeAt = 0;
  #budget: number;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly storages: Storages,
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#budget = storages.budget;
  }

  read(): PythonValue {
    for (let opcodes = 0; ; opcodes++) {
      this.#opcodeAt = this.#at;
      if (opcodes > MAX_OPCODES) this.#reject(`has more than ${MAX_OPCODES} opcodes`);
      const opcode = this.#uint8();
      if (opcode === OP.STOP) break;
      this.#step(opcode);
    }
    const value = this.#plain(this.#pop());
    this.#checkSize(value);
    return value;
  }

  #step(opcode: number): void {
    switch (opcode) {
      case OP.PROTO:
        if (this.#uint8() > 5) this.#reject('has a protocol above 5');
        return;
      case OP.FRAME:
        this.#skip(8);
        return;
      case OP.MARK:
        this.#marks.push(this.#stack.length);
        return;
      case OP.NONE:
        return this.#push(null);
      case OP.NEWTRUE:
        return this.#push(true);
      case OP.NEWFALSE:
        return this.#push(false);
      case OP.BININT:
        return this.#push(this.#view.getInt32(this.#skip(4), true));
      case OP.BININT1:
        return this.#push(this.#uint8());
      case OP.BININT2:
        return this.#push(this.#view.getUint16(this.#skip(2), true));
      case OP.LONG1:
        return this.#push(this.#long(this.#uint8()));
      case OP.BINFLOAT:
        return this.#push(this.#view.getFloat64(this.#skip(8)));
      case OP.BINUNICODE:
        return this.#push(this.#text(this.#uint32()));
      case OP.SHORT_BINUNICODE:
        return this.#push(this.#text(this.#uint8()));
      case OP.EMPTY_DICT:
        return this.#push(new Map());
      case OP.EMPTY_LIST:
        return this.#push([]);
      case OP.EMPTY_TUPLE:
        return this.#push(new Tuple([]));
      case OP.TUPLE:
        return this.#push(new Tuple(this.#popToMark().map((item) => this.#part(item))));
      case OP.TUPLE1:
      case OP.TUPLE2:
      case OP.TUPLE3:
        return this.#tuple(opcode - OP.TUPLE1 + 1);
      case OP.SETITEM: {
        const value = this.#pop();
        return this.#setItems([this.#pop(), value]);
      }
      case OP.SETITEMS:
        return this.#setItems(this.#popToMark());
      case OP.APPEND:
        return this.#append([this.#pop()]);
      case OP.APPENDS:
        return this.#append(this.#popToMark());
      case OP.BINPUT:
        return this.#put(this.#uint8());
      case OP.LONG_BINPUT:
        return this.#put(this.#uint32());
      case OP.MEMOIZE:
        return this.#put(this.#memo.size);
      case OP.BINGET:
        return this.#get(this.#uint8());
      case OP.LONG_BINGET:
        return this.#get(this.#uint32());
      case OP.GLOBAL:
        return this.#global(this.#line(), this.#line());
      case OP.STACK_GLOBAL: {
        const name = this.#pop();
        const module = this.#pop();
        if (typeof name !== 'string' || typeof module !== 'string')
          this.#reject('names a class without text');
        return this.#global(`${module}`, `${name}`);
      }
      case OP.BINPERSID:
        return this.#push(this.#storage(this.#pop()));
      case OP.REDUCE: {
        const args = this.#pop();
        return this.#push(this.#reduce(this.#pop(), args));
      }
      case OP.BUILD: {
        // The state of a state dict is its modules' versions, which no reader needs.
        this.#pop();
        if (!(this.#top() instanceof OrderedDict)) this.#reject('sets the state of an object');
        return;
      }
      default:
        this.#reject(`has the opcode 0x${opcode.toString(16)}, which makes no tensor and no plain container`);
    }
  }

  #reject(problem: string): never {
    throw new PickleError(`the pickle ${problem} (at byte ${this.#opcodeAt})`);
  }

  #skip(bytes: number): number {
    const at = this.#at;
    if (at + bytes > this.bytes.length) this.#reject('ends too early');
    this.#at += bytes;
    return at;
  }

  #uint8(): number {
    return this.#view.getUint8(this.#skip(1));
  }

  #uint32(): number {
    return this.#view.getUint32(this.#skip(4), true);
  }

  #text(length: number): string {
    const at = this.#skip(length);
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
        this.bytes.subarray(at, at + length),
      );
    } catch {
      return this.#reject('has a text that is no UTF-8');
    }
  }

  #line(): string {
    const end = this.bytes.indexOf(0x0a, this.#at);
    if (end < 0) this.#reject('ends too early');
    const text = this.#text(end - this.#at);
    this.#at++;
    return text;
  }

  #long(length: number): number | bigint {
    const at = this.#skip(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.bytes[at + i] as number);
    const signed = BigInt.asIntN(8 * length, value);
    return Number.isSafeInteger(Number(signed)) ? Number(signed) : signed;
  }

  #push(item: Item): void {
    this.#stack.push(item);
  }

  /** The top of the stack, above the last mark. */
  #top(): Item {
    if (this.#stack.length <= (this.#marks.at(-1) ?? 0)) this.#reject('takes from an empty stack');
    return this.#stack.at(-1) as Item;
  }

  #pop(): Item {
    const item = this.#top();
    this.#stack.pop();
    return item;
  }

  #popToMark(): Item[] {
    const mark = this.#marks.pop() ?? this.#reject('has no mark');
    return this.#stack.splice(mark);
  }

  #put(index: number): void {
    this.#memo.set(index, this.#top());
    if (this.#memo.size > MAX_MEMO) this.#reject(`keeps more than ${MAX_MEMO} values`);
  }

  #get(index: number): void {
    const item = this.#memo.get(index);
    if (item === undefined) this.#reject(`asks for value ${index}, which was not kept`);
    this.#push(item);
  }

  #plain(item: Item): PythonValue {
    if (item instanceof Global) return this.#reject(`holds the class ${item.name} itself`);
    if (item instanceof Storage) return this.#reject('holds a storage without a tensor');
    return item;
  }

  /** An element of a tuple; arguments of classes and storages among them. */
  #part(item: Item): PythonValue {
    return item as PythonValue;
  }

  #tuple(length: number): void {
    const items: PythonValue[] = [];
    for (let i = 0; i < length; i++) items.unshift(this.#part(this.#pop()));
    this.#push(new Tuple(items));
  }

  #setItems(items: Item[]): void {
    const dict = this.#top();
    if (!(dict instanceof Map) || items.length % 2 !== 0) this.#reject('sets items of what is no dict');
    for (let i = 0; i < items.length; i += 2) {
      const key = items[i] as Item;
      if (typeof key === 'object' && key !== null) this.#reject('has a key that is no text and no number');
      (dict as Map<PythonKey, PythonValue>).set(key, this.#plain(items[i + 1] as Item));
    }
  }

  #append(items: Item[]): void {
    const list = this.#top();
    if (!Array.isArray(list)) this.#reject('appends to what is no list');
    for (const item of items) (list as PythonValue[]).push(this.#plain(item));
  }

  #global(module: string, name: string): void {
    const full = `${module}.${name}`;
    if (!KNOWN.has(full))
      this.#reject(`names ${quoted(full)}; only tensors and plain containers are read, and nothing is run`);
    this.#push(new Global(full));
  }

  #storage(id: Item): Storage {
    const [kind, type, key, , count]: readonly Item[] = id instanceof Tuple ? id.items : [];
    const name = type instanceof Global ? type.name.replace(/^torch\./, '') : '';
    if (kind !== 'storage' || !isStorageName(name) || typeof key !== 'string' || typeof count !== 'number')
      return this.#reject('has a persistent id that is no storage of a known type');
    const dtype = STORAGES[name];
    const bytes = this.storages.get(key);
    if (!bytes) return this.#reject(`uses storage ${quoted(key)}, which the file does not hold`);
    if (count * VIEWS[dtype].BYTES_PER_ELEMENT !== bytes.length)
      this.#reject(
        `claims ${count} elements of ${dtype} in storage ${quoted(key)}, which has ${bytes.length} bytes`,
      );
    return new Storage(dtype, bytes);
  }

  #reduce(callee: Item, args: Item): PythonValue {
    if (!(callee instanceof Global) || !(args instanceof Tuple))
      return this.#reject('calls what is no known class');
    const items: readonly Item[] = args.items;
    switch (callee.name) {
      case 'collections.OrderedDict':
        if (items.length > 0) this.#reject('makes an OrderedDict with arguments');
        return new OrderedDict();
      case 'torch._utils._rebuild_tensor_v2':
        return this.#tensor(items);
      case 'torch._utils._rebuild_parameter': {
        const tensor = this.#plain(items[0] ?? null);
        return isTensor(tensor) ? tensor : this.#reject('makes a parameter of what is no tensor');
      }
      default:
        if (!callee.name.startsWith('pathlib.')) return this.#reject(`calls ${callee.name}`);
        return this.#path(items, callee.name.includes('Windows') ? '\\' : '/');
    }
  }

  #path(parts: readonly Item[], separator: string): string {
    if (!parts.every((part) => typeof part === 'string'))
      return this.#reject('has a path whose parts are no text');
    // A part may be a path itself, and twice that one.
    if (parts.reduce((sum, { length }) => sum + length + 1, 0) > MAX_PATH)
      return this.#reject(`has a path of more than ${MAX_PATH} characters`);
    // The first part of an absolute path ends in a separator.
    return parts.reduce(
      (path, part) => (path === '' || path.endsWith(separator) ? path + part : path + separator + part),
      '',
    );
  }

  /** Every element that size and strides reach must lie in the storage, and none may be reached twice. */
  #tensor([storage, offset, size, stride]: readonly Item[]): SafetensorsTensor {
    const shape = this.#sizes(size);
    const strides = this.#sizes(stride);
    if (!(storage instanceof Storage) || !isSize(offset) || shape.length !== strides.length)
      return this.#reject('makes a tensor of wrong arguments');
    const { dtype, bytes } = storage;
    const width = VIEWS[dtype].BYTES_PER_ELEMENT;
    const count = shape.reduce((product, length) => product * length, 1);
    const last = shape.reduce((sum, length, i) => sum + (length - 1) * (strides[i] ?? 0), offset);
    if (count > bytes.length / width || (count > 0 && last >= bytes.length / width))
      this.#reject(
        `makes a tensor [${shape.join(', ')}] that its storage of ${bytes.length} bytes does not hold`,
      );
    const make = (content: Uint8Array): SafetensorsTensor =>
      ({ dtype, shape, data: view(dtype, content) }) as SafetensorsTensor;
    if (count === 0) return make(new Uint8Array());
    const content = bytes.subarray(offset * width, (offset + count) * width);
    if (isContiguous(shape, strides) && content.byteOffset % width === 0) return make(content);
    this.#budget -= count * width;
    if (this.#budget < 0) this.#reject('makes more tensors than the file has bytes');
    if (isContiguous(shape, strides)) return make(content);
    return make(gather(bytes, width, offset, shape, strides));
  }

  #sizes(item: Item | undefined): number[] {
    const items: readonly Item[] = item instanceof Tuple ? item.items : [null];
    if (items.length > MAX_AXES) this.#reject(`makes a tensor of more than ${MAX_AXES} axes`);
    return items.map((size) => (isSize(size) ? size : this.#reject('makes a tensor of wrong sizes')));
  }

  /** Classes left inside tuples are found here too. */
  #checkSize(root: PythonValue): void {
    const waiting: { item: Item; depth: number }[] = [{ item: root, depth: 0 }];
    let characters = 0;
    const count = (item: Item): void => {
      if (typeof item === 'string' && (characters += item.length) > MAX_CHARACTERS)
        this.#reject(`holds more than ${MAX_CHARACTERS} characters`);
    };
    for (let seen = 0; ; seen++) {
      const next = waiting.pop();
      if (!next) return;
      const item = this.#plain(next.item);
      count(item);
      if (seen > MAX_VALUES || next.depth > MAX_DEPTH)
        this.#reject(`holds more than ${MAX_VALUES} values, or nests deeper than ${MAX_DEPTH}`);
      if (typeof item !== 'object' || item === null || isTensor(item)) continue;
      if (item instanceof Map)
        for (const key of (item as ReadonlyMap<PythonKey, PythonValue>).keys()) count(key);
      const children: Iterable<Item> =
        item instanceof Tuple ? item.items : item instanceof Map ? item.values() : (item as readonly Item[]);
      for (const child of children) {
        waiting.push({ item: child, depth: next.depth + 1 });
        if (waiting.length > MAX_VALUES) this.#reject(`holds more than ${MAX_VALUES} values`);
      }
    }
  }
}

const isSize = (item: Item | undefined): item is number =>
  typeof item === 'number' && Number.isSafeInteger(item) && item >= 0;
