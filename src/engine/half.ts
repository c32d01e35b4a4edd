/**
 * float16 as a way to store what is computed in float32: the values' bits, and what that makes of a shader. A shader is
 * written for float32; where a buffer holds float16, what it reads of it becomes float32 and what it writes is rounded.
 */
import { GraphError } from './graph';

/** The largest power of two that a float16 is a multiple of: its subnormals are multiples of 2⁻²⁴. */
const LEAST = 2 ** -24;
/** From here on values are rounded to infinity. */
const OVERFLOW = 65520;

/** Bits of the float16 next to each value, ties to even (IEEE 754 binary16). */
export function toHalf(values: ArrayLike<number>): Uint16Array<ArrayBuffer> {
  return Uint16Array.from(values, (value) => {
    if (Number.isNaN(value)) return 0x7e00;
    const size = Math.abs(value);
    const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
    if (size >= OVERFLOW) return sign | 0x7c00;
    const exponent = Math.max(-14, Math.floor(Math.log2(size)));
    // Multiples of the last place: with subnormals below 2^10, else from 2^10; a carry moves into the exponent.
    const units = roundToEven(size / 2 ** (exponent - 10));
    return sign | (units + (exponent + 14) * 1024);
  });
}

const roundToEven = (value: number): number => {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
};

/** The values of float16 bits. */
export function fromHalf(bits: Uint16Array): Float32Array<ArrayBuffer> {
  return Float32Array.from(bits, (half) => {
    const sign = half & 0x8000 ? -1 : 1;
    const exponent = (half >> 10) & 31;
    const fraction = half & 1023;
    if (exponent === 31) return fraction ? NaN : sign * Infinity;
    if (exponent === 0) return sign * fraction * LEAST;
    return sign * (1024 + fraction) * 2 ** (exponent - 25);
  });
}

/** WGSL of the conversions that `storeHalf` writes. */
const CONVERSIONS = `// What is too large for float16 overflows in a product, and what is no number is not finite after it: the language leaves
// open whether a conversion overflows, and the loss scale must see it. (Firefox's compiler casts no bits of float16.)
fn to_half(v: f32) -> f16 {
  let beyond = (bitcast<u32>(v) & 0x7fffffffu) >= 0x477ff000u;
  let h = f16(clamp(v, -65504.0, 65504.0));
  return select(h, h * f16(65504.0), beyond);
}
fn to_half4(v: vec4f) -> vec4h {
  let beyond = (bitcast<vec4u>(v) & vec4u(0x7fffffffu)) >= vec4u(0x477ff000u);
  let h = vec4h(clamp(v, vec4f(-65504.0), vec4f(65504.0)));
  return select(h, h * f16(65504.0), beyond);
}
`;

/** The types of a storage buffer's elements and of what is read of it. */
export interface HalfStorage {
  readonly name: string;
  readonly vector: boolean;
}

const ASSIGNMENT = /^\s*(=(?!=)|[-+*/%&|^]=|<<=|>>=|\+\+|--)/;
const INSIDE = /^(?:\s*\.\s*\w+|\s*\[[^\]]*\])+/;

/**
 * `code` with every access to the buffers of `storages` made one of float16: `x[i]` becomes `vec4f(x[i])` and `x[i] = v;`
 * becomes `x[i] = to_half4(v);`. Comments go. Throws GraphError for what cannot be read so: assignments that also read,
 * assignments to a component, pointers.
 */
export function storeHalf(code: string, storages: readonly HalfStorage[]): string {
  const names = new Map(storages.map(({ name, vector }) => [name, vector]));
  const list = [...names.keys()].join('|');
  const access = new RegExp(String.raw`(?<![\w.])(${list})\s*\[`, 'g');
  const refuse = (text: string, at: number, problem: string): never => {
    const line = text.slice(text.lastIndexOf('\n', at) + 1).split('\n')[0] ?? '';
    throw new GraphError(`a buffer of float16 cannot be ${problem}: ${line.trim()}`);
  };
  const rewrite = (text: string): string => {
    let result = '';
    let done = 0;
    access.lastIndex = 0;
    for (let match = access.exec(text); match; match = access.exec(text)) {
      const name = match[1] as string;
      const vector = names.get(name) ?? false;
      const open = match.index + match[0].length - 1;
      const close = endOf(text, open + 1, ']');
      const element = `${name}[${rewrite(text.slice(open + 1, close))}]`;
      const rest = text.slice(close + 1);
      if (ASSIGNMENT.test(rest.replace(INSIDE, '')) && INSIDE.test(rest))
        refuse(text, match.index, 'written by its components');
      const assignment = ASSIGNMENT.exec(rest);
      result += text.slice(done, match.index);
      done = close + 1;
      if (assignment?.[1] === '=') {
        const value = close + 1 + assignment[0].length;
        done = endOf(text, value, ';');
        result += `${element} = ${vector ? 'to_half4' : 'to_half'}(${rewrite(text.slice(value, done)).trim()})`;
      } else if (assignment) refuse(text, match.index, `changed by ${assignment[1] ?? ''}`);
      else result += `${vector ? 'vec4f' : 'f32'}(${element})`;
      access.lastIndex = done;
    }
    return result + text.slice(done);
  };
  const plain = code.replace(/\/\/[^\n]*/g, '');
  const pointer = new RegExp(String.raw`(?<!&)&\s*(?:${list})\b`).exec(plain);
  if (pointer) refuse(plain, pointer.index, 'pointed at');
  return CONVERSIONS + rewrite(plain);
}

/** Index of the first `end` from `from` on that stands in no bracket opened there. */
function endOf(text: string, from: number, end: ']' | ';'): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const character = text[at] as string;
    if (depth === 0 && character === end) return at;
    if ('([{'.includes(character)) depth++;
    else if (')]}'.includes(character)) depth--;
  }
  throw new GraphError(`a ${end} is missing after ${text.slice(from, from + 40)}`);
}
