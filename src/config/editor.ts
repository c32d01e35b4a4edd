/** One change of a file's values as edits of its text. */
import { isAlias, isMap, isScalar, isSeq, Scalar, type Node } from 'yaml';
import type { Change } from './change';
import { KEYS, REQUIRED_SECTIONS } from './keys';
import { EditError, Layout, LINE_END, nameOf, type Item, type Map } from './layout';
import type { Edit } from './pieces';
import { join, namesOf } from './path';
import { isPyMapping, sameValue, type PyValue } from './plain';
import { parseYaml, readYaml } from './pyyaml';
import { scalarText } from './scalar';
import { readConfig, type Settings } from './settings';

/** What the trainer reads where this text stands as a value. */
export function parsed(value: string): PyValue {
  const { value: read, errors } = readYaml(`value: ${value}`);
  const found = isPyMapping(read) ? read['value'] : undefined;
  if (found === undefined)
    throw new EditError(`${value} is no YAML value on one line: ${errors[0]?.message ?? ''}`);
  return found;
}

type Names = Readonly<Record<string, PyValue>>;

export class Editor {
  readonly #root: Node | null;
  readonly #layout: Layout;
  readonly #newline: string;
  readonly #settings: Settings;

  constructor(
    private readonly text: string,
    private readonly change: Change,
  ) {
    const { errors, settings, document } = readConfig(text);
    if (errors.length > 0)
      throw new EditError(
        `the file cannot be read (${errors[0]?.message ?? ''}), so no value of it can be changed; fix the text first`,
      );
    this.#root = document?.contents ?? null;
    this.#settings = settings;
    this.#layout = new Layout(text);
    this.#newline = LINE_END.exec(text)?.[0] ?? '\n';
  }

