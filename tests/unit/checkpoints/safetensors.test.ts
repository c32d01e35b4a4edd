import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse, SafetensorsError, write, type SafetensorsTensor } from '../../../src/checkpoints/safetensors';

/** save({steps: 12, a: [[1, -2], [0.5, 1e-3]], b: [0, 3] floats, mask: [true, false, true]}, {format: 'pt'}) of safetensors 0.8.0. */
const REFERENCE_FILE =
  'CAEAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJmb3JtYXQiOiJwdCJ9LCJzdGVwcyI6eyJkdHlwZSI6Ikk2NCIsInNoYXBlIjpbXSwi' +
  'ZGF0YV9vZmZzZXRzIjpbMCw4XX0sImEiOnsiZHR5cGUiOiJGMzIiLCJzaGFwZSI6WzIsMl0sImRhdGFfb2Zmc2V0cyI6WzgsMjRd' +
  'fSwiYiI6eyJkdHlwZSI6IkYzMiIsInNoYXBlIjpbMCwzXSwiZGF0YV9vZmZzZXRzIjpbMjQsMjRdfSwibWFzayI6eyJkdHlwZSI6' +
  'IkJPT0wiLCJzaGFwZSI6WzNdLCJkYXRhX29mZnNldHMiOlsyNCwyN119fSAgICAMAAAAAAAAAAAAgD8AAADAAAAAP28SgzoBAAE=';

/** A file with this header, taken as it is, and so many bytes of data. */
function fileOf(header: string | Uint8Array, dataBytes = 0, headerLength?: number | bigint): Uint8Array {
  const text = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const file = new Uint8Array(8 + text.length + dataBytes);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerLength ?? text.length), true);
  file.set(text, 8);
  file.forEach((_, i) => i >= 8 + text.length && (file[i] = i % 251));
  return file;
}

const entry = (begin: number, end: number, shape = [(end - begin) / 4], dtype = 'F32') => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

const tensors = new Map<string, SafetensorsTensor>([
  ['weight', { dtype: 'F32', shape: [2, 3], data: new Float32Array([1, -2.5, 3, NaN, Infinity, 1e-40]) }],
  ['count', { dtype: 'I64', shape: [], data: new BigInt64Array([-9_007_199_254_740_993n]) }],
  ['mask', { dtype: 'BOOL', shape: [3], data: new Uint8Array([1, 0, 1]) }],
  ['half', { dtype: 'F16', shape: [2], data: new Uint16Array([0x3c00, 0xfbff]) }],
  ['double', { dtype: 'F64', shape: [1], data: new Float64Array([Math.PI]) }],
  ['empty', { dtype: 'F32', shape: [0, 5], data: new Float32Array() }],
  ['"quotes" \\ ünïcode', { dtype: 'U8', shape: [1], data: new Uint8Array([7]) }],
]);

test('what is written is read back, tensors and metadata', () => {
  const metadata = { op: 'linear', attrs: '{"eps": 1e-5}' };
  const read = parse(write(tensors, metadata));
  expect(read.metadata).toEqual(metadata);
  expect(new Map([...read.tensors].sort())).toEqual(new Map([...tensors].sort()));
});

test('tensors are laid out widest first, then by name, after a header of a multiple of 8 bytes', () => {
  const file = write(tensors);
  const length = Number(new DataView(file.buffer).getBigUint64(0, true));
  expect(length % 8).toBe(0);
  const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length))) as Record<
    string,
    unknown
  >;
  expect(Object.keys(header)).toEqual([
    'count',
    'double',
    'empty',
    'weight',
    'half',
    '"quotes" \\ ünïcode',
    'mask',
  ]);
});

