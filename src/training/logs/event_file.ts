/**
 * TensorBoard's event files: TFRecords (tensorflow/core/lib/io/record_writer.h: length, masked CRC-32C of it, data, masked CRC-32C
 * of them) whose data are messages Event (tensorflow/core/util/event.proto, framework/summary.proto, framework/tensor.proto) in
 * protobuf's wire format (https://protobuf.dev/programming-guides/encoding).
 */
import { quoted } from '../../base/text';
import { crc32c } from '../../checkpoints/crc32';
import { DataError } from '../../eeg/errors';
import type { Log, Point } from './log';

/** Rotated and shifted, so that checksums of data that hold checksums stay apart. */
function masked(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

const VERSION = 'brain.Event:2';

type Bytes = Uint8Array<ArrayBuffer>;

/** Wire types. */
const [VARINT, FIXED64, LENGTH, FIXED32] = [0, 1, 2, 5] as const;

const joined = (parts: readonly Uint8Array[]): Bytes => {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
};

function varint(value: number): Bytes {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Uint8Array.from([...bytes, rest]);
}

const keyOf = (field: number, wire: number): Bytes => varint(field * 8 + wire);

const message = (field: number, content: Uint8Array): Bytes =>
  joined([keyOf(field, LENGTH), varint(content.length), content]);

const text = (field: number, content: string): Bytes => message(field, new TextEncoder().encode(content));

function double(field: number, value: number): Bytes {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value, true);
  return joined([keyOf(field, FIXED64), bytes]);
}

function float(field: number, value: number): Bytes {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return joined([keyOf(field, FIXED32), bytes]);
}

/** A field whose value is the type's default is not written, as of int64 and double in proto3. */
const unlessZero = (value: number, field: Bytes): Bytes => (value === 0 ? new Uint8Array() : field);

function record(data: Uint8Array): Bytes {
  const head = new Uint8Array(8);
  new DataView(head.buffer).setBigUint64(0, BigInt(data.length), true);
  const sum = (of: Uint8Array): Bytes => {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, masked(of), true);
    return bytes;
  };
  return joined([head, sum(head), data, sum(data)]);
}

/** The name under which TensorBoard finds it: one in a folder of its own for each run. `time`: seconds since 1970. */
export const eventFileName = (time: number): string =>
  `events.out.tfevents.${String(Math.floor(time)).padStart(10, '0')}.smokescan`;

/**
 * Writes a log, tag by tag, values as float32. `time`: seconds since 1970, the wall time of every event: no time is kept of a
 * step.
 */
export function writeEventFile(log: Log, time: number): Bytes {
  const at = unlessZero(time, double(1, time));
  const records = [record(joined([at, text(3, VERSION)]))];
  for (const [tag, points] of log)
    for (const { step, value } of points) {
      const summary = message(1, joined([text(1, tag), float(2, value)]));
      const count = unlessZero(step, joined([keyOf(2, VARINT), varint(step)]));
      records.push(record(joined([at, count, message(5, summary)])));
    }
  return joined(records);
}

/** A field of a message: a varint or the bytes of its value. */
interface WireField {
  readonly field: number;
  readonly wire: number;
  readonly bytes: Uint8Array;
  readonly varint: bigint;
}

/** Bytes are no message. */
class WireError extends Error {
  override name = 'WireError';
}

function* fieldsOf(bytes: Uint8Array): Generator<WireField> {
  let at = 0;
  const next = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw new WireError('it ends within a number');
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new WireError('a number has more than ten bytes');
  };
  while (at < bytes.length) {
    const key = next();
    const [field, wire] = [Number(key >> 3n), Number(key & 7n)];
    let varint = 0n;
    let length = 0;
    if (wire === VARINT) varint = next();
    else if (wire === FIXED64) length = 8;
    else if (wire === FIXED32) length = 4;
    else if (wire === LENGTH) length = Number(next());
    else throw new WireError(`a field is of kind ${wire}, which is not used`);
    if (length > bytes.length - at) throw new WireError('a field is longer than what holds it');
    yield { field, wire, varint, bytes: bytes.subarray(at, at + length) };
    at += length;
  }
}

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, byteLength);
const float32 = (bytes: Uint8Array): number | undefined =>
  bytes.length >= 4 ? viewOf(bytes).getFloat32(0, true) : undefined;
