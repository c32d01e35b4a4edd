/**
 * A file as PyYAML's safe_load reads it, with the places of its keys and values. The grammar is that of the `yaml` package,
 * the types are PyYAML's. What is known to differ is rejected here with a sentence that says so.
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
  type Pair,
} from 'yaml';
import { bracketError } from './brackets';
import { join } from './path';
import {
  isPyMapping,
  readPlain,
  readTagged,
  type PyScalar,
  type PyScalarType,
  type PyType,
  type PyValue,
} from './plain';
import { LONE_DASH, onlyEnds, TAB, tokenError } from './tokens';
import { MAX_DEPTH, NOT_FOLLOWED, rejectedText } from './yaml_limits';

/** A place in a file, counted from 1; offsets from 0. */
export interface Place {
  readonly line: number;
  readonly column: number;
  readonly from: number;
  readonly to: number;
}

/** Why PyYAML, or the trainer's loader, rejects a file. */
export interface YamlError {
  readonly message: string;
  readonly place: Place;
}

/** A key of the file, or an item of a list, and where it stands. */
export interface Entry {
  /** As `join` makes it; items of a list as `name[0]`. */
  readonly path: string;
  /** Of an item, the item itself. */
  readonly key: Place;
  readonly value: Place;
  /** What PyYAML makes of it, and Python's type of that. */
  readonly read: PyValue;
  readonly type: PyType;
  /** The text of a plain scalar as it stands; undefined for everything else. */
  readonly plain: string | undefined;
  /** Further up the same key has a value already, which is lost, with all that is in it. */
  readonly repeated: boolean;
  /** What PyYAML makes of the key: only a `str` can be one that the trainer knows. */
  readonly keyType: PyScalarType;
}

/** A file as PyYAML reads it. */
export interface YamlFile {
  readonly text: string;
  /** The whole file's value; undefined where it is rejected. */
  readonly value: PyValue | undefined;
  /** Keys and items in the file's order, without those of a value that is lost because its key is repeated. */
  readonly entries: readonly Entry[];
  /** Empty where the file is read. */
  readonly errors: readonly YamlError[];
  /** The parser's tree, which edits need; undefined where the file is rejected or empty. */
  readonly document: Document.Parsed | undefined;
}

/** Values after aliases are followed: a few lines of them can stand for billions. */
const MAX_VALUES = 5000;
/** Of a file that is broken throughout, the first errors are enough. */
const MAX_ERRORS = 20;

class Rejected extends Error {
  constructor(
    message: string,
    readonly offset = 0,
    readonly end = offset,
  ) {
    super(message);
  }
}

/** Reads a file. Never throws: what is wrong with it is among its errors. */
export function readYaml(text: string): YamlFile {
  const counter = new LineCounter();
  const errors: YamlError[] = [];
  const place = (from: number, to = from): Place => {
    const { line, col } = counter.linePos(from);
    return { line: Math.max(1, line), column: Math.max(1, col), from, to };
  };
  const reject = (message: string, from = 0, to = from): void =>
    void errors.push({ message, place: place(from, to) });
  const rejected = (): YamlFile => {
    errors.sort((a, b) => a.place.from - b.place.from);
    return { text, value: undefined, entries: [], errors, document: undefined };
  };

  const foreign = rejectedText(text);
  if (foreign) {
    // Nothing is parsed, so nobody counted the lines.
    counter.addNewLine(0);
    for (const { index, 0: end } of text.matchAll(/\r\n|\r|\n/g)) counter.addNewLine(index + end.length);
    reject(foreign.message, foreign.from, foreign.to);
    return rejected();
  }
  // As Python opens a file in text mode; of the same length, so that places stay.
  const lines = text.replace(/\r(?!\n)/g, '\n');
  const [document, second] = parseYaml(lines, counter);
  if (second && !onlyEnds(lines.slice(document?.range[2])))
    reject('the file holds several documents (---), the trainer reads one', second.range[0]);
  for (const { code, message, pos } of document?.errors ?? []) {
    if (message === GLUED_COMMENT || errors.length >= MAX_ERRORS) continue;
    const bracket = bracketError(lines, message, pos[0]);
    if (bracket) {
      reject(bracket.message, bracket.at, bracket.at + 1);
      // What follows is read wrongly.
      break;
    }
    reject(readOtherwise(lines, pos[0]) ?? sentenceOf(code, message), pos[0], pos[1]);
  }
  const token = tokenError(lines);
  // A file that is broken otherwise may have its brackets and tabs anywhere.
  if (token && (errors.length === 0 || /[&*?]/.test(lines.charAt(token.from))))
    reject(token.message, token.from, token.to);
  if (errors.length > 0) return rejected();
  if (!document) return { text, value: null, entries: [], errors, document };
  try {
    const entries: Entry[] = [];
    const { value } = new Reader(lines, place).value(document.contents, '', 0, entries);
    return { text, value, entries, errors, document };
  } catch (error) {
    if (!(error instanceof Rejected)) throw error;
    reject(error.message, error.offset, error.end);
    return rejected();
  }
}

