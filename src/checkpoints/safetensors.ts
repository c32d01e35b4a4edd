/**
 * The safetensors format (https://github.com/huggingface/safetensors): eight bytes with the header's length, a JSON header,
 * and the tensors' bytes, little-endian as every machine with WebGPU is.
 */
import { messageOf, quoted, quotedJson, visible } from '../base/text';

/** How a tensor's bytes are seen; F16, BF16, BOOL and F8 as raw bits. In the order of the reference's `Dtype`. */
interface Views {
  BOOL: Uint8Array;
  U8: Uint8Array;
  I8: Int8Array;
  F8_E5M2: Uint8Array;
  F8_E4M3: Uint8Array;
  I16: Int16Array;
  U16: Uint16Array;
  F16: Uint16Array;
  BF16: Uint16Array;
  I32: Int32Array;
  U32: Uint32Array;
  F32: Float32Array;
  F64: Float64Array;
  I64: BigInt64Array;
  U64: BigUint64Array;
}

/** A dtype's view, which knows its bytes per element. */
export const VIEWS = {
  BOOL: Uint8Array,
  U8: Uint8Array,
  I8: Int8Array,
  F8_E5M2: Uint8Array,
  F8_E4M3: Uint8Array,
  I16: Int16Array,
  U16: Uint16Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  I32: Int32Array,
  U32: Uint32Array,
  F32: Float32Array,
  F64: Float64Array,
  I64: BigInt64Array,
  U64: BigUint64Array,
} as const satisfies Record<keyof Views, unknown>;

export type SafetensorsDType = keyof Views;

/** A tensor whose `dtype` says what its `data` is. */
export type SafetensorsTensor = {
  [D in SafetensorsDType]: { readonly dtype: D; readonly shape: readonly number[]; readonly data: Views[D] };
}[SafetensorsDType];

export interface Safetensors {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, SafetensorsTensor>;
}

/** A file that is not safetensors: a sentence that names the tensor and the field. */
export class SafetensorsError extends Error {
  override name = 'SafetensorsError';
}

/** A state of the detector has 150 kB; the reference allows 100 MB, which take seconds to parse. */
const MAX_HEADER_BYTES = 10_000_000;
/** The most axes of a tensor, as NumPy allows them. */
export const MAX_AXES = 64;

const DTYPES = Object.keys(VIEWS) as SafetensorsDType[];
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

interface Entry {
  readonly name: string;
  readonly dtype: SafetensorsDType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/**
 * Reads a file. Aligned tensors are views of `file`, others are copies. Throws SafetensorsError unless the header is
 * whole, unambiguous and accounts for every byte.
 */
export function parse(file: Uint8Array): Safetensors {
  const headerEnd = 8 + headerLength(file);
  const header = parseHeader(file.subarray(8, headerEnd));
  const { __metadata__: metadata = {}, ...described } = header;
  const entries = Object.entries(described).map(([name, entry]) => parseEntry(name, entry));
  checkCoverage(entries, file.length - headerEnd);
  const tensors = new Map<string, SafetensorsTensor>();
  for (const { name, dtype, shape, begin, end } of entries) {
    const bytes = file.subarray(headerEnd + begin, headerEnd + end);
    tensors.set(name, { dtype, shape, data: view(dtype, bytes) } as SafetensorsTensor);
  }
  return { metadata: parseMetadata(metadata), tensors };
}

/**
 * The bytes of a file, the same as the reference writes: tensors by dtype, widest first, then by name; the header filled
 * with spaces to a multiple of 8 bytes. Throws SafetensorsError when a shape does not fit its data.
 */
export function write(
  tensors: ReadonlyMap<string, SafetensorsTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const order = [...tensors].sort(
    ([a, { dtype: left }], [b, { dtype: right }]) =>
      DTYPES.indexOf(right) - DTYPES.indexOf(left) || (a < b ? -1 : 1),
  );
  const header = new Map<string, unknown>();
  if (Object.keys(metadata).length > 0) header.set('__metadata__', metadata);
  let length = 0;
  for (const [name, { dtype, shape, data }] of order) {
    if (name === '__metadata__') throw new SafetensorsError('no tensor may be named __metadata__');
    const entry = { dtype, shape, data_offsets: [length, length + data.byteLength] };
    parseEntry(name, entry);
    header.set(name, entry);
    length += data.byteLength;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const dataStart = 8 + Math.ceil(json.length / 8) * 8;
  const file = new Uint8Array(dataStart + length);
  new DataView(file.buffer).setBigUint64(0, BigInt(dataStart - 8), true);
  file.fill(0x20, 8, dataStart);
  file.set(json, 8);
  let offset = dataStart;
  for (const [, { data }] of order) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset);
    offset += data.byteLength;
  }
  return file;
}

