/**
 * A preprocessor for the files in `shaders/`: constants, conditions and text unrolling, which WGSL lacks.
 *
 *     $NAME or ${expression}     the value
 *     #if expression … #else … #end
 *     #for i in from..to … #end  the lines once per value, `to` excluded
 *
 * Expressions have whole numbers, names, ( ), ! * / % + - < <= > >= == != && ||; division is whole.
 */
export type Defines = Readonly<Record<string, number | boolean | string>>;

export class ShaderSourceError extends Error {
  override name = 'ShaderSourceError';
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

/** The value of `text`; throws ShaderSourceError on unknown names and bad syntax. */
export function evaluate(text: string, defines: Defines): Value {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (!match) throw new ShaderSourceError(`cannot read "${text.slice(at)}" in the expression "${text}"`);
    tokens.push(match[1] as string);
  }
  let next = 0;
  const primary = (): Value => {
    const token = tokens[next++];
    if (token === undefined) throw new ShaderSourceError(`the expression "${text}" ends too early`);
    if (token === '(') {
      const value = level(0);
      if (tokens[next++] !== ')') throw new ShaderSourceError(`a ) is missing in "${text}"`);
      return value;
    }
    if (token === '-') return -Number(primary());
    if (token === '!') return !primary();
    if (/^\d/.test(token)) return Number(token);
    const value = defines[token];
    if (value === undefined) throw new ShaderSourceError(`the name ${token} in "${text}" is not defined`);
    return value;
  };
  const level = (depth: number): Value => {
    const operators = LEVELS[depth];
    if (!operators) return primary();
    let value = level(depth + 1);
    for (let token = tokens[next]; token !== undefined && operators.includes(token); token = tokens[next]) {
      next++;
      value = binary(token, value, level(depth + 1));
    }
    return value;
  };
  const value = level(0);
  if (next < tokens.length) throw new ShaderSourceError(`"${tokens[next]}" is unexpected in "${text}"`);
  return value;
}

/**
 * Sizes that the shader reads from a uniform instead of having them in its text, so that equal kernels of other sizes are
 * one pipeline: an expression that names one of `sizes` is computed here and becomes a field, `size.s0` and so on.
 */
export class LateSizes {
  readonly #fields = new Map<string, number>();

  constructor(readonly sizes: Readonly<Record<string, number>>) {}

  /** The fields' values, in order. */
  get values(): readonly number[] {
    return [...this.#fields.values()];
  }

  /** WGSL of the uniform's type. */
  get struct(): string {
    return `struct Size { ${this.values.map((_, i) => `s${i}: u32`).join(', ')} }`;
  }

  /** What stands for `expression` in the shader, or undefined if it names no size. */
  field(expression: string, defines: Defines): string | undefined {
    let late = false;
    // Other names may stand for other values elsewhere in the file (#for), sizes never do.
    const key = expression.replace(/[A-Za-z_]\w*/g, (name) => {
      if (!(name in this.sizes)) return String(defines[name]);
      late = true;
      return name;
    });
    if (!late) return undefined;
    if (!this.#fields.has(key)) this.#fields.set(key, Number(evaluate(expression, defines)));
    return `size.s${[...this.#fields.keys()].indexOf(key)}`;
  }
}

const substitute = (line: string, defines: Defines, late: LateSizes | undefined): string =>
  line.replace(
    /\$(?:\{([^}]*)\}(u?)|([A-Za-z_]\w*))/g,
    (_, braced: string | undefined, suffix: string | undefined, name: string) => {
      const expression = braced ?? name;
      return late?.field(expression, defines) ?? `${evaluate(expression, defines)}${suffix ?? ''}`;
    },
  );

/** Expands a shader source; throws ShaderSourceError with the line number. */
export function expand(source: string, defines: Defines, late?: LateSizes): string {
  const lines = source.split('\n');
  const output: string[] = [];

  /** Index of the directive that closes the block opened before `from`: its `#else` or its `#end`. */
  const close = (from: number, opened: number): number => {
    let depth = 0;
    for (let i = from; i < lines.length; i++) {
      const line = (lines[i] as string).trimStart();
      if (/^#(if|for)\b/.test(line)) depth++;
      else if (/^#end\b/.test(line) && depth-- === 0) return i;
      else if (/^#else\b/.test(line) && depth === 0) return i;
    }
    throw new ShaderSourceError(`line ${opened + 1}: #end is missing`);
  };

  const emit = (from: number, to: number, scope: Defines): void => {
    for (let i = from; i < to; i++) {
      const line = lines[i] as string;
      const directive = /^\s*#(\w+)\s*(.*?)\s*$/.exec(line);
      try {
        if (!directive) {
          output.push(substitute(line, scope, late));
          continue;
        }
        const [, word, rest] = directive as unknown as [string, string, string];
        if (word === 'else' || word === 'end')
          throw new ShaderSourceError(`#${word} belongs to no #if or #for`);
        if (word !== 'if' && word !== 'for') throw new ShaderSourceError(`unknown directive #${word}`);
        const middle = close(i + 1, i);
        const end = (lines[middle] as string).trimStart().startsWith('#else') ? close(middle + 1, i) : middle;
        if (word === 'if') {
          if (evaluate(rest, scope)) emit(i + 1, middle, scope);
          else emit(middle + 1, Math.max(end, middle), scope);
        } else {
          if (end !== middle) throw new ShaderSourceError('a #for has no #else');
          const header = /^(\w+) in (.+)\.\.(.+)$/.exec(rest);
          if (!header) throw new ShaderSourceError(`"${rest}" should read NAME in FROM..TO`);
          const [, name, first, last] = header as unknown as [string, string, string, string];
          const stop = Number(evaluate(last, scope));
          for (let value = Number(evaluate(first, scope)); value < stop; value++)
            emit(i + 1, middle, { ...scope, [name]: value });
        }
        i = end;
      } catch (error) {
        if (!(error instanceof ShaderSourceError) || /^line /.test(error.message)) throw error;
        throw new ShaderSourceError(`line ${i + 1}: ${error.message}`);
      }
    }
  };
  emit(0, lines.length, defines);
  return output.join('\n');
}