/** The file's documents, with what the parser took each character for; never throws. */
export function parseYaml(text: string, lineCounter = new LineCounter()): Document.Parsed[] {
  const documents = parseAllDocuments(text, {
    version: '1.1',
    schema: 'failsafe',
    lineCounter,
    uniqueKeys: false,
    prettyErrors: false,
    merge: false,
    keepSourceTokens: true,
  });
  return Array.isArray(documents) ? documents : [];
}

/** YAML 1.2 wants a blank before #; PyYAML does not. */
export const GLUED_COMMENT = 'Comments must be separated from other tokens by white space characters';

/** What the parser's messages mean to somebody who edits a configuration. */
const SENTENCES: Partial<Record<string, string>> = {
  TAB_AS_INDENT: TAB,
  BAD_INDENT: 'this line is indented neither like its neighbours nor like a part of the line above; align it',
  MULTILINE_IMPLICIT_KEY: 'a colon is missing: this line and the next were taken for one key',
  BLOCK_AS_IMPLICIT_KEY:
    'a second colon stands in this line; quote the value, or put what belongs below the key on lines of its own',
  KEY_OVER_1024_CHARS: 'a key is longer than 1,024 characters',
};

/** What PyYAML makes of a text that the parser rejects at `at`; undefined where that is not known to differ. */
function readOtherwise(text: string, at: number): string | undefined {
  if (/^-[\],}]/.test(text.slice(at, at + 2))) return `${LONE_DASH}. ${NOT_FOLLOWED}; quote it`;
  const [first, before] = [text.charAt(at), lastBefore(text, at)];
  if ((first === '|' || first === '>') && before === ':')
    return `PyYAML lets a text that starts with ${first} stand below its key, indented no further. ${NOT_FOLLOWED}; write ${first} behind the colon`;
  return first === ',' && before === '?' ? NULL_KEY : undefined;
}

