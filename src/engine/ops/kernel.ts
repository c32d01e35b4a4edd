/**
 * From a shader file and its bindings to a dispatch. kernel() writes what every shader needs alike: the storage variables and
 * the functions that read and write them (accessors.ts), the uniforms and the entry point (`#main`, see wgsl.ts).
 */
import { elements, GraphError, type Tensor } from '../graph';
import { STEP_WGSL } from '../step';
import { evaluate, expand, expandDynamic, type Defines } from '../wgsl';
import { accessors, storedType } from './accessors';
import type { Binding, Dispatch } from './definition';

/** A binding that the shader reads by `read_NAME(i)`, as f32 or u32 where `type` is left out. */
export const read = (name: string, tensor: Tensor, type?: Binding['type']): Binding => ({
  name,
  tensor,
  access: 'read',
  ...(type ? { type } : {}),
});

/** A binding that the shader writes by `write_NAME(i, value)`. */
export const write = (name: string, tensor: Tensor, type?: Binding['type']): Binding => ({
  ...read(name, tensor, type),
  access: 'write',
});

/** A binding that the shader both reads and writes. */
export const readWrite = (name: string, tensor: Tensor, type?: Binding['type']): Binding => ({
  ...read(name, tensor, type),
  access: 'read_write',
});

/** How the work is divided; the entry point of the shader says which of them it takes. */
type Work =
  /** `#main thread NAME`: a thread for each. */
  | { readonly threads: number }
  /** `#main items FIRST..LAST`: `per` of them a thread, WORKGROUP apart. */
  | { readonly items: number; readonly per: number }
  /** `#main workgroup NAME`: a workgroup for each. */
  | { readonly workgroups: number };

/** The defines that `#main` reads, and the number of workgroups. */
function divide(work: Work, workgroup: number): { counts: Record<string, number>; workgroups: number } {
  if ('threads' in work)
    return { counts: { THREADS: work.threads }, workgroups: Math.ceil(work.threads / workgroup) };
  if ('items' in work) {
    const { items, per } = work;
    return { counts: { ITEMS: items, PER: per }, workgroups: Math.ceil(items / (workgroup * per)) };
  }
  return { counts: {}, workgroups: work.workgroups };
}

/**
 * A dispatch of the shader `source`, expanded with `defines`. A binding NAME is read by `read_NAME(i)` and written by
 * `write_NAME(i, value)`, whose values have the binding's type however the tensor is stored. Throws GraphError for work that
 * is none, and for a binding by fours of a size that 4 does not divide.
 */
export function kernel(
  options: Work & {
    readonly name: string;
    readonly source: string;
    readonly defines?: Defines;
    /**
     * Dynamic shapes: defines that the shader reads from a uniform rather than from its text, the counts of the work with them.
     * Directives cannot name them, and the storage variables are declared without their lengths.
     */
    readonly sizes?: Readonly<Record<string, number>>;
    readonly bindings: readonly Binding[];
    /** Threads of a workgroup; 64 where left out. The shader knows it as WORKGROUP. */
    readonly workgroup?: number;
    readonly usesStep?: boolean;
    readonly subgroups?: boolean;
  },
): Dispatch {
  const { name, source, bindings, sizes, workgroup = 64, usesStep = false, subgroups = false } = options;
  const { counts, workgroups } = divide(options, workgroup);
  if (!Number.isInteger(workgroups) || workgroups < 1)
    throw new GraphError(`${name}: ${workgroups} workgroups`);
  const declarations = bindings.map((binding, index) => {
    const { shape } = binding.tensor;
    if (binding.type === 'vec4f' && elements(shape) % 4 !== 0)
      throw new GraphError(
        `${name}: ${binding.name} has a size that 4 does not divide, so it cannot be read by fours`,
      );
    const access = binding.access === 'read' ? 'read' : 'read_write';
    const length = elements(shape) / (binding.type === 'vec4f' ? 4 : 1);
    const array = sizes ? `array<${storedType(binding)}>` : `array<${storedType(binding)}, ${length}>`;
    return `@group(0) @binding(${index}) var<storage, ${access}> ${binding.name}: ${array};`;
  });
  let uniforms = bindings.length;
  if (usesStep) declarations.push(STEP_WGSL, `@group(0) @binding(${uniforms++}) var<uniform> step: Step;`);
  const fixed = { WORKGROUP: workgroup, ...options.defines };
  const counted = { WORKGROUPS: workgroups, ...counts };
  let expanded: string;
  let values: readonly number[] = [];
  if (sizes) {
    const dynamic: Defines = { ...counted, ...sizes };
    const defines = Object.entries(fixed).filter(([define]) => !(define in dynamic));
    const { text, fields } = expandDynamic(
      source,
      Object.fromEntries(defines),
      new Set(Object.keys(dynamic)),
    );
    expanded = text;
    values = fields.map((field) => Number(evaluate(field, dynamic)));
    const members = fields.map((_, i) => `s${i}: u32`).join(', ');
    declarations.push(
      `struct Size { ${members} }`,
      `@group(0) @binding(${uniforms}) var<uniform> size: Size;`,
    );
  } else expanded = expand(source, { ...counted, ...fixed });
  const code = [
    ...(bindings.some(({ tensor }) => tensor.dtype === 'f16') ? ['enable f16;'] : []),
    ...(subgroups ? ['enable subgroups;'] : []),
    ...declarations,
    ...accessors(bindings),
    expanded,
  ].join('\n');
  return { kernel: name, code, bindings, workgroups, usesStep, sizes: values };
}

/** Enough workgroups for any CPU's cores. */
const SOFTWARE_WORKGROUPS = 32;
const MAX_PASSES = 64;

/**
 * Items that a thread of a flat kernel owns, so many that no more than SOFTWARE_WORKGROUPS workgroups remain: on a
 * CPU-backed adapter every four threads cost about as much to start as twenty loads. `gpu` elsewhere, where threads are
 * what hides the memory's latency.
 */
export const passesOf = (items: number, workgroup: number, software: boolean, gpu: number): number =>
  software ? Math.min(MAX_PASSES, Math.ceil(items / workgroup / SOFTWARE_WORKGROUPS)) : gpu;