test('a file of the reference implementation is written again byte by byte', () => {
  const bytes = Uint8Array.from(Buffer.from(REFERENCE_FILE, 'base64'));
  const { metadata, tensors: read } = parse(bytes);
  expect(metadata).toEqual({ format: 'pt' });
  expect([...read.keys()]).toEqual(['steps', 'a', 'b', 'mask']);
  expect(read.get('a')).toEqual({ dtype: 'F32', shape: [2, 2], data: new Float32Array([1, -2, 0.5, 1e-3]) });
  expect(Buffer.from(write(read, metadata)).toString('base64')).toBe(REFERENCE_FILE);
});

test('a golden case is read at any alignment of the bytes', () => {
  const path = join(import.meta.dirname, '../../golden/cases/linear.nobias.safetensors');
  const file = new Uint8Array(readFileSync(path));
  const shifted = new Uint8Array(file.length + 1);
  shifted.set(file, 1);
  expect(parse(file).tensors.get('in.weight')?.shape).toEqual([100, 64]);
  expect(parse(shifted.subarray(1))).toEqual(parse(file));
});

test('a header whose length is odd leaves the data unaligned, which is read too', () => {
  const data = parse(fileOf('{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}} ', 8)).tensors.get(
    'x',
  )?.data;
  expect(data).toHaveLength(2);
});