/** The last character before an offset that is neither a blank nor in a comment, of the 80 there. */
const lastBefore = (text: string, at: number): string | undefined =>
  /(\S)\s*(?:#.*\r?\n\s*)*$/.exec(text.slice(Math.max(0, at - 80), at))?.[1];

const NULL_KEY = `a key is missing, for which PyYAML takes null. ${NOT_FOLLOWED}; write one`;

function sentenceOf(code: string, message: string): string {
  if (/^(?:Multi-line (?:double|single)-quoted|Missing closing ["'])/.test(message))
    return `a quote is not closed before a line that is not indented. ${NOT_FOLLOWED}, which reads on there; close the quote, or indent the line`;
  return SENTENCES[code] ?? `this is not YAML (${message}); correct it in the text`;
}

/** Tags that safe_load knows and no configuration needs. */
const RARE_TAG = /^tag:yaml\.org,2002:(binary|set|omap|pairs)$/;

function unknownTag(tag: string): string {
  const rare = RARE_TAG.exec(tag);
  return rare
    ? `!!${rare[1] ?? ''} is nothing that a configuration needs. ${NOT_FOLLOWED}; remove the tag`
    : `safe_load does not construct ${tag}; remove the tag`;
}

type Names = Record<string, PyValue>;
const none = (): Names => Object.create(null) as Names;

/** A value with Python's type. */
interface PyRead {
  readonly type: PyType;
  readonly value: PyValue;
}

/** Reads nodes; what is read comes with its entries in `into`. */
class Reader {
  readonly #anchors = new Map<string, Node>();
  #values = 0;

  constructor(
    private readonly text: string,
    private readonly place: (from: number, to?: number) => Place,
  ) {}

  value(node: Node | null, path: string, depth: number, into: Entry[]): PyRead {
    const [start = 0, end = 0] = node?.range ?? [];
    if (++this.#values > MAX_VALUES)
      throw new Rejected(
        `the file has more than ${MAX_VALUES.toLocaleString('en')} values, those of aliases (*) counted each time. ${NOT_FOLLOWED}; a configuration has about a hundred`,
        start,
        end,
      );
    if (depth > MAX_DEPTH)
      throw new Rejected(`an alias (*) contains itself. ${NOT_FOLLOWED}; write the value`, start, end);
    if (node === null) return { type: 'null', value: null };
    if (isAlias(node)) return this.value(this.#anchored(node.source, start, end), path, depth + 1, into);
    if ('anchor' in node && node.anchor !== undefined) {
      if ((this.#anchors.get(node.anchor) ?? node) !== node)
        throw new Rejected(`the anchor &${node.anchor} stands here a second time; rename one`, start, end);
      this.#anchors.set(node.anchor, node);
    }
    if (isScalar(node)) return this.#scalar(node, start, end);
    if (node.tag !== undefined && !/^!$|^tag:yaml\.org,2002:(?:map|seq)$/.test(node.tag))
      throw new Rejected(unknownTag(node.tag), start, end);
    if (isSeq(node))
      return {
        type: 'list',
        value: node.items.map((item, i) => this.#item(item as Node | null, `${path}[${i}]`, depth, into)),
      };
    return { type: 'dict', value: isMap(node) ? this.#map(node, path, depth, into) : null };
  }

  #anchored(name: string, start: number, end: number): Node {
    const target = this.#anchors.get(name);
    if (!target) throw new Rejected(`there is no anchor &${name} above`, start, end);
    return target;
  }

  #scalar({ type, source = '', value, tag }: Scalar, start: number, end: number): PyScalar {
    if (typeof value === 'string' && type?.startsWith('BLOCK') && end >= this.text.length)
      // In a file without a last line end, PyYAML ends the text without one too.
      if (!/[\r\n]$/.test(this.text)) value = value.replace(/\n$/, '');
    if (type === Scalar.PLAIN && this.text.slice(start, end).includes('\t'))
      throw new Rejected(TAB, start, end);
    // A tag `!` alone leaves it to the text, quoted or not.
    const read =
      tag === undefined && type !== Scalar.PLAIN
        ? ({ type: 'str', value: String(value) } as const)
        : tag === undefined || tag === '!'
          ? readPlain(tag === '!' ? String(value) : source)
          : readTagged(tag, String(value));
    if (read === undefined) throw new Rejected(unknownTag(String(tag)), start, end);
    if (read.problem !== undefined) throw new Rejected(read.problem, start, end);
    return read;
  }

  #item(node: Node | null, path: string, depth: number, into: Entry[]): PyValue {
    const below: Entry[] = [];
    const { type, value: read } = this.value(node, path, depth + 1, below);
    const [from = 0, to = from] = node?.range ?? [];
    const place = this.place(from, to);
    const plain = this.#plain(node);
    into.push({ path, key: place, value: place, read, type, plain, repeated: false, keyType: 'int' });
    for (const entry of below) into.push(entry);
    return read;
  }

  #plain(node: Node | null): string | undefined {
    const plain = isScalar(node) && node.type === Scalar.PLAIN && node.tag === undefined && node.range;
    return plain ? this.text.slice(plain[0], plain[1]) : undefined;
  }

  #map({ items }: { items: Pair[] }, path: string, depth: number, into: Entry[]): PyValue {
    const own = none();
    const merged = none();
    // Of a repeated key, the last value counts, and with it what is in it.
    const parts = new Map<string, readonly Entry[]>();
    for (const { key, value, srcToken } of items) {
      const [keyNode, valueNode] = [key as Node | null, value as Node | null];
      this.#onOneLine(keyNode, srcToken);
      if (isMergeKey(keyNode)) {
        Object.assign(merged, this.#merged(valueNode, path, depth));
        continue;
      }
      const { name, type: keyType, same } = this.#key(keyNode);
      const below: Entry[] = [];
      const entryPath = join(path, name);
      const { type, value: read } = this.value(valueNode, entryPath, depth + 1, below);
      const [keyFrom = 0, keyTo = 0] = keyNode?.range ?? [];
      const [from = keyTo, to = from] = valueNode?.range ?? [keyTo, keyTo];
      const entry: Entry = {
        path: entryPath,
        key: this.place(keyFrom, keyTo),
        value: this.place(from, to),
        read,
        type,
        plain: this.#plain(valueNode),
        repeated: parts.delete(same),
        keyType,
      };
      parts.set(same, [entry, ...below]);
      own[name] = read;
    }
    for (const part of parts.values()) for (const entry of part) into.push(entry);
    return Object.assign(none(), merged, own);
  }

  /** YAML 1.2 has keys of several lines in brackets. */
  #onOneLine(key: Node | null, token: Pair['srcToken']): void {
    // An anchor or a tag before it belongs to it.
    const property = token?.start.find(({ type }) => type === 'anchor' || type === 'tag');
    const from = property?.offset ?? key?.range?.[0] ?? 0;
    const colon = token?.sep?.find(({ type }) => type === 'map-value-ind');
    if (!colon || token?.start.some(({ type }) => type === 'explicit-key-ind')) return;
    if (this.text.slice(from, colon.offset).includes('\n'))
      throw new Rejected(
        'PyYAML wants a key and its colon in one line; write them so, or the comma or colon that is missing',
        from,
        colon.offset,
      );
  }

  /** `same` is equal for keys that Python takes for one. */
  #key(node: Node | null): { name: string; type: PyScalarType; same: string } {
    const [start = 0, end = 0] = node?.range ?? [];
    if (isAlias(node)) return this.#key(this.#anchored(node.source, start, end));
    if (node === null) return { name: '', type: 'null', same: 'null' };
    if (isScalar(node) && node.type === Scalar.PLAIN && start === end && node.tag === undefined)
      throw new Rejected(
        node.anchor !== undefined || lastBefore(this.text, start) === '?'
          ? NULL_KEY
          : 'a key is missing in front of this colon',
        start,
        end + 1,
      );
    if (!isScalar(node))
      throw new Rejected('a key is a list or a mapping, which Python cannot use', start, end);
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    // As a key, PyYAML takes = for a text.
    const { type, value } =
      node.source === '=' ? ({ type: 'str', value: '=' } as const) : this.#scalar(node, start, end);
    const name = typeof value === 'string' ? value : (node.source ?? '');
    const number = typeof value === 'boolean' || typeof value === 'number';
    return { name, type, same: number ? `number ${Number(value)}` : `${type} ${name}` };
  }

  #merged(node: Node | null, path: string, depth: number): Names {
    // What is merged stands elsewhere.
    const { value } = this.value(node, path, depth + 1, []);
    const parts = Array.isArray(value) ? (value as readonly PyValue[]) : [value];
    const merged = none();
    for (const part of [...parts].reverse()) {
      if (!isPyMapping(part))
        throw new Rejected('<< expects a mapping or a list of them', node?.range?.[0], node?.range?.[1]);
      Object.assign(merged, part);
    }
    return merged;
  }
}

const isMergeKey = (node: Node | null): boolean =>
  isScalar(node) && node.type === Scalar.PLAIN && node.source === '<<' && node.tag === undefined;
