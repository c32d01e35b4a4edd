/** Tensors whose elements lie anywhere in a storage, by strides, as PyTorch has them. */

/** Strides of axes of one element do not matter. */
export function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis] as number;
  }
  return true;
}

/**
 * The elements of `width` bytes each, one after the other: element (i, j, …) is the one at offset + i · strides[0] +
 * j · strides[1] + …, which the caller knows to lie in `bytes`.
 */
export function gather(
  bytes: Uint8Array,
  width: number,
  offset: number,
  shape: readonly number[],
  strides: readonly number[],
): Uint8Array {
  const count = shape.reduce((product, length) => product * length, 1);
  const gathered = new Uint8Array(count * width);
  for (let i = 0; i < count; i++) {
    let rest = i;
    let from = offset;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const length = shape[axis] as number;
      from += (rest % length) * (strides[axis] as number);
      rest = Math.floor(rest / length);
    }
    gathered.set(bytes.subarray(from * width, (from + 1) * width), i * width);
  }
  return gathered;
}
