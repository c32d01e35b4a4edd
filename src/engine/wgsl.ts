/**
 * A preprocessor for the files in `shaders/`: constants, conditions and text unrolling, which WGSL lacks.
 *
 *     $NAME or ${expression}     the value
 *     #if expression … #else … #end
 *     #for i in from..to … #end  the lines once per value, `to` excluded
 *     #main … … #end             the entry point, see ENTRIES
 *
 * Comments and empty lines go.
 *
 * Expressions have whole numbers, names, ( ), ! * / % + - < <= > >= == != && ||; division is whole.
 */
export type Defines = Readonly<Record<string, number | boolean | string>>;

/** A mistake in a shader source: a sentence with the line. */
export class ShaderSourceError extends Error {
  override name = 'ShaderSourceError';
}

/**
 * Entry points. They take the defines that kernel() makes of a dispatch's work: WORKGROUP, the threads of a workgroup, and
 * WORKGROUPS, THREADS, or ITEMS and PER. A grid above 65,535 workgroups is folded into two dimensions, which they undo, and
 * they leave when there is no work for them. The body knows `lane`, the index of its thread in the workgroup.
 */
const ENTRIES = {
  /** `#main workgroup NAME`: NAME is the index of the workgroup. */
  workgroup: {
    names: /^(\w+)$/,
    lines: ['  let $1 = id.y * count.x + id.x;', '  if ($1 >= $WORKGROUPS) { return; }'],
  },
  /** `#main thread NAME`: NAME is the index of the thread. */
  thread: {
    names: /^(\w+)$/,
    lines: ['  let $1 = (id.y * count.x + id.x) * $WORKGROUP + lane;', '  if ($1 >= $THREADS) { return; }'],
  },
  /** `#main items FIRST..LAST`: the thread owns FIRST, FIRST + WORKGROUP and so on, up to LAST, which is excluded. */
  items: {
    names: /^(\w+)\.\.(\w+)$/,
    lines: [
      '  let $1 = (id.y * count.x + id.x) * ${WORKGROUP * PER} + lane;',
      '  let $2 = min($1 + ${WORKGROUP * PER}, ${ITEMS}u);',
    ],
  },
} as const;

const PARAMETERS =
  '@builtin(workgroup_id) id: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) lane: u32';

/** The lines up to the body of an entry point. */
function entryLines(text: string): string[] {
  const [kind = '', names = ''] = text.split(/\s+/);
  const entry = Object.entries(ENTRIES).find(([name]) => name === kind)?.[1];
  const match = entry?.names.exec(names);
  if (!entry || !match)
    throw new ShaderSourceError(`"${text}" should read workgroup NAME, thread NAME or items FIRST..LAST`);
  const named = entry.lines.map((line) =>
    line.replace(/\$([12])/g, (_, i: string) => match[Number(i)] as string),
  );
  return ['@compute @workgroup_size($WORKGROUP)', `fn main(${PARAMETERS}) {`, ...named];
}

type Value = number | boolean | string;

const TOKEN = /\s*(\d+|[A-Za-z_]\w*|&&|\|\||[<>=!]=|[-+*/%()<>!])/y;

const LEVELS: readonly (readonly string[])[] = [
  ['||'],
  ['&&'],
  ['==', '!='],
  ['<', '<=', '>', '>='],
  ['+', '-'],
  ['*', '/', '%'],
];

function binary(operator: string, a: Value, b: Value): Value {
  const [x, y] = [Number(a), Number(b)];
  switch (operator) {
    case '||':
      return Boolean(a) || Boolean(b);
    case '&&':
      return Boolean(a) && Boolean(b);
    case '==':
      return a === b;
    case '!=':
      return a !== b;
    case '<':
      return x < y;
    case '<=':
      return x <= y;
    case '>':
      return x > y;
    case '>=':
      return x >= y;
    case '+':
      return x + y;
    case '-':
      return x - y;
    case '*':
      return x * y;
    case '/':
      return Math.trunc(x / y);
    case '%':
      return x % y;
  }
  throw new ShaderSourceError(`unknown operator ${operator}`);
}

type Compute = (defines: Defines) => Value;

/** An expression, read once however often it is evaluated. */
interface Expression {
  readonly compute: Compute;
  /** The text, cut so that every second part is a name. */
  readonly parts: readonly string[];
  readonly names: readonly string[];
}

const expressions = new Map<string, Expression>();

