/** How many loads from memory a thread of a reduction waits for one after the other, read from a kernel's text. */
import type { Dispatch } from '../../../src/engine/ops/definition';
import { evaluate } from '../../../src/engine/wgsl';

/** Products, convolutions and scans, and the packing of weights, which looks them up: their loops do more than sum up. */
const NO_REDUCTION =
  /^(linear|conv1d|conv_transpose1d|causal_conv1d|ssd_scan|selective_scan)(_\w+)?(\.(states|carry|input|parts|weights))?$/;

/** The whole numbers that are known by name; the indices of the first thread are 0. */
type Scope = Record<string, number>;

interface Function {
  readonly parameters: readonly string[];
  readonly body: string;
}

interface Kernel {
  /** Those with a loop. */
  readonly functions: ReadonlyMap<string, Function>;
  /** Finds a call of a function that loads from memory. */
  readonly loads: RegExp;
}

/** The index after the bracket that closes the one at `open`. */
function closing(text: string, open: number): number {
  let depth = 0;
  for (let i = open; i < text.length; i++) {
    if ('({'.includes(text[i] as string)) depth++;
    else if (')}'.includes(text[i] as string) && --depth === 0) return i + 1;
  }
  throw new RangeError(`a bracket is not closed in "${text.slice(open, open + 60)}"`);
}

/** What stands in the brackets at or after `at`, in the braces after them, and where the text goes on. */
function bracketed(text: string, at: number): { head: string; body: string; end: number } {
  const head = text.indexOf('(', at);
  const open = closing(text, head);
  const body = text.indexOf('{', open);
  const end = closing(text, body);
  return { head: text.slice(head + 1, open - 1), body: text.slice(body + 1, end - 1), end };
}

/** What is between commas outside brackets. */
function list(text: string): string[] {
  const parts = [''];
  let depth = 0;
  for (const letter of text) {
    if (letter === '(') depth++;
    if (letter === ')') depth--;
    if (letter === ',' && depth === 0) parts.push('');
    else parts[parts.length - 1] += letter;
  }
  return parts.map((part) => part.trim());
}

/** The text without its loops. */
function withoutLoops(text: string): string {
  const at = text.indexOf('for (');
  return at < 0 ? text : text.slice(0, at) + withoutLoops(text.slice(bracketed(text, at).end));
}

