/**
 * The stack machine of Python's pickles, protocols 2 to 5 (Lib/pickletools.py), over a file that is read in pieces. It
 * looks up no class and calls nothing: whoever extends it says what containers become, and may allow names by overriding
 * `global`, `persistent`, `reduce` and `build`, which reject.
 */
import { quoted } from '../base/text';
import { OP } from './pickle';

/** A pickle that is not read: a sentence that names what it holds and where. */
export class PickleError extends Error {
  override name = 'PickleError';
}

/** Bytes that can be read at once, as a worker's FileReaderSync reads them, or from memory. */
export interface Pieces {
  readonly size: number;
  /** How many to read at a time. */
  readonly piece: number;
  /** The bytes from `from` up to `to`, which lie within the size. */
  read(from: number, to: number): Uint8Array;
}

/** Bytes in memory as pieces of `piece` bytes, which are views of them. */
export const piecesOf = (bytes: Uint8Array, piece = bytes.length): Pieces => ({
  size: bytes.length,
  piece,
  read: (from, to) => bytes.subarray(from, to),
});

export interface PickleLimits {
  readonly bytes: number;
  readonly opcodes: number;
  /** Values that the pickle refers back to. */
  readonly memo: number;
  /** Values that lie on the stack at once. */
  readonly stack: number;
}

/** What every pickle has besides its containers. */
export type Scalar = string | number | bigint | boolean | null;

/** A single text: more than a stack trace or a path has. */
const MAX_TEXT = 2 ** 20;
/** Of the name of a class. */
const MAX_LINE = 2 ** 16;

/** Values by number. A Map holds fewer than the largest files have. */
class Memo<T> {
  readonly #chunks: (T | undefined)[][] = [];
  /** Numbers that were used. */
  size = 0;

  get(index: number): T | undefined {
    return this.#chunks[index >>> 12]?.[index & 4095];
  }

  set(index: number, value: T): void {
    const chunk = (this.#chunks[index >>> 12] ??= []);
    if (chunk[index & 4095] === undefined) this.size++;
    chunk[index & 4095] = value;
  }

  replace(index: number, value: T | undefined): void {
    const chunk = this.#chunks[index >>> 12];
    if (chunk) chunk[index & 4095] = value;
  }
}

export abstract class PickleMachine<T> {
  readonly #stack: (T | Scalar)[] = [];
  readonly #marks: number[] = [];
  readonly #memo = new Memo<T | Scalar>();
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  #piece: Uint8Array = new Uint8Array();
  #view = new DataView(this.#piece.buffer);
  /** Where the piece lies in the file, and where the machine is in the piece. */
  #base = 0;
  #at = 0;
  #opcodeAt = 0;

  constructor(
    private readonly source: Pieces,
    private readonly limits: PickleLimits,
  ) {}

  protected abstract emptyDict(): T;
  protected abstract emptyList(): T;
  protected abstract tuple(items: (T | Scalar)[]): T;
  /** `items`: keys and values in turn. */
  protected abstract setItems(dict: T | Scalar, items: (T | Scalar)[]): void;
  protected abstract append(list: T | Scalar, items: (T | Scalar)[]): void;

  /** Told of every value that the pickle may refer back to. */
  protected kept(_item: T | Scalar, _index: number): void {}

  protected global(name: string): T {
    return this.reject(`names ${quoted(name)}; only plain containers are read, and nothing is run`);
  }

  protected persistent(_id: T | Scalar): T {
    return this.reject('has a persistent id');
  }

  protected reduce(_callee: T | Scalar, _args: T | Scalar): T | Scalar {
    return this.reject('calls a function');
  }

  protected build(_object: T | Scalar): void {
    this.reject('sets the state of an object');
  }

  /** What the pickle refers to by this number from now on; undefined: nothing. */
  protected replace(index: number, item: T | undefined): void {
    this.#memo.replace(index, item);
  }

  protected reject(problem: string): never {
    throw new PickleError(`the pickle ${problem} (at byte ${this.#opcodeAt})`);
  }

  /** The value that the pickle ends with. */
  protected run(): T | Scalar {
    const { bytes, opcodes: most } = this.limits;
    if (this.source.size > bytes)
      throw new PickleError(`the pickle has ${this.source.size} bytes, more than the ${bytes} allowed`);
    for (let opcodes = 0; ; opcodes++) {
      this.#opcodeAt = this.#base + this.#at;
      if (opcodes > most) this.reject(`has more than ${most} opcodes`);
      const opcode = this.#uint8();
      if (opcode === OP.STOP) return this.#pop();
      this.#step(opcode);
    }
  }