const float64 = (bytes: Uint8Array): number | undefined =>
  bytes.length >= 8 ? viewOf(bytes).getFloat64(0, true) : undefined;

/** DT_FLOAT and DT_DOUBLE of types.proto. */
const [DT_FLOAT, DT_DOUBLE] = [1n, 2n] as const;

/** A tensor of one number, as newer writers store a scalar; undefined where it is another. */
function scalarOf(tensor: Uint8Array): number | undefined {
  const fields = new Map([...fieldsOf(tensor)].map((one) => [one.field, one]));
  const dtype = fields.get(1)?.varint;
  // tensor_content, or else float_val or double_val.
  const values = fields.get(4) ?? fields.get(dtype === DT_FLOAT ? 5 : 6);
  if (!values) return undefined;
  if (dtype === DT_FLOAT && values.bytes.length === 4) return float32(values.bytes);
  return dtype === DT_DOUBLE && values.bytes.length === 8 ? float64(values.bytes) : undefined;
}

interface Event {
  readonly time: number;
  readonly step: number;
  readonly values: readonly (readonly [tag: string, value: number])[];
}

function eventOf(data: Uint8Array): Event {
  let [time, step] = [0, 0];
  const values: [string, number][] = [];
  for (const { field, bytes, varint } of fieldsOf(data)) {
    if (field === 1) time = float64(bytes) ?? 0;
    else if (field === 2) step = Number(BigInt.asIntN(64, varint));
    else if (field === 5)
      for (const value of fieldsOf(bytes)) {
        if (value.field !== 1) continue;
        let [tag, scalar] = ['', undefined as number | undefined];
        for (const part of fieldsOf(value.bytes)) {
          if (part.field === 1) tag = new TextDecoder().decode(part.bytes);
          else if (part.field === 2) scalar = float32(part.bytes);
          else if (part.field === 8) scalar = scalarOf(part.bytes);
        }
        if (scalar !== undefined) values.push([tag, scalar]);
      }
  }
  return { time, step, values };
}

export interface ReadEvents {
  readonly log: Log;
  /** Seconds since 1970, of the first event. */
  readonly time: number;
  /** What a person should know: a sentence; null where the file is whole. */
  readonly remark: string | null;
}

/**
 * Reads the scalars of an event file; of a step that a tag has twice, as after a resume, the later one holds. What comes after a
 * record that is damaged or cut off is left out, which `remark` says. Throws DataError where no record can be read. `name`: of
 * the file, for sentences.
 */
export function readEventFile(bytes: Uint8Array, name: string): ReadEvents {
  const tags = new Map<string, Map<number, number>>();
  const view = viewOf(bytes);
  let [at, count, time] = [0, 0, NaN];
  let damage: string | undefined;
  while (at < bytes.length && damage === undefined) {
    damage = 'ends within';
    if (bytes.length - at < 16) break;
    const length = Number(view.getBigUint64(at, true));
    if (masked(bytes.subarray(at, at + 8)) !== view.getUint32(at + 8, true)) {
      damage = 'has a wrong checksum in';
      break;
    }
    if (length > bytes.length - at - 16) break;
    const data = bytes.subarray(at + 12, at + 12 + length);
    if (masked(data) !== view.getUint32(at + 12 + length, true)) {
      damage = 'has a wrong checksum in';
      break;
    }
    try {
      const event = eventOf(data);
      if (count === 0) time = event.time;
      for (const [tag, value] of event.values) {
        const points = tags.get(tag) ?? new Map<number, number>();
        tags.set(tag, points);
        points.set(event.step, value);
      }
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      damage = `cannot be read (${error.message}) in`;
      break;
    }
    at += 16 + length;
    count++;
    damage = undefined;
  }
  if (count === 0)
    throw new DataError(
      quoted(name),
      'record 1',
      bytes.length === 0
        ? 'the file is empty; the run has written nothing yet'
        : 'this is not an event file of TensorBoard; open events.out.tfevents.*',
    );
  const log = new Map(
    [...tags].map(([tag, points]): [string, Point[]] => [
      tag,
      [...points].map(([step, value]) => ({ step, value })).sort((a, b) => a.step - b.step),
    ]),
  );
  const remark =
    damage === undefined
      ? null
      : `${quoted(name)} ${damage} record ${count + 1}: the ${count} before it were read. A run that is under way, or was killed, leaves such a file.`;
  return { log, time, remark };
}
