/** The bits of float16 values, for what the host writes and reads; ops/accessors.ts has the conversions of shaders. */

/** The largest power of two that a float16 is a multiple of: its subnormals are multiples of 2⁻²⁴. */
const SMALLEST = 2 ** -24;
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
    if (exponent === 0) return sign * fraction * SMALLEST;
    return sign * (1024 + fraction) * 2 ** (exponent - 25);
  });
}
