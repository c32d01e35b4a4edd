/** From a shader file and its bindings to a dispatch. */
import { elements, GraphError, type Tensor } from '../graph';
import { STEP_WGSL } from '../step';
import { evaluate, expand, expandLate, type Defines } from '../wgsl';
import { storeHalf } from '../half';
import type { Binding, Dispatch } from './definition';

/** A grid above 65,535 workgroups is folded into two dimensions; this undoes it. */
const PRELUDE = `fn linear_workgroup(id: vec3u, count: vec3u) -> u32 { return id.y * count.x + id.x; }
`;

export const read = (name: string, tensor: Tensor, type?: Binding['type']): Binding => ({
  name,
  tensor,
  access: 'read',
  ...(type ? { type } : {}),
});

export const write = (name: string, tensor: Tensor, type?: Binding['type']): Binding => ({
  ...read(name, tensor, type),
  access: 'write',
});

export const readWrite = (name: string, tensor: Tensor, type?: Binding['type']): Binding => ({
  ...read(name, tensor, type),
  access: 'read_write',
});

/**
 * A dispatch of the shader `source`, expanded with `defines`; its storage variables are declared from `bindings`
 * in order, so the file uses their names without declaring them. `workgroups` counts linearly: the shader finds its
 * index by `linear_workgroup(workgroup_id, num_workgroups)` and leaves when it is at or above the count.
 */
export function kernel(options: {
  readonly name: string;
  readonly source: string;
  readonly defines?: Defines;
  /**
   * Defines that the shader reads from a uniform rather than from its text, `workgroups` with them: directives cannot name
   * them. The storage variables are then declared without their lengths.
   */
  readonly sizes?: Readonly<Record<string, number>>;
  readonly bindings: readonly Binding[];
  readonly workgroups: number;
  readonly usesStep?: boolean;
  readonly subgroups?: boolean;
}): Dispatch {
  const { name, source, bindings, workgroups, sizes, usesStep = false, subgroups = false } = options;
  if (!Number.isInteger(workgroups) || workgroups < 1)
    throw new GraphError(`${name}: ${workgroups} workgroups`);
  const declarations = bindings.map((binding, index) => {
    const { dtype } = binding.tensor;
    const type = binding.type ?? (dtype === 'u32' ? 'u32' : 'f32');
    const stored = dtype === 'f16' ? (type === 'vec4f' ? 'vec4h' : 'f16') : type;
    if (type === 'vec4f' && elements(binding.tensor.shape) % 4 !== 0)
      throw new GraphError(
        `${name}: ${binding.name} has a size that 4 does not divide, so it cannot be read by fours`,
      );
    const access = binding.access === 'read' ? 'read' : 'read_write';
    const length = elements(binding.tensor.shape) / (type === 'vec4f' ? 4 : 1);
    const array = sizes ? `array<${stored}>` : `array<${stored}, ${length}>`;
    return `@group(0) @binding(${index}) var<storage, ${access}> ${binding.name}: ${array};`;
  });
  let uniforms = bindings.length;
  if (usesStep) declarations.push(STEP_WGSL, `@group(0) @binding(${uniforms++}) var<uniform> step: Step;`);
  const halves = bindings
    .filter(({ tensor }) => tensor.dtype === 'f16')
    .map(({ name, type }) => ({ name, vector: type === 'vec4f' }));
  let expanded: string;
  let values: readonly number[] = [];
  if (sizes) {
    const late: Defines = { ...sizes, WORKGROUPS: workgroups };
    const defines = Object.entries(options.defines ?? {}).filter(([name]) => !(name in late));
    const { text, fields } = expandLate(source, Object.fromEntries(defines), new Set(Object.keys(late)));
    expanded = text;
    values = fields.map((field) => Number(evaluate(field, late)));
    const members = fields.map((_, i) => `s${i}: u32`).join(', ');
    declarations.push(
      `struct Size { ${members} }`,
      `@group(0) @binding(${uniforms}) var<uniform> size: Size;`,
    );
  } else expanded = expand(source, { WORKGROUPS: workgroups, ...options.defines });
  const code = [
    ...(halves.length > 0 ? ['enable f16;'] : []),
    ...(subgroups ? ['enable subgroups;'] : []),
    ...declarations,
    PRELUDE + (halves.length > 0 ? storeHalf(expanded, halves) : expanded),
  ].join('\n');
  return { kernel: name, code, bindings, workgroups, usesStep, sizes: values };
}

/** Enough workgroups for any CPU's cores. */
const SOFTWARE_WORKGROUPS = 32;
const MOST_PASSES = 64;

/**
 * Items that a thread of a flat kernel owns, so many that no more than SOFTWARE_WORKGROUPS workgroups remain: on a
 * CPU-backed adapter every four threads cost about as much to begin as twenty loads. `gpu` elsewhere, where threads are
 * what hides the memory's latency.
 */
export const passesOf = (items: number, workgroup: number, software: boolean, gpu: number): number =>
  software ? Math.min(MOST_PASSES, Math.ceil(items / workgroup / SOFTWARE_WORKGROUPS)) : gpu;
