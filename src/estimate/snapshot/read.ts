/**
 * Reads the file of `torch.cuda.memory._dump_snapshot`: a pickle of protocol 2 to 5 of plain containers (torch/cuda/memory.py).
 * An event goes into columns as soon as its dict is whole, and stacks of the same frames are kept once, so that a file of
 * 2 GB takes a fraction of it.
 */
import { several } from '../../base/text';
import { PickleMachine, type Pieces, type Scalar } from '../../checkpoints/pickle_machine';
import { EventColumns } from './columns';
import { CODE, SnapshotError, type Frame, type MemorySnapshot, type SnapshotBlock } from './snapshot';
import type { SnapshotSegment } from './snapshot';

const LIMITS = { bytes: 2 ** 31, opcodes: 2 ** 31, memo: 50_000_000, stack: 5_000_000 } as const;
/** Containers that are neither events nor stacks nor frames, such as blocks. */
const MAX_CONTAINERS = 4_000_000;
const MAX_FRAMES = 2_000_000;
/** Of all different stacks together. */
const MAX_STACK_ENTRIES = 50_000_000;

type Item = Dict | List | Scalar;

class Dict {
  /** Keys and values in turn; emptied when it became one of the others. */
  pairs: readonly Item[] = [];
  /** Number of the event, or of the frame, that it was. */
  event = -1;
  frame = -1;
  block: SnapshotBlock | undefined;
  segment: SnapshotSegment | undefined;
  memo = -1;

  get(key: string): Item | undefined {
    const { pairs } = this;
    for (let i = pairs.length - 2; i >= 0; i -= 2) if (pairs[i] === key) return pairs[i + 1];
    return undefined;
  }
}

/** A list or a tuple. */
class List {
  items: Item[] = [];
  /** Number of the stack that it was. */
  stack = -1;
  memo = -1;
  /** Whether it is one of the containers that stay. */
  counted = true;
  /** Of events: the first, and how many follow each other. */
  first = -1;
  count = 0;
}

/** Throws PickleError or SnapshotError, each with a sentence. */
export const readSnapshot = (file: Pieces): MemorySnapshot => new Reader(file).read();

class Reader extends PickleMachine<Item> {
  readonly #events = new EventColumns();
  readonly #frames: Frame[] = [];
  /** The first dict of each frame. */
  readonly #frameAt = new Map<string, Dict>();
  readonly #stacks: Int32Array[] = [];
  /** The first lists of stacks by a hash of their frames. */
  readonly #stacksAt = new Map<number, List[]>();
  #stackEntries = 0;
  #containers = 0;

  constructor(file: Pieces) {
    super(file, LIMITS);
  }

  read(): MemorySnapshot {
    const root = this.run();
    if (root instanceof List)
      throw new SnapshotError(
        'The snapshot holds segments and no events. Call torch.cuda.memory._record_memory_history() before the run, and torch.cuda.memory._dump_snapshot(FILE) after some steps.',
      );
    const traces = root instanceof Dict ? root.get('device_traces') : undefined;
    const segments = root instanceof Dict ? root.get('segments') : undefined;
    if (!(traces instanceof List && segments instanceof List))
      throw new SnapshotError(
        'This pickle is no memory snapshot: it has no device_traces and segments. Drop the file of torch.cuda.memory._dump_snapshot.',
      );
    return {
      traces: traces.items.map((trace) => {
        if (!(trace instanceof List) || trace.items.length > 0)
          throw new SnapshotError('A trace of the snapshot is no list of events.');
        return this.#events.part(Math.max(0, trace.first), trace.count);
      }),
      segments: segments.items.map((segment) => {
        if (!(segment instanceof Dict && segment.segment))
          throw new SnapshotError('A segment of the snapshot has no address, size and blocks.');
        return segment.segment;
      }),
      stacks: this.#stacks,
      frames: this.#frames,
    };
  }

  protected emptyDict(): Item {
    this.#count();
    return new Dict();
  }

  protected emptyList(): Item {
    this.#count();
    return new List();
  }

  protected tuple(items: Item[]): Item {
    this.#count();
    const list = new List();
    list.items = items;
    return list;
  }

  protected override kept(item: Item, index: number): void {
    if (item instanceof Dict || item instanceof List) item.memo = index;
  }

  protected setItems(dict: Item, items: Item[]): void {
    if (!(dict instanceof Dict)) this.reject('sets items of what is no dict');
    const target: Dict = dict;
    if (target.event >= 0 || target.frame >= 0) this.reject('changes a dict after it was used');
    target.pairs = target.pairs.length === 0 ? items : [...target.pairs, ...items];
    if (typeof target.get('action') === 'string') this.#event(target);
    else if (target.get('filename') !== undefined && target.get('line') !== undefined) this.#frame(target);
    else if (target.get('blocks') instanceof List) this.#segment(target);
    else if (typeof target.get('state') === 'string') this.#block(target);
  }

  protected append(list: Item, items: Item[]): void {
    if (!(list instanceof List)) this.reject('appends to what is no list');
    const target: List = list;
    if (target.stack >= 0) this.reject('changes a stack after it was used');
    for (const item of items) {
      if (!(item instanceof Dict) || item.event < 0) {
        target.items.push(item);
        continue;
      }
      if (target.first < 0) target.first = item.event;
      if (item.event !== target.first + target.count) this.reject('mixes the events of two traces');
      target.count++;
    }
  }

