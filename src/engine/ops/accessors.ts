/** The functions through which a shader reads and writes its buffers: only they know how a tensor is stored. */
import type { Binding } from './definition';

/** What the shader computes with. */
const computedType = ({ type, tensor }: Binding): 'f32' | 'u32' | 'vec4f' =>
  type ?? (tensor.dtype === 'u32' ? 'u32' : 'f32');

/** What the buffer's elements are. */
export function storedType(binding: Binding): 'f32' | 'u32' | 'vec4f' | 'f16' | 'vec4h' {
  const type = computedType(binding);
  if (binding.tensor.dtype !== 'f16') return type;
  return type === 'vec4f' ? 'vec4h' : 'f16';
}

/**
 * float32 to float16. What is too large overflows in a product, and what is no number is not finite after it: the language
 * leaves open whether a conversion overflows, and the loss scale must see it. (Firefox's compiler casts no bits of float16.)
 */
const CONVERSIONS = {
  f16: `fn to_half(v: f32) -> f16 {
  let beyond = (bitcast<u32>(v) & 0x7fffffffu) >= 0x477ff000u;
  let h = f16(clamp(v, -65504.0, 65504.0));
  return select(h, h * f16(65504.0), beyond);
}`,
  vec4h: `fn to_half4(v: vec4f) -> vec4h {
  let beyond = (bitcast<vec4u>(v) & vec4u(0x7fffffffu)) >= vec4u(0x477ff000u);
  let h = vec4h(clamp(v, vec4f(-65504.0), vec4f(65504.0)));
  return select(h, h * f16(65504.0), beyond);
}`,
} as const;

/** What is stored of a value, and the value of what is stored. */
const STORED = {
  f32: { store: 'v', load: (element: string) => element },
  u32: { store: 'v', load: (element: string) => element },
  vec4f: { store: 'v', load: (element: string) => element },
  f16: { store: 'to_half(v)', load: (element: string) => `f32(${element})` },
  vec4h: { store: 'to_half4(v)', load: (element: string) => `vec4f(${element})` },
} as const;

/** `read_NAME(i)` and `write_NAME(i, v)` of each binding, as its access allows, and the conversions that they call. */
export function accessors(bindings: readonly Binding[]): string[] {
  const written = new Set(bindings.filter(({ access }) => access !== 'read').map(storedType));
  const conversions = (['f16', 'vec4h'] as const).filter((type) => written.has(type));
  return [
    ...conversions.map((type) => CONVERSIONS[type]),
    ...bindings.flatMap((binding) => {
      const { name, access } = binding;
      const type = computedType(binding);
      const { store, load } = STORED[storedType(binding)];
      const reads = `fn read_${name}(i: u32) -> ${type} { return ${load(`${name}[i]`)}; }`;
      const writes = `fn write_${name}(i: u32, v: ${type}) { ${name}[i] = ${store}; }`;
      return [...(access === 'write' ? [] : [reads]), ...(access === 'read' ? [] : [writes])];
    }),
  ];
}
