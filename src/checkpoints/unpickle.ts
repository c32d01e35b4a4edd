/**
 * Reads pickles that hold tensors and plain containers, and rejects every other: no class is looked up, nothing named in
 * the file is called. Of the classes that PyTorch's checkpoints name, pickle_classes.ts is all that is known.
 */
import { quoted } from '../base/text';
import { Global, isStorageName, KNOWN, Storage, type Item, type Storages } from './pickle_classes';
import { PickleMachine, piecesOf } from './pickle_machine';
import { isTensor, OrderedDict, STORAGES, Tuple, type PythonKey, type PythonValue } from './python';
import { MAX_AXES, view, VIEWS, type SafetensorsTensor } from './safetensors';
import { gather, isContiguous } from './strided';

/** A pickle of the trainer's checkpoint has 100 kB and 30,000 opcodes. */
const LIMITS = { bytes: 16 * 1024 * 1024, opcodes: 1_000_000, memo: 500_000, stack: 2_000_000 } as const;
/** Values may be shared, so that a short pickle can describe a value without end. */
const MAX_VALUES = 1_000_000;
const MAX_CHARACTERS = 10_000_000;
const MAX_DEPTH = 100;
/** Characters of a path, as systems allow them. */
const MAX_PATH = 4096;

/** Throws PickleError. Contiguous tensors are views of their storages, others are copied within `storages.budget`. */
export function unpickle(bytes: Uint8Array, storages: Storages): PythonValue {
  return new Reader(bytes, storages).read();
}

class Reader extends PickleMachine<Item> {
  #budget: number;

  constructor(
    bytes: Uint8Array,
    private readonly storages: Storages,
  ) {
    super(piecesOf(bytes), LIMITS);
    this.#budget = storages.budget;
  }

  read(): PythonValue {
    const value = this.#plain(this.run());
    this.#checkSize(value);
    return value;
  }

  protected emptyDict(): Item {
    return new Map();
  }

  protected emptyList(): Item {
    return [];
  }

  /** Arguments of classes and storages are among the elements. */
  protected tuple(items: Item[]): Item {
    return new Tuple(items as PythonValue[]);
  }