  edits(): Edit[] {
    const { path, value } = this.change;
    const names = namesOf(path);
    const root = this.#root;
    if (value !== undefined) parsed(value);
    if (root === null || (isScalar(root) && root.source === ''))
      return value === undefined ? [] : [this.#appended(this.#lines(names, value, ''))];
    if (!isMap(root)) throw new EditError('the file is no mapping of sections; change it in the text');
    return value === undefined
      ? this.#remove(root as Map, names, [])
      : this.#put(root as Map, names, value, []);
  }

  /** The key alone, where it stays in its section; undefined where it does not. */
  renamed(): Edit[] | undefined {
    const { path, renames } = this.change;
    const root = this.#root;
    if (renames === undefined || !isMap(root)) return undefined;
    const [from, to] = [namesOf(renames), namesOf(path)];
    const last = to.pop() ?? '';
    if (from.slice(0, -1).join('.') !== to.join('.')) return undefined;
    const map = to.reduce<Map | undefined>((at, name) => {
      const value = at && lastItem(at, name)?.value;
      return isMap(value) ? (value as Map) : undefined;
    }, root as Map);
    const items = map?.items.filter((item) => nameOf(item) === from.at(-1)) ?? [];
    const range = items[0]?.key?.range;
    if (items.length !== 1 || !range || map?.items.some((item) => nameOf(item) === last)) return undefined;
    return [{ from: range[0], to: range[1], insert: scalarText(last) }];
  }

  /** Without the places of a repeated key that do not count. */
  once(): Edit[] {
    const { path, value = 'null' } = this.change;
    const names = namesOf(path);
    const last = names.pop() ?? '';
    const root = this.#root;
    const map = names.reduce<unknown>(
      (at, name) => (isMap(at) ? lastItem(at as Map, name)?.value : at),
      root,
    );
    if (!isMap(map)) return this.edits();
    const own = (map as Map).items.filter((item) => nameOf(item) === last);
    const item = own.pop();
    if (!item) return this.edits();
    const gone = this.#layout.without(map as Map, own);
    return sameValue(this.#settings.read(path), parsed(value))
      ? gone
      : [...gone, ...this.#replace(item, value)];
  }

  #put(map: Map, names: readonly string[], value: string, above: readonly string[]): Edit[] {
    const [name = '', ...rest] = names;
    const item = lastItem(map, name);
    if (!item) return [this.#add(map, names, value, above)];
    if (rest.length === 0) return this.#replace(item, value);
    const node = item.value;
    const path = [...above, name];
    if (isMap(node)) return this.#put(node as Map, rest, value, path);
    if (isAlias(node)) {
      const inherited = `<<: ${this.#layout.slice(node)}`;
      const [head = '', inner] = this.#inner(rest, value, path);
      return this.#replace(item, `{${inherited}, ${head}: ${inner ?? flow(rest.slice(1), value)}}`);
    }
    const empty = node === null || (isScalar(node) && node.source === '' && node.type === Scalar.PLAIN);
    if (!empty || this.#flowing(map)) return this.#replace(item, flow(rest, value));
    const indent = this.#layout.indentOf(item) + ' '.repeat(this.#step());
    return [this.#afterLine(this.#layout.headEnd(item), this.#lines(rest, value, indent))];
  }

  /** Name and, where it is a mapping that comes from a merge, the whole of it with the changed value. */
  #inner(names: readonly string[], value: string, above: readonly string[]): [string, string?] {
    const [head = '', ...rest] = names;
    const inherited = this.#settings.read([...above, head].reduce(join, ''));
    const key = scalarText(head);
    if (rest.length === 0) return [key, value];
    if (!isPyMapping(inherited)) return [key];
    return [key, scalarText(withValue(inherited, rest, parsed(value)))];
  }

  #add(map: Map, names: readonly string[], value: string, above: readonly string[]): Edit {
    const [key, inner] = this.#inner(names, value, above);
    const rest = names.slice(1);
    const before = this.#before(map, names[0] ?? '', above);
    if (this.#flowing(map)) {
      const pair = `${key}: ${inner ?? flow(rest, value)}`;
      if (!before) return insert((map.range?.[0] ?? 0) + 1, pair);
      return insert(this.#layout.endOf(before), `, ${pair}`);
    }
    if (!before) throw new EditError(`${this.change.path} cannot be added here; add it in the text`);
    const indent = this.#layout.indentOf(before);
    const lines = inner === undefined ? this.#lines(names, value, indent) : `${indent}${key}: ${inner}`;
    return this.#afterLine(this.#layout.endOf(before), lines);
  }

  /** The item after which a new key stands: the last of those that come before it in the schema, or the last of all. */
  #before(map: Map, name: string, above: readonly string[]): Item | undefined {
    const rank = (key: string): number => rankOf([...above, key].reduce(join, ''));
    const own = rank(name);
    const items = map.items;
    const earlier = items.filter((item) => {
      const other = rank(nameOf(item));
      return other >= 0 && other < own;
    });
    return (
      earlier.reduce<Item | undefined>(
        (best, item) => (best === undefined || rank(nameOf(item)) >= rank(nameOf(best)) ? item : best),
        undefined,
      ) ?? items.at(-1)
    );
  }

  #replace(item: Item, value: string): Edit[] {
    const node = item.value;
    const { colon, tag, props } = this.#layout.separator(item);
    if (node === null || (isScalar(node) && node.type === Scalar.PLAIN && node.source === '')) {
      if (colon === undefined) {
        if (item.srcToken?.start?.some(({ type }) => type === 'explicit-key-ind'))
          throw new EditError(`${this.change.path} has no value and no colon (?); change it in the text`);
        return [insert(this.#layout.keyEnd(item), `: ${value}`)];
      }
      if (tag) return [{ from: tag.from, to: tag.to, insert: value }];
      return [insert(props ?? colon, ` ${value}`)];
    }
    const untag = tag ? [{ from: tag.from, to: this.#layout.afterBlanks(tag.to), insert: '' }] : [];
    const [from, end] = [node.range?.[0] ?? 0, this.#layout.endOf(node)];
    if (isScalar(node) && (node.type === Scalar.BLOCK_LITERAL || node.type === Scalar.BLOCK_FOLDED)) {
      const comment = /[ \t]#.*/.exec(this.#layout.lineFrom(from))?.[0] ?? '';
      const last = from + this.text.slice(from, end).trimEnd().length;
      return [...untag, { from, to: last, insert: value + comment }];
    }
    const items = this.#itemEdits(node, value);
    if (items) return items;
    const collection = (isMap(node) || isSeq(node)) && node.flow !== true;
    const start = props ?? colon ?? from;
    if (!collection || !LINE_END.test(this.text.slice(start, from)))
      return [...untag, { from, to: end, insert: value }];
    // The value of several lines goes, the comment behind the colon stays.
    return [
      ...(tag ? [{ from: tag.from, to: tag.to, insert: value }] : [insert(start, ` ${value}`)]),
      { from: this.#layout.lineEnd(start), to: this.#layout.lineEnd(end, true), insert: '' },
    ];
  }

  /** A list of as many scalars: only those that differ. */
  #itemEdits(node: Node, value: string): Edit[] | undefined {
    if (!isSeq(node)) return undefined;
    const [document] = parseYaml(value);
    const given = document?.contents;
    if (!isSeq(given) || given.items.length !== node.items.length) return undefined;
    const edits: Edit[] = [];
    for (const [i, item] of node.items.entries()) {
      const other = given.items[i];
      if (!isScalar(item) || !isScalar(other) || item.tag || !item.range || !other.range) return undefined;
      if (item.range[0] === item.range[1] || /^BLOCK/.test(item.type ?? '')) return undefined;
      const insert = value.slice(other.range[0], other.range[1]);
      if (!sameValue(parsed(this.#layout.slice(item)), parsed(insert)))
        edits.push({ from: item.range[0], to: item.range[1], insert });
    }
    return edits;
  }

  #remove(map: Map, names: readonly string[], chain: readonly { map: Map; item: Item }[]): Edit[] {
    const [name = '', ...rest] = names;
    const item = lastItem(map, name);
    if (!item) {
      if (this.#settings.read(this.change.path) === undefined) return [];
      throw new EditError(
        `${this.change.path} comes from an anchor by << or *, and removing it there would change other keys; change it in the text`,
      );
    }
    const below = [...chain, { map, item }];
    if (rest.length === 0) return this.#drop(map, name, below);
    if (isMap(item.value)) return this.#remove(item.value as Map, rest, below);
    if (this.#settings.read(this.change.path) === undefined) return [];
    throw new EditError(`${this.change.path} comes from an anchor; change it in the text`);
  }

  /** All items of a name, for an earlier one would count again; a section that would be empty goes too. */
  #drop(map: Map, name: string, chain: readonly { map: Map; item: Item }[]): Edit[] {
    const own = map.items.filter((item) => nameOf(item) === name);
    const edits = this.#layout.without(map, own);
    if (this.#flowing(map)) return edits;
    const parent = chain.at(-2);
    if (own.length < map.items.length || !parent) return edits;
    const required = chain.length === 2 && REQUIRED_SECTIONS.includes(nameOf(parent.item));
    const { colon, props } = this.#layout.separator(parent.item);
    const shared = parent.map.items.filter((item) => nameOf(item) === nameOf(parent.item)).length > 1;
    if (required || shared || map.anchor || this.#flowing(parent.map) || parent.map.items.length === 1)
      return [...edits, insert(props ?? colon ?? 0, ' {}')];
    return [...edits, this.#layout.lineOf(parent.item, this.#layout.headEnd(parent.item))];
  }

  #lines(names: readonly string[], value: string, indent: string): string {
    const step = ' '.repeat(this.#step());
    return names
      .map(
        (name, i) =>
          `${indent}${step.repeat(i)}${scalarText(name)}:${i + 1 === names.length ? ` ${value}` : ''}`,
      )
      .join(this.#newline);
  }

  #appended(lines: string): Edit {
    const { text } = this;
    const separate = text === '' || text === '\ufeff' || text.endsWith('\n') ? '' : this.#newline;
    return insert(text.length, `${separate}${lines}${this.#newline}`);
  }

  #afterLine(end: number, lines: string): Edit {
    if (end > 0 && this.text[end - 1] === '\n') return insert(end, `${lines}${this.#newline}`);
    return insert(this.#layout.lineEnd(end), `${this.#newline}${lines}`);
  }

  /** Spaces by which this file indents. */
  #step(): number {
    const root = this.#root;
    if (!isMap(root)) return 2;
    for (const { value } of (root as Map).items) {
      const first = isMap(value) && value.flow !== true ? (value as Map).items[0] : undefined;
      const step = first ? this.#layout.indentOf(first).length : 0;
      if (step > 0) return step;
    }
    return 2;
  }

  #flowing(map: Map): boolean {
    return map.flow === true;
  }
}

/** The one that counts. */
const lastItem = (map: Map, name: string): Item | undefined =>
  map.items.findLast((item) => nameOf(item) === name);

const insert = (offset: number, text: string): Edit => ({ from: offset, to: offset, insert: text });

/** Where in the schema a key or a section stands; −1 for an unknown one. */
const rankOf = (path: string): number =>
  KEYS.findIndex((key) => key.path === path || key.path.startsWith(`${path}.`));

const flow = (names: readonly string[], value: string): string =>
  names.reduceRight((inner, name) => `{${scalarText(name)}: ${inner}}`, value);

function withValue(mapping: Names, [name = '', ...rest]: readonly string[], value: PyValue): Names {
  const below = mapping[name];
  if (rest.length === 0) return { ...mapping, [name]: value };
  return { ...mapping, [name]: withValue(isPyMapping(below) ? below : {}, rest, value) };
}