test.each<[string, Uint8Array, RegExp]>([
  ['no length', new Uint8Array(7), /7 bytes, too few/],
  ['a header longer than the file', fileOf('{}', 0, 3), /header has 3 bytes, the file only 2/],
  [
    'a dtype of a megabyte',
    fileOf(`{"x":{"dtype":"${'d'.repeat(1_000_000)}","shape":[],"data_offsets":[0,0]}}`),
    /dtype is "d{50,60}…", none of/,
  ],
  [
    'a shape of a million entries',
    fileOf(`{"x":{"dtype":"F32","shape":[${'1,'.repeat(999_999)}1],"data_offsets":[0,4]}}`),
    /it has 1000000 axes, more than the 64 allowed/,
  ],
  ['a header above 10 MB', fileOf('{}', 0, 10_000_001), /10000001 bytes, more than the 10000000/],
  ['a length above 2^53', fileOf('{}', 0, 2n ** 64n - 1n), /18446744073709551615 bytes, more than/],
  ['an empty header', fileOf(''), /not JSON/],
  ['broken JSON', fileOf('{"x":'), /not JSON/],
  ['text after the JSON', fileOf('{}}'), /not JSON/],
  ['bytes that are no UTF-8', fileOf(new Uint8Array([0x7b, 0xff, 0x7d])), /not JSON in UTF-8/],
  ['a byte order mark', fileOf('\ufeff{}'), /not JSON/],
  ['a list', fileOf('[]'), /not a JSON object/],
  ['null', fileOf('null'), /not a JSON object/],
  ['metadata that are no object', fileOf('{"__metadata__":"op"}'), /__metadata__ is not an object/],
  ['metadata that are no strings', fileOf('{"__metadata__":{"op":1}}'), /__metadata__.*"op" is not a string/],
  ['an entry that is no object', fileOf('{"x":null}'), /"x": its entry is not an object/],
  ['no dtype', fileOf('{"x":{"shape":[0],"data_offsets":[0,0]}}'), /"x": dtype is undefined/],
  ['an unknown dtype', fileOf(JSON.stringify({ x: entry(0, 4, [1], 'F33') }), 4), /"x": dtype is "F33"/],
  ['a dtype of JavaScript', fileOf(JSON.stringify({ x: entry(0, 4, [1], 'toString') }), 4), /"x": dtype/],
  ['a negative size', fileOf(JSON.stringify({ x: entry(0, 4, [-1, -1]) }), 4), /"x": shape is \[-1,-1\]/],
  ['a broken size', fileOf(JSON.stringify({ x: entry(0, 4, [0.5, 2]) }), 4), /"x": shape is \[0.5,2\]/],
  ['no shape', fileOf('{"x":{"dtype":"F32","data_offsets":[0,0]}}'), /"x": shape is undefined/],
  [
    'one offset',
    fileOf('{"x":{"dtype":"F32","shape":[0],"data_offsets":[0]}}'),
    /"x": data_offsets is \[0\]/,
  ],
  [
    'offsets as text',
    fileOf('{"x":{"dtype":"F32","shape":[0],"data_offsets":["0","0"]}}'),
    /"x": data_offsets/,
  ],
  ['offsets that go back', fileOf(JSON.stringify({ x: entry(4, 0, [1]) }), 4), /"x": data_offsets ends at 0/],
  [
    'a shape above its bytes',
    fileOf(JSON.stringify({ x: entry(0, 4, [2]) }), 4),
    /"x": data_offsets spans 4.*needs 8/,
  ],
  [
    'a shape below its bytes',
    fileOf(JSON.stringify({ x: entry(0, 8, [1]) }), 8),
    /"x": data_offsets spans 8.*needs 4/,
  ],
  [
    'a shape that overflows',
    fileOf(JSON.stringify({ x: entry(0, 0, [2 ** 52, 2 ** 52]) })),
    /"x": data_offsets spans 0/,
  ],
  [
    'data that are cut off',
    fileOf(JSON.stringify({ x: entry(0, 8) }), 4),
    /"x": data_offsets ends at 8, the file has 4/,
  ],
  ['data that are left over', fileOf(JSON.stringify({ x: entry(0, 4) }), 5), /1 bytes at the end/],
  ['data without a tensor', fileOf('{}', 1), /1 bytes at the end/],
  [
    'a gap',
    fileOf(JSON.stringify({ x: entry(0, 4), y: entry(8, 12) }), 12),
    /"y": data_offsets starts at 8.*gap after "x"/,
  ],
  ['a gap at the start', fileOf(JSON.stringify({ x: entry(4, 8) }), 8), /"x": .*gap after the header/],
  [
    'an overlap',
    fileOf(JSON.stringify({ x: entry(0, 8), y: entry(4, 8) }), 8),
    /"y": data_offsets starts at 4, inside "x"/,
  ],
  [
    'the same bytes twice',
    fileOf(JSON.stringify({ x: entry(0, 4), y: entry(0, 4) }), 4),
    /starts at 0, inside "x"/,
  ],
  [
    'a tensor twice',
    fileOf(
      '{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
      1,
    ),
    /describes "x" twice/,
  ],
  [
    'a tensor twice, once in escapes',
    fileOf(
      '{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}, "\\u0078" : {"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
      1,
    ),
    /describes "x" twice/,
  ],
  [
    'a field twice',
    fileOf('{"x":{"dtype":"U8","shape":[1],"shape":[2],"data_offsets":[0,2]}}', 2),
    /"x" has the field "shape" twice/,
  ],
  [
    'a key of the metadata twice',
    fileOf('{"__metadata__":{"a":"1","a":"2"}}'),
    /"__metadata__" has the field "a" twice/,
  ],
])('%s is rejected', (_, file, message) => {
  expect(() => parse(file)).toThrow(SafetensorsError);
  expect(() => parse(file)).toThrow(message);
});

test('equal keys of different objects and equal texts are no duplicates', () => {
  const { metadata } = parse(
    fileOf(
      '{"__metadata__":{"dtype":"a:{\\"","shape":"a:{\\""},"x":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"y":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}',
    ),
  );
  expect(metadata).toEqual({ dtype: 'a:{"', shape: 'a:{"' });
});

test('a tensor named __proto__ is a tensor', () => {
  const file = fileOf('{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 1);
  expect([...parse(file).tensors.keys()]).toEqual(['__proto__']);
});

test('a shape that does not fit its data is not written', () => {
  const wrong = new Map([['x', { dtype: 'F32', shape: [3], data: new Float32Array(2) }]] as const);
  expect(() => write(wrong)).toThrow(/"x": data_offsets spans 8 bytes, shape \[3\] of F32 needs 12/);
});