function headerLength(file: Uint8Array): number {
  if (file.length < 8)
    throw new SafetensorsError(`the file has ${file.length} bytes, too few for the length of a header`);
  const length = new DataView(file.buffer, file.byteOffset).getBigUint64(0, true);
  if (length > MAX_HEADER_BYTES)
    throw new SafetensorsError(`the header has ${length} bytes, more than the ${MAX_HEADER_BYTES} allowed`);
  if (length > file.length - 8)
    throw new SafetensorsError(
      `the header has ${length} bytes, the file only ${file.length - 8} after its length`,
    );
  return Number(length);
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  let text: string;
  let header: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    header = JSON.parse(text);
  } catch (error) {
    throw new SafetensorsError(`the header is not JSON in UTF-8 (${visible(messageOf(error))})`);
  }
  if (!isObject(header)) throw new SafetensorsError('the header is not a JSON object');
  rejectDuplicateKeys(text);
  return header;
}

/** JSON.parse keeps the last of two equal keys and says nothing. `text` is valid JSON. */
function rejectDuplicateKeys(text: string): void {
  const open: { name: string | undefined; keys: Set<string> }[] = [];
  let lastKey: string | undefined;
  for (let i = 0; i < text.length; i++) {
    const character = text.charAt(i);
    if (character === '{') open.push({ name: lastKey, keys: new Set() });
    else if (character === '}') open.pop();
    else if (character === '"') {
      const start = i++;
      while (text.charAt(i) !== '"') i += text.charAt(i) === '\\' ? 2 : 1;
      let next = i + 1;
      while (' \t\n\r'.includes(text.charAt(next)) && next < text.length) next++;
      const object = open.at(-1);
      if (!object || text.charAt(next) !== ':') continue;
      lastKey = JSON.parse(text.slice(start, i + 1)) as string;
      if (object.keys.has(lastKey))
        throw new SafetensorsError(
          object.name === undefined
            ? `the header describes ${quoted(lastKey)} twice`
            : `${quoted(object.name)} has the field ${quoted(lastKey)} twice`,
        );
      object.keys.add(lastKey);
    }
  }
}

function parseMetadata(metadata: unknown): Record<string, string> {
  if (!isObject(metadata)) throw new SafetensorsError('__metadata__ is not an object');
  for (const [key, value] of Object.entries(metadata))
    if (typeof value !== 'string')
      throw new SafetensorsError(`__metadata__: the value of ${quoted(key)} is not a string`);
  return metadata as Record<string, string>;
}

function parseEntry(name: string, entry: unknown): Entry {
  const reject = (problem: string): never => {
    throw new SafetensorsError(`tensor ${quoted(name)}: ${problem}`);
  };
  if (!isObject(entry)) return reject('its entry is not an object');
  const { shape, data_offsets: offsets } = entry;
  const dtype = DTYPES.find((known) => known === entry['dtype']);
  if (dtype === undefined)
    return reject(`dtype is ${quotedJson(entry['dtype'])}, none of ${DTYPES.join(', ')}`);
  if (Array.isArray(shape) && shape.length > MAX_AXES)
    return reject(`it has ${shape.length} axes, more than the ${MAX_AXES} allowed`);
  if (!Array.isArray(shape) || !shape.every(isSize))
    return reject(`shape is ${quotedJson(shape)}, not a list of whole numbers`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize))
    return reject(`data_offsets is ${quotedJson(offsets)}, not two whole numbers`);
  const [begin, end] = offsets as [number, number];
  if (begin > end) return reject(`data_offsets ends at ${end}, before it starts at ${begin}`);
  const needed = shape.reduce((product, size) => product * size, VIEWS[dtype].BYTES_PER_ELEMENT);
  if (needed !== end - begin)
    return reject(
      `data_offsets spans ${end - begin} bytes, shape [${shape.join(', ')}] of ${dtype} needs ${needed}`,
    );
  return { name, dtype, shape, begin, end };
}

/** Every byte after the header belongs to one tensor. */
function checkCoverage(entries: readonly Entry[], length: number): void {
  let covered = 0;
  let previous = 'the header';
  for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    const reject = (problem: string): never => {
      throw new SafetensorsError(`tensor ${quoted(name)}: data_offsets ${problem}`);
    };
    if (end > length) reject(`ends at ${end}, the file has ${length} bytes of data`);
    if (begin < covered) reject(`starts at ${begin}, inside ${previous}, which ends at ${covered}`);
    if (begin > covered)
      reject(`starts at ${begin}, which leaves a gap after ${previous}, which ends at ${covered}`);
    covered = end;
    previous = quoted(name);
  }
  if (covered !== length)
    throw new SafetensorsError(`${length - covered} bytes at the end of the file belong to no tensor`);
}

/** Elements of a dtype, seen in place where the bytes are aligned, otherwise copied. */
export function view(dtype: SafetensorsDType, bytes: Uint8Array): SafetensorsTensor['data'] {
  const View = VIEWS[dtype];
  const size = View.BYTES_PER_ELEMENT;
  const { buffer, byteOffset, byteLength } = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  return new View(buffer as ArrayBuffer, byteOffset, byteLength / size);
}
