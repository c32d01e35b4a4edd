/**
 * YAML as PyYAML's safe_load reads it (YAML 1.1 with PyYAML's own patterns, from its resolver.py and constructor.py): there
 * `3e-4` is a text, `yes` a boolean and `12:30` the number 750.
 */
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  Scalar,
  type Document,
  type Node,
} from 'yaml';

export type PyValue =
  null | boolean | number | string | readonly PyValue[] | { readonly [key: string]: PyValue };

const BOOL = /^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$/;
const TRUE = /^(?:yes|true|on)$/i;
const NULL = /^(?:~|null|Null|NULL|)$/;
const INT =
  /^(?:[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$/;
const FLOAT =
  /^(?:[-+]?(?:[0-9][0-9_]*)\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;
const DATE = /^\d{4}-\d\d-\d\d$/;
const TIMESTAMP =
  /^\d{4}-\d\d?-\d\d?(?:[Tt]|[ \t]+)\d\d?:\d\d:\d\d(?:\.\d*)?(?:[ \t]*(?:Z|[-+]\d\d?(?::\d\d)?))?$/;

/** How PyYAML reads a plain scalar; dates as their text, of the type `date`. */
export function readPlain(text: string): {
  type: 'null' | 'bool' | 'int' | 'float' | 'date' | 'str';
  value: PyValue;
} {
  if (NULL.test(text)) return { type: 'null', value: null };
  if (BOOL.test(text)) return { type: 'bool', value: TRUE.test(text) };
  if (INT.test(text)) return { type: 'int', value: integer(text) };
  if (FLOAT.test(text)) return { type: 'float', value: float(text) };
  if (DATE.test(text) || TIMESTAMP.test(text)) return { type: 'date', value: text };
  return { type: 'str', value: text };
}

function signed(text: string): { sign: number; digits: string } {
  const digits = text.replaceAll('_', '').replace(/^[-+]/, '');
  return { sign: text.startsWith('-') ? -1 : 1, digits };
}

/** Parts of sixty: 12:30 is 750. */
const sexagesimal = (digits: string): number =>
  digits.split(':').reduce((sum, part) => 60 * sum + Number(part), 0);

function integer(text: string): number {
  const { sign, digits } = signed(text);
  if (digits === '0') return 0;
  if (digits.startsWith('0b')) return sign * parseInt(digits.slice(2), 2);
  if (digits.startsWith('0x')) return sign * parseInt(digits.slice(2), 16);
  if (digits.startsWith('0')) return sign * parseInt(digits, 8);
  return sign * (digits.includes(':') ? sexagesimal(digits) : Number(digits));
}

function float(text: string): number {
  const { sign, digits } = signed(text.toLowerCase());
  if (digits === '.inf') return sign * Infinity;
  if (digits === '.nan') return NaN;
  return sign * (digits.includes(':') ? sexagesimal(digits) : Number(digits));
}

/** A place in a file, counted from 1; offsets from 0. */
export interface Place {
  readonly line: number;
  readonly column: number;
  readonly from: number;
  readonly to: number;
}

/** A file that PyYAML, or production's loader, refuses. */
export interface Refusal {
  readonly message: string;
  readonly place: Place;
}

/** A key of the file and where it stands. */
export interface Entry {
  /** Names joined with dots. */
  readonly path: string;
  readonly key: Place;
  readonly value: Place;
  /** What PyYAML makes of it. */
  readonly read: PyValue;
  /** The text of a plain scalar as it stands; undefined for everything else. */
  readonly plain: string | undefined;
  /** Further up the same key has a value already, which is lost. */
  readonly repeated: boolean;
}

export interface ConfigFile {
  readonly text: string;
  /** The whole file's value; undefined where it is refused. */
  readonly value: PyValue | undefined;
  readonly entries: readonly Entry[];
  readonly refusals: readonly Refusal[];
}

/** Larger files are no configurations. */
export const MAX_CHARACTERS = 1_000_000;
/** Values after aliases are followed: a few lines of them can stand for billions. */
const MAX_VALUES = 100_000;
const MAX_DEPTH = 200;

class Refused extends Error {
  constructor(
    message: string,
    readonly offset = 0,
  ) {
    super(message);
  }
}

/** Reads a file. Never throws: what is wrong with it is among its refusals. */
export function readConfig(text: string): ConfigFile {
  const counter = new LineCounter();
  const refusals: Refusal[] = [];
  const place = (from: number, to = from): Place => {
    const { line, col } = counter.linePos(from);
    return { line: Math.max(1, line), column: Math.max(1, col), from, to };
  };
  const refuse = (message: string, from = 0, to = from): void =>
    void refusals.push({ message, place: place(from, to) });
  const refused = (): ConfigFile => ({ text, value: undefined, entries: [], refusals });

  if (text.length > MAX_CHARACTERS) {
    refuse(`the file has ${text.length.toLocaleString('en')} characters; a configuration has a few thousand`);
    return refused();
  }
  // eslint-disable-next-line no-control-regex
  const control = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffd]/.exec(text);
  if (control) {
    refuse('the file is not text: it has characters that YAML does not allow', control.index);
    return refused();
  }
  const depth = deepest(text);
  if (depth.levels > MAX_DEPTH) {
    refuse(`the file is nested more than ${MAX_DEPTH} levels deep`, depth.offset);
    return refused();
  }
  const documents = parseAllDocuments(text, {
    version: '1.1',
    schema: 'failsafe',
    lineCounter: counter,
    uniqueKeys: false,
    prettyErrors: false,
    merge: false,
  });
  const [document, second] = Array.isArray(documents) ? (documents as Document.Parsed[]) : [];
  if (second) refuse('the file holds several documents (---), production reads one', second.range[0]);
  for (const { message, pos } of document?.errors ?? []) refuse(message, pos[0], pos[1]);
  if (!document || refusals.length > 0) return refused();
  try {
    const reader = new Reader(document, text, place);
    const value = reader.value(document.contents, '', 0);
    return { text, value, entries: reader.entries, refusals };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    refuse(error.message, error.offset);
    return refused();
  }
}

/** By brackets and by indentation; an upper bound, found without recursion. */
function deepest(text: string): { levels: number; offset: number } {
  let [brackets, levels, offset] = [0, 0, 0];
  const indents: number[] = [];
  for (const match of text.matchAll(/^([ ]*)((?:- )*)\S|[[{\]}]/gm)) {
    if (match[1] === undefined) {
      brackets += match[0] === '[' || match[0] === '{' ? 1 : -1;
    } else {
      const indent = match[1].length + (match[2]?.length ?? 0);
      while (indents.length > 0 && (indents.at(-1) as number) >= indent) indents.pop();
      indents.push(indent);
      if (/[[{]$/.test(match[0])) brackets++;
    }
    const found = Math.max(0, brackets) + indents.length + (match[2]?.length ?? 0) / 2;
    if (found > levels) [levels, offset] = [found, match.index];
  }
  return { levels, offset };
}

class Reader {
  readonly entries: Entry[] = [];
  #values = 0;

  constructor(
    private readonly document: Document.Parsed,
    private readonly text: string,
    private readonly place: (from: number, to?: number) => Place,
  ) {}

  value(node: Node | null, path: string, depth: number): PyValue {
    const [start = 0] = node?.range ?? [];
    if (++this.#values > MAX_VALUES)
      throw new Refused('its aliases (*) stand for more than 100,000 values', start);
    if (depth > MAX_DEPTH) throw new Refused('an alias (*) contains itself', start);
    if (node === null) return null;
    if (isAlias(node)) {
      const target = node.resolve(this.document);
      if (!target) throw new Refused(`there is no anchor &${node.source}`, start);
      return this.value(target, path, depth + 1);
    }
    if (isScalar(node)) return this.#scalar(node, start);
    if (isSeq(node)) return node.items.map((item) => this.value(item as Node | null, `${path}[]`, depth + 1));
    return isMap(node) ? this.#map(node, path, depth) : null;
  }

  #scalar({ type, source = '', value, tag }: Scalar, start: number): PyValue {
    if (tag !== undefined && !/^tag:yaml\.org,2002:(str|int|float|bool|null)$/.test(tag))
      throw new Refused(`safe_load does not construct ${tag}`, start);
    if (type !== Scalar.PLAIN || tag?.endsWith(':str')) return String(value);
    return readPlain(source).value;
  }

  #map({ items }: { items: { key: unknown; value: unknown }[] }, path: string, depth: number): PyValue {
    const own: Record<string, PyValue> = Object.create(null) as Record<string, PyValue>;
    let merged: Record<string, PyValue> = {};
    const seen = new Set<string>();
    for (const { key, value } of items) {
      const [keyNode, valueNode] = [key as Node | null, value as Node | null];
      const name = this.#keyName(keyNode);
      if (name === '<<') {
        merged = { ...merged, ...this.#merged(valueNode, path, depth) };
        continue;
      }
      const below = path === '' ? name : `${path}.${name}`;
      const entry = this.entries.length;
      const read = this.value(valueNode, below, depth + 1);
      const [keyFrom = 0, keyTo = 0] = keyNode?.range ?? [];
      const [from = keyTo, to = from] = valueNode?.range ?? [keyTo, keyTo];
      const plain =
        isScalar(valueNode) && valueNode.type === Scalar.PLAIN ? this.text.slice(from, to) : undefined;
      this.entries.splice(entry, 0, {
        path: below,
        key: this.place(keyFrom, keyTo),
        value: this.place(from, to),
        read,
        plain,
        repeated: seen.has(name),
      });
      seen.add(name);
      own[name] = read;
    }
    return { ...merged, ...own };
  }

  #keyName(node: Node | null): string {
    if (isScalar(node)) return String(node.type === Scalar.PLAIN ? node.source : node.value);
    if (node === null) return 'null';
    throw new Refused('a key is a list or a mapping, which production cannot use', node.range?.[0]);
  }

  #merged(node: Node | null, path: string, depth: number): Record<string, PyValue> {
    const entries = this.entries.length;
    const value = this.value(node, path, depth + 1);
    // What is merged stands elsewhere.
    this.entries.length = entries;
    const parts = Array.isArray(value) ? (value as readonly PyValue[]) : [value];
    const merged: Record<string, PyValue> = {};
    for (const part of [...parts].reverse()) {
      if (typeof part !== 'object' || part === null || Array.isArray(part))
        throw new Refused('<< expects a mapping', node?.range?.[0]);
      Object.assign(merged, part);
    }
    return merged;
  }
}