  #step(opcode: number): void {
    switch (opcode) {
      case OP.PROTO:
        if (this.#uint8() > 5) this.reject('has a protocol above 5');
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
      case OP.BININT: {
        // The piece, and with it the view, may be another after it.
        const at = this.#skip(4);
        return this.#push(this.#view.getInt32(at, true));
      }
      case OP.BININT1:
        return this.#push(this.#uint8());
      case OP.BININT2: {
        const at = this.#skip(2);
        return this.#push(this.#view.getUint16(at, true));
      }
      case OP.LONG1:
        return this.#push(this.#long(this.#uint8()));
      case OP.BINFLOAT: {
        const at = this.#skip(8);
        return this.#push(this.#view.getFloat64(at));
      }
      case OP.BINUNICODE:
        return this.#push(this.#text(this.#uint32()));
      case OP.SHORT_BINUNICODE:
        return this.#push(this.#text(this.#uint8()));
      case OP.EMPTY_DICT:
        return this.#push(this.emptyDict());
      case OP.EMPTY_LIST:
        return this.#push(this.emptyList());
      case OP.EMPTY_TUPLE:
        return this.#push(this.tuple([]));
      case OP.TUPLE:
        return this.#push(this.tuple(this.#popToMark()));
      case OP.TUPLE1:
      case OP.TUPLE2:
      case OP.TUPLE3:
        return this.#shortTuple(opcode - OP.TUPLE1 + 1);
      case OP.SETITEM: {
        const value = this.#pop();
        const key = this.#pop();
        return this.setItems(this.#top(), [key, value]);
      }
      case OP.SETITEMS: {
        const items = this.#popToMark();
        if (items.length % 2 !== 0) this.reject('sets items of what is no dict');
        return this.setItems(this.#top(), items);
      }
      case OP.APPEND: {
        const item = this.#pop();
        return this.append(this.#top(), [item]);
      }
      case OP.APPENDS: {
        const items = this.#popToMark();
        return this.append(this.#top(), items);
      }
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
      case OP.GLOBAL: {
        const module = this.#line();
        return this.#push(this.global(`${module}.${this.#line()}`));
      }
      case OP.STACK_GLOBAL: {
        const name = this.#pop();
        const module = this.#pop();
        if (typeof name !== 'string' || typeof module !== 'string') this.reject('names a class without text');
        return this.#push(this.global(`${String(module)}.${String(name)}`));
      }
      case OP.BINPERSID:
        return this.#push(this.persistent(this.#pop()));
      case OP.REDUCE: {
        const args = this.#pop();
        return this.#push(this.reduce(this.#pop(), args));
      }
      case OP.BUILD:
        this.#pop();
        return this.build(this.#top());
      default:
        this.reject(`has the opcode 0x${opcode.toString(16)}, which makes no tensor and no plain container`);
    }
  }

  /** Where so many bytes lie in the piece, which is read anew where they do not. */
  #skip(bytes: number): number {
    if (this.#at + bytes > this.#piece.length) this.#load(bytes);
    const at = this.#at;
    this.#at += bytes;
    return at;
  }

  #load(bytes: number): void {
    const from = this.#base + this.#at;
    if (from + bytes > this.source.size) this.reject('ends too early');
    this.#piece = this.source.read(
      from,
      Math.min(this.source.size, from + Math.max(bytes, this.source.piece)),
    );
    if (this.#piece.length < bytes) this.reject('ends too early');
    this.#view = new DataView(this.#piece.buffer, this.#piece.byteOffset, this.#piece.byteLength);
    this.#base = from;
    this.#at = 0;
  }

  #uint8(): number {
    const at = this.#skip(1);
    return this.#piece[at] as number;
  }

  #uint32(): number {
    const at = this.#skip(4);
    return this.#view.getUint32(at, true);
  }

  #text(length: number): string {
    if (length > MAX_TEXT) {
      if (this.#base + this.#at + length > this.source.size) this.reject('ends too early');
      this.reject(`has a text of ${length} bytes, more than the ${MAX_TEXT} allowed`);
    }
    const at = this.#skip(length);
    try {
      return this.#decoder.decode(this.#piece.subarray(at, at + length));
    } catch {
      return this.reject('has a text that is no UTF-8');
    }
  }

  #line(): string {
    const bytes: number[] = [];
    for (let byte = this.#uint8(); byte !== 0x0a; byte = this.#uint8()) {
      bytes.push(byte);
      if (bytes.length > MAX_LINE) this.reject(`names a class of more than ${MAX_LINE} characters`);
    }
    try {
      return this.#decoder.decode(Uint8Array.from(bytes));
    } catch {
      return this.reject('has a text that is no UTF-8');
    }
  }

  #long(length: number): number | bigint {
    const at = this.#skip(length);
    if (length === 0) return 0;
    // Addresses have six bytes, times in microseconds seven; both are exact as numbers.
    if (length <= 6 || (length === 7 && (this.#piece[at + 6] as number) < 0x20)) {
      let value = 0;
      for (let i = length - 1; i >= 0; i--) value = value * 256 + (this.#piece[at + i] as number);
      return (this.#piece[at + length - 1] as number) & 0x80 ? value - 2 ** (8 * length) : value;
    }
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.#piece[at + i] as number);
    const signed = BigInt.asIntN(8 * length, value);
    return Number.isSafeInteger(Number(signed)) ? Number(signed) : signed;
  }

  #push(item: T | Scalar): void {
    if (this.#stack.push(item) > this.limits.stack)
      this.reject(`holds more than ${this.limits.stack} values at once`);
  }

  /** The top of the stack, above the last mark. */
  #top(): T | Scalar {
    if (this.#stack.length <= (this.#marks.at(-1) ?? 0)) this.reject('takes from an empty stack');
    return this.#stack.at(-1) as T | Scalar;
  }

  #pop(): T | Scalar {
    const item = this.#top();
    this.#stack.pop();
    return item;
  }

  #popToMark(): (T | Scalar)[] {
    const mark = this.#marks.pop() ?? this.reject('has no mark');
    return this.#stack.splice(mark);
  }

  #put(index: number): void {
    const item = this.#top();
    this.#memo.set(index, item);
    if (this.#memo.size > this.limits.memo) this.reject(`keeps more than ${this.limits.memo} values`);
    this.kept(item, index);
  }

  #get(index: number): void {
    const item = this.#memo.get(index);
    if (item === undefined) this.reject(`asks for value ${index}, which was not kept`);
    this.#push(item);
  }

  #shortTuple(length: number): void {
    const items: (T | Scalar)[] = [];
    for (let i = 0; i < length; i++) items.unshift(this.#pop());
    this.#push(this.tuple(items));
  }
}