function readExpression(text: string): Expression {
  let known = expressions.get(text);
  if (!known) {
    const parts = text.split(/([A-Za-z_]\w*)/);
    known = { compute: parse(text), parts, names: parts.filter((_, i) => i % 2 === 1) };
    expressions.set(text, known);
  }
  return known;
}

function parse(text: string): Compute {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (!match) throw new ShaderSourceError(`cannot read "${text.slice(at)}" in the expression "${text}"`);
    tokens.push(match[1] as string);
  }
  let next = 0;
  const primary = (): Compute => {
    const token = tokens[next++];
    if (token === undefined) throw new ShaderSourceError(`the expression "${text}" ends too early`);
    if (token === '(') {
      const value = level(0);
      if (tokens[next++] !== ')') throw new ShaderSourceError(`a ) is missing in "${text}"`);
      return value;
    }
    if (token === '-' || token === '!') {
      const of = primary();
      return token === '-' ? (defines) => -Number(of(defines)) : (defines) => !of(defines);
    }
    if (/^\d/.test(token)) {
      const value = Number(token);
      return () => value;
    }
    if (!/^\w/.test(token)) throw new ShaderSourceError(`"${token}" is unexpected in "${text}"`);
    return (defines) => {
      const value = defines[token];
      if (value === undefined) throw new ShaderSourceError(`the name ${token} in "${text}" is not defined`);
      return value;
    };
  };
  const level = (depth: number): Compute => {
    const operators = LEVELS[depth];
    if (!operators) return primary();
    let value = level(depth + 1);
    for (let token = tokens[next]; token !== undefined && operators.includes(token); token = tokens[next]) {
      next++;
      const [operator, left, right] = [token, value, level(depth + 1)];
      value = (defines) => binary(operator, left(defines), right(defines));
    }
    return value;
  };
  const value = level(0);
  if (next < tokens.length) throw new ShaderSourceError(`"${tokens[next]}" is unexpected in "${text}"`);
  return value;
}

/** The value of `text`; throws ShaderSourceError on unknown names and bad syntax. */
export const evaluate = (text: string, defines: Defines): Value => readExpression(text).compute(defines);

/** A line of the source, or a block of lines. */
type Part =
  | { readonly text: readonly (string | Hole)[] }
  | { readonly line: number; readonly when: Expression; readonly then: Part[]; readonly otherwise: Part[] }
  | {
      readonly line: number;
      readonly name: string;
      readonly first: Expression;
      readonly last: Expression;
      readonly body: Part[];
    };

/** Where a value goes. */
interface Hole {
  readonly line: number;
  readonly expression: Expression;
  /** `u` of a literal, which a field of the uniform does not have. */
  readonly suffix: string;
}

const sources = new Map<string, readonly Part[]>();

function located<T>(line: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof ShaderSourceError) || /^line /.test(error.message)) throw error;
    throw new ShaderSourceError(`line ${line}: ${error.message}`);
  }
}

function readSource(source: string): readonly Part[] {
  const known = sources.get(source);
  if (known) return known;
  const lines = source.split('\n');
  let at = 0;

  /** Reads up to the directive that closes the block, or the end of the file, and says which it was. */
  const block = (opened: number | undefined): { parts: Part[]; closed: string } => {
    const parts: Part[] = [];
    while (at < lines.length) {
      const line = ++at;
      const code = (lines[line - 1] as string).replace(/\s*\/\/.*$/, '');
      const directive = /^\s*#(\w+)\s*(.*?)\s*$/.exec(code);
      if (!directive) {
        if (code.trim() !== '') parts.push({ text: located(line, () => readLine(code, line)) });
        continue;
      }
      const [, word, rest] = directive as unknown as [string, string, string];
      if (word === 'else' || word === 'end') {
        if (opened === undefined)
          throw new ShaderSourceError(`line ${line}: #${word} belongs to no #if, #for or #main`);
        return { parts, closed: word };
      }
      if (word === 'if') {
        const when = located(line, () => readExpression(rest));
        const then = block(line);
        const otherwise = then.closed === 'else' ? block(line) : { parts: [], closed: 'end' };
        if (otherwise.closed === 'else')
          throw new ShaderSourceError(`line ${at}: #else belongs to no #if, #for or #main`);
        parts.push({ line, when, then: then.parts, otherwise: otherwise.parts });
      } else if (word === 'for') {
        const header = /^(\w+) in (.+)\.\.(.+)$/.exec(rest);
        if (!header) throw new ShaderSourceError(`line ${line}: "${rest}" should read NAME in FROM..TO`);
        const [, name, from, to] = header as unknown as [string, string, string, string];
        const [first, last] = located(line, () => [readExpression(from), readExpression(to)] as const);
        const body = block(line);
        if (body.closed === 'else') throw new ShaderSourceError(`line ${line}: a #for has no #else`);
        parts.push({ line, name, first, last, body: body.parts });
      } else if (word === 'main') {
        for (const head of located(line, () => entryLines(rest))) parts.push({ text: readLine(head, line) });
        const body = block(line);
        if (body.closed === 'else') throw new ShaderSourceError(`line ${line}: a #main has no #else`);
        parts.push(...body.parts, { text: ['}'] });
      } else throw new ShaderSourceError(`line ${line}: unknown directive #${word}`);
    }
    if (opened !== undefined) throw new ShaderSourceError(`line ${opened}: #end is missing`);
    return { parts, closed: '' };
  };
  const { parts } = block(undefined);
  sources.set(source, parts);
  return parts;
}