  #plain(item: Item): PythonValue {
    if (item instanceof Global) return this.reject(`holds the class ${item.name} itself`);
    if (item instanceof Storage) return this.reject('holds a storage without a tensor');
    return item;
  }

  protected setItems(dict: Item, items: Item[]): void {
    if (!(dict instanceof Map)) this.reject('sets items of what is no dict');
    for (let i = 0; i < items.length; i += 2) {
      const key = items[i] as Item;
      if (typeof key === 'object' && key !== null) this.reject('has a key that is no text and no number');
      (dict as Map<PythonKey, PythonValue>).set(key, this.#plain(items[i + 1] as Item));
    }
  }

  protected append(list: Item, items: Item[]): void {
    if (!Array.isArray(list)) this.reject('appends to what is no list');
    for (const item of items) (list as PythonValue[]).push(this.#plain(item));
  }

  protected override global(name: string): Item {
    if (!KNOWN.has(name))
      this.reject(`names ${quoted(name)}; only tensors and plain containers are read, and nothing is run`);
    return new Global(name);
  }

  /** The state of a state dict is its modules' versions, which no reader needs. */
  protected override build(object: Item): void {
    if (!(object instanceof OrderedDict)) this.reject('sets the state of an object');
  }

  protected override persistent(id: Item): Item {
    const [kind, type, key, , count]: readonly Item[] = id instanceof Tuple ? id.items : [];
    const name = type instanceof Global ? type.name.replace(/^torch\./, '') : '';
    if (kind !== 'storage' || !isStorageName(name) || typeof key !== 'string' || typeof count !== 'number')
      return this.reject('has a persistent id that is no storage of a known type');
    const dtype = STORAGES[name];
    const bytes = this.storages.get(key);
    if (!bytes) return this.reject(`uses storage ${quoted(key)}, which the file does not hold`);
    if (count * VIEWS[dtype].BYTES_PER_ELEMENT !== bytes.length)
      this.reject(
        `claims ${count} elements of ${dtype} in storage ${quoted(key)}, which has ${bytes.length} bytes`,
      );
    return new Storage(dtype, bytes);
  }

  protected override reduce(callee: Item, args: Item): PythonValue {
    if (!(callee instanceof Global) || !(args instanceof Tuple))
      return this.reject('calls what is no known class');
    const items: readonly Item[] = args.items;
    switch (callee.name) {
      case 'collections.OrderedDict':
        if (items.length > 0) this.reject('makes an OrderedDict with arguments');
        return new OrderedDict();
      case 'torch._utils._rebuild_tensor_v2':
        return this.#tensor(items);
      case 'torch._utils._rebuild_parameter': {
        const tensor = this.#plain(items[0] ?? null);
        return isTensor(tensor) ? tensor : this.reject('makes a parameter of what is no tensor');
      }
      default:
        if (!callee.name.startsWith('pathlib.')) return this.reject(`calls ${callee.name}`);
        return this.#path(items, callee.name.includes('Windows') ? '\\' : '/');
    }
  }

  #path(parts: readonly Item[], separator: string): string {
    if (!parts.every((part) => typeof part === 'string'))
      return this.reject('has a path whose parts are no text');
    // A part may be a path itself, and twice that one.
    if (parts.reduce((sum, { length }) => sum + length + 1, 0) > MAX_PATH)
      return this.reject(`has a path of more than ${MAX_PATH} characters`);
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
      return this.reject('makes a tensor of wrong arguments');
    const { dtype, bytes } = storage;
    const width = VIEWS[dtype].BYTES_PER_ELEMENT;
    const count = shape.reduce((product, length) => product * length, 1);
    const last = shape.reduce((sum, length, i) => sum + (length - 1) * (strides[i] ?? 0), offset);
    if (count > bytes.length / width || (count > 0 && last >= bytes.length / width))
      this.reject(
        `makes a tensor [${shape.join(', ')}] that its storage of ${bytes.length} bytes does not hold`,
      );
    const make = (content: Uint8Array): SafetensorsTensor =>
      ({ dtype, shape, data: view(dtype, content) }) as SafetensorsTensor;
    if (count === 0) return make(new Uint8Array());
    const content = bytes.subarray(offset * width, (offset + count) * width);
    if (isContiguous(shape, strides) && content.byteOffset % width === 0) return make(content);
    this.#budget -= count * width;
    if (this.#budget < 0) this.reject('makes more tensors than the file has bytes');
    if (isContiguous(shape, strides)) return make(content);
    return make(gather(bytes, width, offset, shape, strides));
  }

  #sizes(item: Item | undefined): number[] {
    const items: readonly Item[] = item instanceof Tuple ? item.items : [null];
    if (items.length > MAX_AXES) this.reject(`makes a tensor of more than ${MAX_AXES} axes`);
    return items.map((size) => (isSize(size) ? size : this.reject('makes a tensor of wrong sizes')));
  }

  /** Classes left inside tuples are found here too. */
  #checkSize(root: PythonValue): void {
    const waiting: { item: Item; depth: number }[] = [{ item: root, depth: 0 }];
    let characters = 0;
    const count = (item: Item): void => {
      if (typeof item === 'string' && (characters += item.length) > MAX_CHARACTERS)
        this.reject(`holds more than ${MAX_CHARACTERS} characters`);
    };
    for (let seen = 0; ; seen++) {
      const next = waiting.pop();
      if (!next) return;
      const item = this.#plain(next.item);
      count(item);
      if (seen > MAX_VALUES || next.depth > MAX_DEPTH)
        this.reject(`holds more than ${MAX_VALUES} values, or nests deeper than ${MAX_DEPTH}`);
      if (typeof item !== 'object' || item === null || isTensor(item)) continue;
      if (item instanceof Map)
        for (const key of (item as ReadonlyMap<PythonKey, PythonValue>).keys()) count(key);
      const children: Iterable<Item> =
        item instanceof Tuple ? item.items : item instanceof Map ? item.values() : (item as readonly Item[]);
      for (const child of children) {
        waiting.push({ item: child, depth: next.depth + 1 });
        if (waiting.length > MAX_VALUES) this.reject(`holds more than ${MAX_VALUES} values`);
      }
    }
  }
}

const isSize = (item: Item | undefined): item is number =>
  typeof item === 'number' && Number.isSafeInteger(item) && item >= 0;