  /** Of what stays; a dict or a list that becomes an event, a frame or a stack is taken off again. */
  #count(): void {
    if (++this.#containers > MAX_CONTAINERS)
      this.reject(`holds more than ${several(MAX_CONTAINERS, 'container')} besides events and stacks`);
  }

  #event(dict: Dict): void {
    const action = this.#text(dict, 'action');
    dict.event = this.#events.add(
      Object.hasOwn(CODE, action) ? CODE[action as keyof typeof CODE] : CODE.other,
      this.#number(dict, 'addr', this.#number(dict, 'device_free', 0)),
      this.#number(dict, 'size', 0),
      this.#stackOf(dict.get('frames')),
      this.#number(dict, 'time_us', NaN),
    );
    this.#used(dict);
    // PyTorch names an event once; what the pickle remembers of it may go.
    if (dict.memo >= 0) this.replace(dict.memo, undefined);
  }

  #frame(dict: Dict): void {
    const filename = this.#text(dict, 'filename');
    const name = this.#text(dict, 'name');
    const line = this.#number(dict, 'line', 0);
    const key = `${line}\n${name}\n${filename}`;
    const known = this.#frameAt.get(key);
    if (known) {
      dict.frame = known.frame;
      if (dict.memo >= 0) this.replace(dict.memo, known);
    } else {
      dict.frame = this.#frames.push({ filename, line, name }) - 1;
      if (dict.frame >= MAX_FRAMES) this.reject(`has more than ${several(MAX_FRAMES, 'different frame')}`);
      this.#frameAt.set(key, dict);
    }
    this.#used(dict);
  }

  #used(dict: Dict): void {
    for (const value of dict.pairs) if (value instanceof List) this.#free(value);
    dict.pairs = [];
    this.#containers--;
  }

  #free(list: List): void {
    if (!list.counted) return;
    list.counted = false;
    this.#containers--;
  }

  #block(dict: Dict): void {
    const size = this.#number(dict, 'size', 0);
    dict.block = {
      address: this.#number(dict, 'address', NaN),
      size,
      requested: this.#number(dict, 'requested_size', size),
      state: this.#text(dict, 'state'),
      stack: this.#stackOf(dict.get('frames')),
    };
    dict.pairs = [];
  }

  #segment(dict: Dict): void {
    const blocks = dict.get('blocks');
    let address = this.#number(dict, 'address', NaN);
    if (Number.isNaN(address)) this.reject('has a segment without an address');
    dict.segment = {
      device: this.#number(dict, 'device', 0),
      address,
      size: this.#number(dict, 'total_size', 0),
      small: dict.get('segment_type') === 'small',
      stack: this.#stackOf(dict.get('frames')),
      blocks: (blocks instanceof List ? blocks.items : []).map((item) => {
        if (!(item instanceof Dict && item.block)) return this.reject('has a block without a state');
        // Before 2.1 blocks had no address; they follow each other.
        const block = Number.isNaN(item.block.address) ? { ...item.block, address } : item.block;
        address += block.size;
        return block;
      }),
    };
    dict.pairs = [];
  }

  /** The number of a stack, the same for the same frames; −1 where there is none. */
  #stackOf(list: Item | undefined): number {
    if (!(list instanceof List)) return -1;
    if (list.stack >= 0) return list.stack;
    if (list.items.length === 0) return -1;
    const frames = new Int32Array(list.items.length);
    let hash = frames.length;
    for (let i = 0; i < frames.length; i++) {
      const item = list.items[i];
      if (!(item instanceof Dict && item.frame >= 0)) return this.reject('has a stack of what is no frame');
      frames[i] = item.frame;
      hash = (Math.imul(hash, 31) + item.frame) | 0;
    }
    const alike = this.#stacksAt.get(hash) ?? [];
    const known = alike.find(({ stack }) => equal(this.#stacks[stack] as Int32Array, frames));
    if (known) {
      list.stack = known.stack;
      if (list.memo >= 0) this.replace(list.memo, known);
    } else {
      this.#stackEntries += frames.length;
      if (this.#stackEntries > MAX_STACK_ENTRIES)
        this.reject(`has stacks of more than ${several(MAX_STACK_ENTRIES, 'frame')}`);
      list.stack = this.#stacks.push(frames) - 1;
      this.#stacksAt.set(hash, [...alike, list]);
    }
    list.items = [];
    this.#free(list);
    return list.stack;
  }

  #number(dict: Dict, key: string, missing: number): number {
    const value = dict.get(key);
    if (value === undefined || value === null) return missing;
    if (typeof value !== 'number' || !Number.isFinite(value))
      return this.reject(`has a ${key} that is no number of bytes or address`);
    return value;
  }

  #text(dict: Dict, key: string): string {
    const value = dict.get(key) ?? '';
    return typeof value === 'string' ? value : this.reject(`has a ${key} that is no text`);
  }
}

function equal(a: Int32Array, b: Int32Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
