/**
 * Zip files as PyTorch writes them: every file stored, none compressed, its data at a multiple of 64 bytes
 * (APPNOTE.TXT 6.3.10, https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT; PyTorch's caffe2/serialize/inline_container.cc).
 */
import { quoted } from '../base/text';
import { crc32 } from './crc32';

/** A file that is no zip of stored files: a sentence that names the file inside and the field. */
export class ZipError extends Error {
  override name = 'ZipError';
}

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const END_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;
const LOCAL_BYTES = 30;
const CENTRAL_BYTES = 46;
const END_BYTES = 22;
const ALIGNMENT = 64;
const UTF8_NAMES = 0x0800;
const ENCRYPTED = 0x0001;
/** 1 January 1980, the first day that zip knows: equal contents give equal files. */
const DATE = 0x0021;
/** The extra field with which PyTorch pads. */
const PADDING_ID = 0x4246;
const MAX_32 = 0xffffffff;
const MAX_16 = 0xffff;

interface Entry {
  readonly name: string;
  readonly crc: number;
  readonly size: number;
  readonly offset: number;
}

/** The parts of a zip, in order: `new Blob(parts)` is the file. Contents are not copied. */
export function writeZip(files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>): Uint8Array<ArrayBuffer>[] {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const central: Uint8Array<ArrayBuffer>[] = [];
  let offset = 0;
  const push = (part: Uint8Array<ArrayBuffer>): void => {
    parts.push(part);
    offset += part.length;
  };
  for (const [name, content] of files) {
    const entry = { name, crc: crc32(content), size: content.length, offset };
    const header = localHeader(entry);
    central.push(centralHeader(entry));
    push(header);
    push(content);
  }
  const start = offset;
  central.forEach(push);
  if (offset > MAX_32 || files.size >= MAX_16)
    throw new ZipError(`the file would have ${offset} bytes; this writer's limit is 4 GiB`);
  const end = new DataView(new ArrayBuffer(END_BYTES));
  end.setUint32(0, END, true);
  end.setUint16(8, files.size, true);
  end.setUint16(10, files.size, true);
  end.setUint32(12, offset - start, true);
  end.setUint32(16, start, true);
  push(new Uint8Array(end.buffer));
  return parts;
}

function localHeader(entry: Entry): Uint8Array<ArrayBuffer> {
  const name = new TextEncoder().encode(entry.name);
  const unpadded = entry.offset + LOCAL_BYTES + name.length + 4;
  const padding = (ALIGNMENT - (unpadded % ALIGNMENT)) % ALIGNMENT;
  const bytes = new Uint8Array(LOCAL_BYTES + name.length + 4 + padding);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, LOCAL, true);
  common(view, 4, entry, name.length);
  view.setUint16(28, 4 + padding, true);
  bytes.set(name, LOCAL_BYTES);
  view.setUint16(LOCAL_BYTES + name.length, PADDING_ID, true);
  view.setUint16(LOCAL_BYTES + name.length + 2, padding, true);
  return bytes;
}

function centralHeader(entry: Entry): Uint8Array<ArrayBuffer> {
  const name = new TextEncoder().encode(entry.name);
  const bytes = new Uint8Array(CENTRAL_BYTES + name.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, CENTRAL, true);
  common(view, 6, entry, name.length);
  view.setUint32(42, entry.offset, true);
  bytes.set(name, CENTRAL_BYTES);
  return bytes;
}

/** The fields that both headers have, from the version needed (2.0) to the length of the name. */
function common(view: DataView, at: number, { crc, size }: Entry, nameLength: number): void {
  view.setUint16(at, 20, true);
  view.setUint16(at + 2, UTF8_NAMES, true);
  view.setUint16(at + 8, DATE, true);
  view.setUint32(at + 10, crc, true);
  view.setUint32(at + 14, size, true);
  view.setUint32(at + 18, size, true);
  view.setUint16(at + 22, nameLength, true);
}

/**
 * The files of a zip by name, as views of `file`: nothing is allocated for them, whatever their headers claim. Rejected
 * are compressed and encrypted files, overlapping ones, equal names, and contents that do not have their checksum.
 */
export function readZip(file: Uint8Array<ArrayBuffer>): Map<string, Uint8Array<ArrayBuffer>> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const { start, size, count } = findDirectory(view);
  const entries = readDirectory(view, start, size, count);
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  let covered = 0;
  for (const entry of [...entries].sort((a, b) => a.offset - b.offset)) {
    const reject = (problem: string): never => {
      throw new ZipError(`${quoted(entry.name)} in the zip ${problem}`);
    };
    if (files.has(entry.name)) reject('is there twice');
    if (entry.offset < covered) reject(`starts at ${entry.offset}, inside the file before it`);
    if (entry.offset + LOCAL_BYTES > start || view.getUint32(entry.offset, true) !== LOCAL)
      reject(`has no header at ${entry.offset}`);
    const nameEnd = entry.offset + LOCAL_BYTES + view.getUint16(entry.offset + 26, true);
    const begin = nameEnd + view.getUint16(entry.offset + 28, true);
    const end = begin + entry.size;
    if (end > start) reject(`claims ${entry.size} bytes, more than the zip has`);
    if (decodeName(file.subarray(entry.offset + LOCAL_BYTES, nameEnd)) !== entry.name)
      reject('has another name in its own header');
    const content = file.subarray(begin, end);
    if (crc32(content) !== entry.crc) reject('does not have its checksum: the file is damaged');
    files.set(entry.name, content);
    covered = end;
  }
  return files;
}

