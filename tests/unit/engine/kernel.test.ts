import { describe, expect, test } from 'vitest';
import { Graph, type DType } from '../../../src/engine/graph';
import { kernel, read, readWrite, write } from '../../../src/engine/ops/kernel';

const shaders = import.meta.glob<string>('../../../shaders/*.wgsl', {
  query: '?raw',
  import: 'default',
  eager: true,
});
const source = '#main thread i\n  write_y(i, read_x(i));\n#end';

function tensor(dtype: DType, size = 8) {
  const graph = new Graph();
  const created = graph.input('t', [size], dtype === 'f16' ? 'f32' : dtype);
  if (dtype === 'f16') graph.storeHalf(created);
  return created;
}

const linesOf = (dtype: DType, type?: 'vec4f'): string[] =>
  kernel({
    name: 'k',
    source,
    bindings: [read('x', tensor(dtype), type), write('y', tensor(dtype), type)],
    threads: 8,
  }).code.split('\n');

describe('accessors have the type that is computed with, however the tensor is stored', () => {
  test.each<[DType, 'vec4f' | undefined, ...string[]]>([
    [
      'f32',
      undefined,
      '@group(0) @binding(0) var<storage, read> x: array<f32, 8>;',
      'fn read_x(i: u32) -> f32 { return x[i]; }',
      'fn write_y(i: u32, v: f32) { y[i] = v; }',
    ],
    [
      'u32',
      undefined,
      '@group(0) @binding(1) var<storage, read_write> y: array<u32, 8>;',
      'fn read_x(i: u32) -> u32 { return x[i]; }',
      'fn write_y(i: u32, v: u32) { y[i] = v; }',
    ],
    [
      'f32',
      'vec4f',
      '@group(0) @binding(0) var<storage, read> x: array<vec4f, 2>;',
      'fn read_x(i: u32) -> vec4f { return x[i]; }',
      'fn write_y(i: u32, v: vec4f) { y[i] = v; }',
    ],
    [
      'f16',
      undefined,
      'enable f16;',
      '@group(0) @binding(0) var<storage, read> x: array<f16, 8>;',
      'fn read_x(i: u32) -> f32 { return f32(x[i]); }',
      'fn write_y(i: u32, v: f32) { y[i] = to_half(v); }',
      'fn to_half(v: f32) -> f16 {',
    ],
    [
      'f16',
      'vec4f',
      '@group(0) @binding(1) var<storage, read_write> y: array<vec4h, 2>;',
      'fn read_x(i: u32) -> vec4f { return vec4f(x[i]); }',
      'fn write_y(i: u32, v: vec4f) { y[i] = to_half4(v); }',
      'fn to_half4(v: vec4f) -> vec4h {',
    ],
  ])('%s %s', (dtype, type, ...lines) => {
    const code = linesOf(dtype, type);
    for (const line of lines) expect(code).toContain(line);
  });

  test('what a binding does not allow has none', () => {
    const code = linesOf('f16').join('\n');
    expect(code).not.toMatch(/fn write_x|fn read_y|to_half4/);
    const { code: both } = kernel({
      name: 'k',
      source: '',
      bindings: [readWrite('x', tensor('f32'))],
      threads: 1,
    });
    expect(both).toMatch(/fn read_x[^\n]*\nfn write_x/);
  });
});

describe('the work of a kernel', () => {
  const of = (work: { threads: number } | { items: number; per: number } | { workgroups: number }) =>
    kernel({ name: 'k', source: '$WORKGROUP $WORKGROUPS', bindings: [], workgroup: 32, ...work });

  test.each([
    [{ threads: 65 }, 3],
    [{ items: 1000, per: 4 }, 8],
    [{ workgroups: 5 }, 5],
  ])('%j', (work, workgroups) => {
    expect(of(work)).toMatchObject({ workgroups, code: `32 ${workgroups}` });
  });

  test('none is an error, and so are fours of what 4 does not divide', () => {
    expect(() => of({ threads: 0 })).toThrow('k: 0 workgroups');
    const bindings = [read('x', tensor('f32', 6), 'vec4f')];
    expect(() => kernel({ name: 'k', source, bindings, threads: 1 })).toThrow(
      'k: x has a size that 4 does not divide, so it cannot be read by fours',
    );
  });

  test('dynamic shapes are read from the uniform, the counts of the work with them', () => {
    const { code, sizes } = kernel({
      name: 'k',
      source: '#main thread i\n  write_y(i, f32($L * $FIXED));\n#end',
      defines: { FIXED: 3 },
      sizes: { L: 7 },
      bindings: [write('y', tensor('f32'))],
      threads: 65,
    });
    expect(sizes).toEqual([65, 7]);
    expect(code).toContain('if (i >= size.s0) { return; }');
    expect(code).toContain('write_y(i, f32(size.s1 * 3));');
    expect(code).toContain('struct Size { s0: u32, s1: u32 }');
    expect(code).toContain('@group(0) @binding(1) var<uniform> size: Size;');
    expect(code).toContain('y: array<f32>;');
  });
});

describe('what lanes share is written whole', () => {
  /** Assignments to one component of a vector in workgroup memory. */
  function componentsWritten(text: string): string[] {
    const shared = [...text.matchAll(/var<workgroup> (\w+): array<vec/g)].map(([, name]) => name);
    const assigned = /^\s*(\w+)\[(?:[^[\]]|\[[^\]]*\])*\](?:\.\w|\[).*[^=!<>]=[^=]/;
    return text.split('\n').filter((line) => shared.includes(assigned.exec(line)?.[1]));
  }

  // Compilers write a component by writing its vector (Tint for FXC, clang for Metal): over what other lanes write.
  test.each(Object.entries(shaders))('%s', (_, text) => {
    expect(componentsWritten(text)).toEqual([]);
  });

  test.each([
    ['tile[at + 4][row % 4] = v;', 1],
    ['tile[of[lane] + 1].x = v;', 1],
    ['tile[at] = vec4f(v[0], 1, 2, 3);', 0],
    ['own[at][1] = v;', 0],
  ])('%s is found', (line, times) => {
    expect(componentsWritten(`var<workgroup> tile: array<vec4f, 8>;\n  ${line}`)).toHaveLength(times);
  });
});
