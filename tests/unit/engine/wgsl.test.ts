import { describe, expect, test } from 'vitest';
import { evaluate, expand, expandDynamic, ShaderSourceError, type Defines } from '../../../src/engine/wgsl';

describe('evaluate', () => {
  const defines: Defines = { N: 16, ROWS: 5, LAST: true, NONE: false, TYPE: 'vec4f', RATE: 0.25 };

  test.each<[string, number | boolean | string]>([
    ['7', 7],
    ['N', 16],
    [' N ', 16],
    ['TYPE', 'vec4f'],
    ['RATE', 0.25],
    ['1 + 2 * 3', 7],
    ['(1 + 2) * 3', 9],
    ['10 - 4 - 3', 3],
    ['64 / 4 / 2', 8],
    ['N / ROWS', 3],
    ['-7 / 2', -3],
    ['N % ROWS * 2', 2],
    ['2 - -3', 5],
    ['-(N + 1)', -17],
    ['N > 8 && ROWS <= 5', true],
    ['N >= 17 || ROWS < 5', false],
    ['N == 16', true],
    ['N != 16', false],
    ['1 == 1 && 2 != 3', true],
    ['!LAST', false],
    ['!(N == 5) && !NONE', true],
    ['NONE || LAST && NONE', false],
    ['1 + 1 == 2', true],
    ['N*2-1', 31],
  ])('%s is %s', (text, value) => {
    expect(evaluate(text, defines)).toBe(value);
  });

  test.each([
    ['M + 1', 'the name M in "M + 1" is not defined'],
    ['1 +', 'the expression "1 +" ends too early'],
    ['', 'the expression "" ends too early'],
    ['(1 + 2', 'a ) is missing in "(1 + 2"'],
    ['1 2', '"2" is unexpected in "1 2"'],
    ['N )', '")" is unexpected in "N )"'],
    ['1 # 2', 'cannot read " # 2" in the expression "1 # 2"'],
    ['N & 1', 'cannot read " & 1" in the expression "N & 1"'],
    ['* 2', '"*" is unexpected in "* 2"'],
  ])('%s is rejected', (text, message) => {
    expect(() => evaluate(text, defines)).toThrow(new ShaderSourceError(message));
  });
});