/** A whole number of WGSL. Throws for what is none, and for a name that the scope does not have. */
function valueOf(text: string, scope: Scope): number {
  const call = /\b(min|max)\(/.exec(text);
  if (!call)
    return Number(evaluate(text.replace(/\b(\d+)u\b/g, '$1').replace(/\b(\w+)\.(\w+)\b/g, '$1_$2'), scope));
  const open = call.index + 3;
  const end = closing(text, open);
  const values = list(text.slice(open + 1, end - 1)).map((part) => valueOf(part, scope));
  const value = call[1] === 'max' ? Math.max(...values) : Math.min(...values);
  return valueOf(`${text.slice(0, call.index)}${value}${text.slice(end)}`, scope);
}

/** Gives a name its value, or none where that is no whole number known here: then it is an error for a loop to need it. */
function define(scope: Scope, name: string, text: string, from: Scope): void {
  try {
    scope[name] = valueOf(text, from);
  } catch {
    delete scope[name];
  }
}

/** Whether what a loop loads is added to a sum that outlives it, and not to what lanes staged in workgroup memory. */
function reduces(body: string, after: string, { loads }: Kernel): boolean {
  if (/Barrier\(|\]\s*=[^=]/.test(body) || !loads.test(body)) return false;
  const declared = new Set([...body.matchAll(/\b(?:var|let) (\w+)/g)].map(([, name]) => name));
  const named = (name: string, text: string): boolean => new RegExp(`\\b${name}\\b`).test(text);
  return [...body.matchAll(/\b(\w+) (\+?)= ([^;]*);/g)].some(
    ([, name = '', added, value = '']) =>
      !declared.has(name) && (added === '+' || named(name, value)) && named(name, after),
  );
}

/**
 * The loads that a thread waits for one after the other in the loops of `text`. A round of a loop that sums up what it loads is one:
 * its loads do not depend on each other. Other loops count by what is in them. `after` is the text behind the loop whose body
 * `text` is.
 */
function chainIn(text: string, scope: Scope, kernel: Kernel, after = ''): number {
  const called = [...kernel.functions.keys(), '!'].join('|');
  const pattern = new RegExp(`\\bfor \\(|\\b(?:let|var) (\\w+) = |\\b(${called})\\(`, 'g');
  let chain = 0;
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    const [whole, name, callee] = match;
    const at = match.index + whole.length;
    if (callee !== undefined) {
      const { parameters, body } = kernel.functions.get(callee) as Function;
      const values = list(text.slice(at, closing(text, at - 1) - 1));
      const inner: Scope = { ...scope };
      parameters.forEach((parameter, i) => define(inner, parameter, values[i] ?? '', scope));
      chain += chainIn(body, inner, kernel);
    } else if (name !== undefined) define(scope, name, text.slice(at, text.indexOf(';', at)), scope);
    else {
      const { head, body, end } = bracketed(text, match.index);
      const rest = text.slice(end) + after;
      const own = reduces(withoutLoops(body), rest, kernel) ? 1 : 0;
      const each = own + chainIn(body, { ...scope }, kernel, rest);
      if (each > 0) chain += each * rounds(head, scope);
      pattern.lastIndex = end;
    }
  }
  return chain;
}

/** How often the loop runs that is written `for (head)`; its variable has its last value afterwards. */
function rounds(head: string, scope: Scope): number {
  const match = /^(?:var (\w+) = (.*))?; (.*); (\w+)(?: \+= (.*)|\+\+)$/.exec(head);
  if (!match) throw new RangeError(`cannot read the loop "${head}"`);
  const [, name, first, condition = '', variable = '', step = '1'] = match;
  if (name !== undefined) scope[name] = valueOf(first as string, scope);
  const added = valueOf(step, scope);
  let count = 0;
  for (; valueOf(condition, scope); count++) scope[variable] = (scope[variable] as number) + added;
  return count;
}

/** The chain of the first thread, which has the longest; 0 for what is no reduction. Throws where a loop cannot be read. */
export function chainOf({ kernel: name, code, sizes }: Dispatch): number {
  if (NO_REDUCTION.test(name)) return 0;
  const all = new Map<string, Function>();
  for (const match of code.matchAll(/^fn (\w+)\(/gm)) {
    const { head, body } = bracketed(code, match.index);
    all.set(match[1] as string, { parameters: list(head).map((one) => one.split(':')[0] as string), body });
  }
  /** The names and those of the functions that call one of them, however indirectly. */
  const callers = (pattern: RegExp): string[] => {
    const names = [...all].filter(([, { body }]) => pattern.test(body)).map(([callee]) => callee);
    for (let known = 0; known < names.length;) {
      known = names.length;
      const calls = new RegExp(`\\b(${names.join('|')})\\(`);
      for (const [callee, { body }] of all)
        if (!names.includes(callee) && calls.test(body)) names.push(callee);
    }
    return names;
  };
  const functions = new Map(callers(/\bfor \(/).map((callee) => [callee, all.get(callee) as Function]));
  functions.delete('main');
  const loads = new RegExp(`\\b(${['read_\\w+', ...callers(/\bread_\w+\(/)].join('|')})\\(`);
  const scope: Scope = { lane: 0, id_x: 0, id_y: 0, count_x: 0 };
  sizes.forEach((size, i) => (scope[`size_s${i}`] = size));
  try {
    return chainIn(all.get('main')?.body ?? '', scope, { functions, loads });
  } catch (error) {
    throw new RangeError(`${name}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}