function findDirectory(view: DataView): { start: number; size: number; count: number } {
  const lowest = Math.max(0, view.byteLength - END_BYTES - MAX_16);
  for (let at = view.byteLength - END_BYTES; at >= lowest; at--) {
    if (
      view.getUint32(at, true) !== END ||
      at + END_BYTES + view.getUint16(at + 20, true) !== view.byteLength
    )
      continue;
    const end = readEnd64(view, at) ?? {
      count: view.getUint16(at + 10, true),
      size: view.getUint32(at + 12, true),
      start: view.getUint32(at + 16, true),
    };
    if (end.start + end.size > at || end.count * CENTRAL_BYTES > end.size)
      throw new ZipError(`the zip's list of ${end.count} files does not fit the zip`);
    return end;
  }
  throw new ZipError('this is no zip file: its end is not there');
}

/** The end record of large zips, which PyTorch always writes. */
function readEnd64(view: DataView, end: number): { start: number; size: number; count: number } | undefined {
  const locator = end - 20;
  if (locator < 0 || view.getUint32(locator, true) !== LOCATOR_64) return undefined;
  const at = readSize(view, locator + 8);
  if (at + 56 > locator || view.getUint32(at, true) !== END_64)
    throw new ZipError('the zip names a 64-bit end record that is not there');
  return { count: readSize(view, at + 32), size: readSize(view, at + 40), start: readSize(view, at + 48) };
}

function readDirectory(view: DataView, start: number, size: number, count: number): Entry[] {
  const entries: Entry[] = [];
  let at = start;
  for (let i = 0; i < count; i++) {
    const reject = (problem: string): never => {
      throw new ZipError(`file ${i + 1} in the zip's list ${problem}`);
    };
    if (at + CENTRAL_BYTES > start + size || view.getUint32(at, true) !== CENTRAL) reject('is not there');
    const nameLength = view.getUint16(at + 28, true);
    const extraLength = view.getUint16(at + 30, true);
    const next = at + CENTRAL_BYTES + nameLength + extraLength + view.getUint16(at + 32, true);
    if (next > start + size) reject('is longer than the list');
    const nameStart = view.byteOffset + at + CENTRAL_BYTES;
    const name = decodeName(new Uint8Array(view.buffer, nameStart, nameLength));
    if (view.getUint16(at + 8, true) & ENCRYPTED) reject(`(${quoted(name)}) is encrypted`);
    const method = view.getUint16(at + 10, true);
    if (method !== 0) reject(`(${quoted(name)}) is compressed (method ${method}); PyTorch stores its files`);
    const sizes = readSizes(view, at, at + CENTRAL_BYTES + nameLength, extraLength);
    if (sizes.compressed !== sizes.size)
      reject(
        `(${quoted(name)}) is stored, but claims to grow from ${sizes.compressed} to ${sizes.size} bytes`,
      );
    entries.push({ name, crc: view.getUint32(at + 16, true), size: sizes.size, offset: sizes.offset });
    at = next;
  }
  return entries;
}

/** Sizes and offset; where the 32-bit fields are full they are in the extra field 1, in this order. */
function readSizes(view: DataView, at: number, extra: number, extraLength: number) {
  let size = view.getUint32(at + 24, true);
  let compressed = view.getUint32(at + 20, true);
  let offset = view.getUint32(at + 42, true);
  for (let field = extra; field + 4 <= extra + extraLength;) {
    const end = Math.min(field + 4 + view.getUint16(field + 2, true), extra + extraLength);
    let value = field + 4;
    const wide = (narrow: number): number => {
      if (narrow !== MAX_32 || value + 8 > end) return narrow;
      value += 8;
      return readSize(view, value - 8);
    };
    if (view.getUint16(field, true) === 1) {
      size = wide(size);
      compressed = wide(compressed);
      offset = wide(offset);
    }
    field = end;
  }
  return { size, compressed, offset };
}

function readSize(view: DataView, at: number): number {
  const size = Number(view.getBigUint64(at, true));
  if (!Number.isSafeInteger(size)) throw new ZipError(`the zip claims a size of ${size} bytes`);
  return size;
}

const decodeName = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