describe('expand', () => {
  const lines = (...text: string[]): string => text.join('\n');

  test('replaces names and expressions, and leaves the rest alone', () => {
    expect(expand('let x = a[$N] + ${N * 2 - 1}u; $$ {N} N', { N: 4, _: 0 })).toBe(
      'let x = a[4] + 7u; $$ {N} N',
    );
    expect(expand('piece$p[${p + 1}]', { p: 2 })).toBe('piece2[3]');
    expect(expand('$TYPE(1e-6) $RATE', { TYPE: 'vec4f', RATE: 1e-8 })).toBe('vec4f(1e-6) 1e-8');
  });

  test('leaves out comments and empty lines', () => {
    expect(
      expand(lines('// $UNKNOWN', '', '  a = 1; // one', '#if 1 // always', '  b = 2;', '#end'), {}),
    ).toBe(lines('  a = 1;', '  b = 2;'));
  });

  test('writes entry points', () => {
    const main =
      'fn main(@builtin(workgroup_id) id: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) lane: u32) {';
    const entry = (...body: string[]): string => lines('@compute @workgroup_size(32)', main, ...body, '}');
    const defines = { WORKGROUP: 32, WORKGROUPS: 9, THREADS: 270, ITEMS: 1000, PER: 4 };
    expect(expand(lines('#main workgroup group', '  f(group);', '#end', 'x'), defines)).toBe(
      lines(
        entry('  let group = id.y * count.x + id.x;', '  if (group >= 9) { return; }', '  f(group);'),
        'x',
      ),
    );
    expect(expand(lines('#main thread i', '#if WORKGROUP > 1', '  f(i);', '#end', '#end'), defines)).toBe(
      entry('  let i = (id.y * count.x + id.x) * 32 + lane;', '  if (i >= 270) { return; }', '  f(i);'),
    );
    expect(expand(lines('#main items a..b', '  f(a, b);', '#end'), defines)).toBe(
      entry(
        '  let a = (id.y * count.x + id.x) * 128 + lane;',
        '  let b = min(a + 128, 1000u);',
        '  f(a, b);',
      ),
    );
  });

  test('keeps the lines of the branch that holds', () => {
    const source = lines('a', '#if N > 2', 'b', '#else', 'c', '#end', 'd');
    expect(expand(source, { N: 3 })).toBe(lines('a', 'b', 'd'));
    expect(expand(source, { N: 2 })).toBe(lines('a', 'c', 'd'));
    expect(expand(lines('#if N', 'b', '#end'), { N: 0 })).toBe('');
    expect(expand(lines('#if ON', 'b', '#end'), { ON: true })).toBe('b');
  });

  test('does not look at the branch that is left out', () => {
    expect(expand(lines('#if ON', '$UNKNOWN', '#else', 'x', '#end'), { ON: false })).toBe('x');
  });

  test('repeats lines, `to` excluded', () => {
    expect(expand(lines('#for i in 0..N', 's += v[$i];', '#end'), { N: 2 })).toBe(
      lines('s += v[0];', 's += v[1];'),
    );
    expect(expand(lines('#for i in N / 2..N - 1', '$i', '#end'), { N: 8 })).toBe(lines('4', '5', '6'));
    expect(expand(lines('#for i in 3..3', '$i', '#end'), {})).toBe('');
  });

  test('nests', () => {
    const source = lines(
      '#for i in 0..2',
      '  #for j in 0..i + 1',
      '    #if i == j',
      'd$i',
      '    #else',
      'm$i$j',
      '    #end',
      '  #end',
      '#end',
      '#if A',
      '#if B',
      'ab',
      '#else',
      'a',
      '#end',
      '#else',
      '#if B',
      'b',
      '#end',
      '#end',
    );
    expect(expand(source, { A: true, B: false })).toBe(lines('d0', 'm10', 'd1', 'a'));
    expect(expand(source, { A: true, B: true })).toBe(lines('d0', 'm10', 'd1', 'ab'));
    expect(expand(source, { A: false, B: true })).toBe(lines('d0', 'm10', 'd1', 'b'));
  });

  test('an inner loop may use the outer name', () => {
    const source = lines('#for i in 0..2', '#for i in 5..6', '$i', '#end', '$i', '#end');
    expect(expand(source, {})).toBe(lines('5', '0', '5', '1'));
  });

  test.each([
    [['x', 'let a = $N;'], 'line 2: the name N in "N" is not defined'],
    [['#if 1', 'let a = ${1 +};', '#end'], 'line 2: the expression "1 +" ends too early'],
    [['a', '#if 1', 'b'], 'line 2: #end is missing'],
    [['#for i in 0..2', '#if i', '#end'], 'line 1: #end is missing'],
    [['#if 1', '#else', 'x'], 'line 1: #end is missing'],
    [['#for i of 0..2', '#end'], 'line 1: "i of 0..2" should read NAME in FROM..TO'],
    [['#for i in 0..M', '#end'], 'line 1: the name M in "M" is not defined'],
    [['a', '#define X', '#end'], 'line 2: unknown directive #define'],
    [['a', '#define X'], 'line 2: unknown directive #define'],
    [['a', '#end'], 'line 2: #end belongs to no #if, #for or #main'],
    [['#else', '#end'], 'line 1: #else belongs to no #if, #for or #main'],
    [['#if 1', '#else', '#else', '#end'], 'line 3: #else belongs to no #if, #for or #main'],
    [['#for i in 0..2', 'a', '#else', 'b', '#end'], 'line 1: a #for has no #else'],
    [['#main thread i', 'a', '#else', 'b', '#end'], 'line 1: a #main has no #else'],
    [['#main thread i', 'a'], 'line 1: #end is missing'],
    [['a', '#main i', '#end'], 'line 2: "i" should read workgroup NAME, thread NAME or items FIRST..LAST'],
    [
      ['#main items i', '#end'],
      'line 1: "items i" should read workgroup NAME, thread NAME or items FIRST..LAST',
    ],
  ])('%j is rejected with its line', (source, message) => {
    expect(() => expand(source.join('\n'), {})).toThrow(new ShaderSourceError(message));
  });
});

describe('dynamic shapes', () => {
  const source = [
    '#for i in 0..2',
    'a_$i = x[min($i * $L, ${L * D - 1}u) + ${i + D}u];',
    '#end',
    'let tile = $TILE;',
  ].join('\n');
  const sizes = new Set(['L', 'D']);

  test('are fields of the uniform, one for each expression of them; other names stay in the text', () => {
    expect(expandDynamic(source, { TILE: 8 }, sizes)).toEqual({
      text: [
        'a_0 = x[min(0 * size.s0, size.s1) + size.s2];',
        'a_1 = x[min(1 * size.s0, size.s1) + size.s3];',
        'let tile = 8;',
      ].join('\n'),
      fields: ['L', 'L * D - 1', '0 + D', '1 + D'],
    });
    expect(expandDynamic(source, { TILE: 4 }, sizes).text).toContain('let tile = 4;');
  });

  test('are rejected in directives, and when unknown', () => {
    const rejected = (line: string, message: string): void =>
      expect(() => expandDynamic(line, {}, sizes)).toThrow(new ShaderSourceError(message));
    rejected('#if L > 4\n#end', 'line 1: the name L in "L > 4" is not defined');
    rejected('$M', 'line 1: the name M in "M" is not defined');
  });
});