function readLine(text: string, line: number): (string | Hole)[] {
  const pieces: (string | Hole)[] = [];
  let from = 0;
  for (const match of text.matchAll(/\$(?:\{([^}]*)\}(u?)|([A-Za-z_]\w*))/g)) {
    const [whole, braced, suffix = '', name] = match;
    pieces.push(text.slice(from, match.index));
    pieces.push({ line, expression: readExpression(braced ?? (name as string)), suffix });
    from = match.index + whole.length;
  }
  pieces.push(text.slice(from));
  return pieces;
}

/** Expands a shader source; throws ShaderSourceError with the line number. */
export const expand = (source: string, defines: Defines): string =>
  emitSource(source, defines, ({ compute }, scope) => compute(scope));

export interface DynamicExpanded {
  readonly text: string;
  /** What the uniform's fields s0, s1 … hold, as expressions of the sizes alone. */
  readonly fields: readonly string[];
}

const dynamicExpanded = new Map<string, Map<string, DynamicExpanded>>();

/**
 * Expands a source that reads `sizes` from a uniform instead of having them in its text, so that equal kernels of other
 * sizes are one pipeline: an expression that names one of them becomes a field, `size.s0` and so on. Directives cannot
 * name them. What was expanded once is remembered.
 */
export function expandDynamic(source: string, defines: Defines, sizes: ReadonlySet<string>): DynamicExpanded {
  let known = dynamicExpanded.get(source);
  if (!known) dynamicExpanded.set(source, (known = new Map<string, DynamicExpanded>()));
  const key = JSON.stringify([defines, [...sizes]]);
  let expanded = known.get(key);
  if (!expanded) {
    const fields = new Map<string, string>();
    const text = emitSource(source, defines, ({ parts, names, compute }, scope) => {
      if (!names.some((name) => sizes.has(name))) return compute(scope);
      // Other names may stand for other values elsewhere in the file (#for), sizes never do.
      const field = parts
        .map((part, i) => (i % 2 === 0 || sizes.has(part) ? part : String(scope[part])))
        .join('');
      if (!fields.has(field)) fields.set(field, `size.s${fields.size}`);
      return { field: fields.get(field) as string };
    });
    known.set(key, (expanded = { text, fields: [...fields.keys()] }));
  }
  return expanded;
}

function emitSource(
  source: string,
  defines: Defines,
  fill: (expression: Expression, scope: Defines) => Value | { readonly field: string },
): string {
  const output: string[] = [];
  const emit = (parts: readonly Part[], scope: Defines): void => {
    for (const part of parts)
      if ('text' in part) {
        let text = '';
        for (const piece of part.text)
          if (typeof piece === 'string') text += piece;
          else {
            const { line, expression, suffix } = piece;
            const value = located(line, () => fill(expression, scope));
            text += typeof value === 'object' ? value.field : `${value}${suffix}`;
          }
        output.push(text);
      } else if ('when' in part)
        emit(located(part.line, () => part.when.compute(scope)) ? part.then : part.otherwise, scope);
      else {
        const { line, name, first, last } = part;
        const bound = (of: Expression): number => located(line, () => Number(of.compute(scope)));
        const stop = bound(last);
        for (let value = bound(first); value < stop; value++)
          emit(part.body, Object.assign(Object.create(scope) as Defines, { [name]: value }));
      }
  };
  emit(readSource(source), defines);
  return output.join('\n');
}
