/** How a model names its parameters and buffers, as the published model does. */
import type { Buffer, Graph, Parameter, Shape } from '../engine/graph';
import type { Declared, Initialiser } from './initialise';

/** A parameter before it is in a graph. */
export interface ParameterSpec {
  readonly shape: Shape;
  readonly initialiser: Initialiser;
  readonly publishedShape?: Shape;
}

/** Adds parameters and buffers to a graph under a prefix and keeps how each parameter is initialised. */
export class Declarations {
  readonly declared: Declared[] = [];
  /** Parameters of the published model that this graph does not have, because nothing in it uses them. */
  readonly unused: Declared[] = [];

  constructor(
    readonly graph: Graph,
    readonly prefix: string,
  ) {}

  /** Declares one trained parameter of `shape` in the graph. `publishedShape` is that of the published state_dict. */
  parameter(
    name: string,
    shape: Shape,
    initialiser: Initialiser,
    {
      publishedShape = shape,
      ...options
    }: { decay?: boolean; after?: Parameter | undefined; publishedShape?: Shape } = {},
  ): Parameter {
    const parameter = this.graph.parameter(this.prefix + name, shape, options);
    this.declared.push({ parameter, initialiser, publishedShape });
    return parameter;
  }

  /**
   * Declares several parameters at once and returns them by their names. `before` holds parameters of the same names that they are
   * read together with; see `Graph.stack`.
   */
  parameters<Name extends string>(
    specs: Readonly<Record<Name, ParameterSpec>>,
    before?: Readonly<Record<Name, Parameter>>,
  ): Record<Name, Parameter> {
    const entries = (Object.entries(specs) as [Name, ParameterSpec][]).map(
      ([name, { shape, initialiser, ...options }]) =>
        [name, this.parameter(name, shape, initialiser, { ...options, after: before?.[name] })] as const,
    );
    return Object.fromEntries(entries) as Record<Name, Parameter>;
  }

  /** Declares parameters that a checkpoint must have though nothing in this graph uses them. */
  declareUnused(specs: Readonly<Record<string, ParameterSpec>>): void {
    for (const [name, { shape, initialiser, publishedShape = shape }] of Object.entries(specs))
      this.unused.push({ parameter: { name: this.prefix + name, shape }, initialiser, publishedShape });
  }

  /** Declares a buffer of `shape`, every element of which is `initial` before the first run. */
  buffer(name: string, shape: Shape, initial: number): Buffer {
    return this.graph.buffer(this.prefix + name, shape, initial);
  }

  /** Calls `build` with the declarations of a part: what it declares is declared here, its names below `name`. */
  within<T>(name: string, build: (part: Declarations) => T): T {
    const part = new Declarations(this.graph, `${this.prefix}${name}.`);
    const built = this.graph.scope(name, () => build(part));
    this.declared.push(...part.declared);
    this.unused.push(...part.unused);
    return built;
  }
}
