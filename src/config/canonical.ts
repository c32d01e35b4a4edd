/** The text of a file that PyYAML and readers of YAML 1.2 (core schema) read alike, with the values that the trainer has. */
import { isAlias, isMap, isScalar, isSeq, Scalar, type Node } from 'yaml';
import { KEY_AT, type Kind } from './keys';
import { EditError, Layout, nameOf, type Item, type Map } from './layout';
import { Pieces, type Edit } from './pieces';
import { join } from './path';
import { isPyMapping, PyDate, readPlain, sameValue, type PyValue } from './plain';
import { GLUED_COMMENT } from './pyyaml';
import { itemKind, readCore, scalarText } from './scalar';
import { readConfig } from './settings';

/** A part of the file that is written differently now, and why. */
export interface Rewritten {
  /** Names joined with dots; items of a list as `name[0]`. */
  readonly path: string;
  readonly before: string;
  /** Empty where it is gone. */
  readonly after: string;
  /** A clause: “PyYAML reads a text, others a number”. */
  readonly reason: string;
}

export interface Exported {
  readonly text: string;
  /** From the text that was given to this one. */
  readonly edits: readonly Edit[];
  readonly changes: readonly Rewritten[];
}

/** A part and the edits that make it agree. */
interface Step {
  readonly edits: readonly Edit[];
  readonly changes: readonly Rewritten[];
}

/**
 * Scalars that the two versions of YAML read as different values are written so that they agree; of a key that stands twice
 * the place that counts is kept; merges (`<<`), which YAML 1.2 does not have, are written out. All else stays byte for byte.
 * Throws EditError where the file cannot be read, or an anchor in what goes is used elsewhere.
 */
export function exportText(text: string): Exported {
  const pieces = new Pieces(text);
  const changes: Rewritten[] = [];
  const apply = (step: Step | undefined): boolean => {
    if (!step) return false;
    pieces.applyAll([...step.edits].sort((a, b) => a.from - b.from || a.to - b.to));
    changes.push(...step.changes);
    if (readConfig(pieces.text).errors.length > 0)
      throw new EditError(
        `${step.changes[0]?.path ?? ''} cannot be written for all readers: an anchor (&) in it is used elsewhere; write the value there`,
      );
    return true;
  };
  apply(directive(text));
  apply(glued(pieces.text));
  while (apply(new Agreement(pieces.text).repeated()));
  while (apply(new Agreement(pieces.text).merged()));
  apply(new Agreement(pieces.text).scalars());
  return { text: pieces.text, edits: pieces.edits(), changes };
}

/** Readers that know YAML 1.1 switch to its types at `%YAML 1.1`. */
function directive(text: string): Step | undefined {
  const found = /^%YAML.*(?:\r?\n)/m.exec(text);
  if (!found) return undefined;
  const { 0: line, index } = found;
  return {
    edits: [{ from: index, to: index + line.length, insert: '' }],
    changes: [
      { path: '', before: line.trim(), after: '', reason: 'it makes some readers switch to other types' },
    ],
  };
}

/** A comment without a blank in front of it. */
function glued(text: string): Step | undefined {
  const errors = readConfig(text).document?.errors.filter(({ message }) => message === GLUED_COMMENT) ?? [];
  if (errors.length === 0) return undefined;
  const reason = 'YAML 1.2 wants a blank in front of a comment';
  return {
    edits: errors.map(({ pos: [from] }) => ({ from, to: from, insert: ' ' })),
    changes: errors.map(() => ({ path: '', before: '#', after: ' #', reason })),
  };
}

/** A tag and an anchor are found so many characters in front of their value. */
const TAG_REACH = 500;

class Agreement {
  readonly #root: Node | null;
  readonly #value: PyValue;
  readonly #layout: Layout;

  constructor(private readonly text: string) {
    const { value, errors, document } = readConfig(text);
    if (value === undefined)
      throw new EditError(`the file cannot be read: ${errors[0]?.message ?? ''}; fix that first`);
    this.#root = document?.contents ?? null;
    this.#value = value;
    this.#layout = new Layout(text);
  }

  /** The first mapping with a key that stands twice, without the places that do not count. */
  repeated(): Step | undefined {
    for (const { map, path } of this.#maps()) {
      const same = map.items.map(identity);
      const gone = map.items.filter((item, i) => !isMerge(item) && same.lastIndexOf(same[i] ?? '') > i);
      if (gone.length === 0) continue;
      const reason = 'it stands there several times: PyYAML takes the last, others reject the file';
      return {
        edits: this.#layout.without(map, gone),
        changes: gone.map((item) => ({
          path: join(path, nameOf(item)),
          before: this.#source(item),
          after: '',
          reason,
        })),
      };
    }
    return undefined;
  }

  /** The first mapping that merges others, with their keys written out. */
  merged(): Step | undefined {
    for (const { map, path, value } of this.#maps()) {
      const [first, ...more] = map.items.filter(isMerge);
      if (!first) continue;
      const own = map.items.filter((item) => !isMerge(item)).map(nameOf);
      const names = Object.keys(value).filter((name) => !own.includes(name));
      const indent = this.#layout.indentOf(first);
      const separator = map.flow === true ? ', ' : `${this.text.includes('\r\n') ? '\r\n' : '\n'}${indent}`;
      const pairs = names.map((name) => {
        const kind = KEY_AT.get(join(path, name))?.kind;
        return `${scalarText(name)}: ${scalarText(value[name] ?? null, kind)}`;
      });
      const alone = map.items.length === 1 + more.length;
      const after = pairs.join(separator) || (alone && map.flow !== true ? '{}' : '');
      const span = { from: this.#layout.startOf(first), to: this.#layout.endOf(first) };
      const gone = after === '' ? [first, ...more] : more;
      return {
        edits: [...this.#layout.without(map, gone), ...(after === '' ? [] : [{ ...span, insert: after }])],
        changes: [
          {
            path: join(path, '<<'),
            before: this.#source(first),
            after,
            reason: 'YAML 1.2 knows no merge of mappings',
          },
        ],
      };
    }
    return undefined;
  }

  /** All scalars that are read differently. */
  scalars(): Step {
    const steps: Step[] = [];
    this.#scalars(this.#root, this.#value, '', undefined, steps);
    return { edits: steps.flatMap(({ edits }) => edits), changes: steps.flatMap(({ changes }) => changes) };
  }

  #scalars(node: Node | null, value: PyValue, path: string, kind: Kind | undefined, steps: Step[]): void {
    if (isScalar(node)) steps.push(...this.#scalar(node, value, path, kind));
    if (isSeq(node) && Array.isArray(value)) {
      const items = value as readonly PyValue[];
      node.items.forEach((item, i) => {
        this.#scalars(item as Node | null, items[i] ?? null, `${path}[${i}]`, itemKind(kind), steps);
      });
    }
    if (!isMap(node) || !isPyMapping(value)) return;
    for (const { key, value: inner } of (node as Map).items) {
      const name = nameOf({ key });
      const below = join(path, name);
      if (isScalar(key) && key.type === Scalar.PLAIN && key.tag === undefined && name !== '=')
        steps.push(...this.#scalar(key, readPlain(name).value, below, undefined));
      this.#scalars(inner, value[name] ?? null, below, KEY_AT.get(below)?.kind, steps);
    }
  }

  #scalar(node: Scalar, value: PyValue, path: string, kind: Kind | undefined): Step[] {
    const [from = 0, to = 0] = node.range ?? [];
    if (node.tag === undefined && node.type?.startsWith('BLOCK') && value !== node.value)
      return this.#unended(node, value, path, kind);
    if (node.tag === undefined && (node.type !== Scalar.PLAIN || from === to)) return [];
    const core = readCore(node.source ?? '').value;
    if (node.tag === undefined && sameValue(value, core)) return [];
    const after = scalarText(value, kind);
    const before = this.text.slice(from, to).trimEnd();
    if (node.tag === undefined)
      return [
        {
          edits: [{ from, to, insert: after }],
          changes: [{ path, before, after, reason: `PyYAML reads ${shape(value)}, others ${shape(core)}` }],
        },
      ];
    const near = Math.max(0, from - TAG_REACH);
    const tag = /(![^\s,[\]{}]*)\s*(?:&[^\s,[\]{}]+\s*)?$/.exec(this.text.slice(near, from));
    if (!tag) return [];
    const [start, name] = [near + tag.index, tag[1] ?? ''];
    const end = start + name.length;
    const blanks = /^[ \t]*/.exec(this.text.slice(end))?.[0].length ?? 0;
    // A block scalar ends with its last line end, which stays.
    const last = from + before.length;
    const edits =
      from === to
        ? [{ from: start, to: end, insert: after }]
        : [
            { from: start, to: end + blanks, insert: '' },
            { from, to: last, insert: after },
          ];
    const reason = 'the value says its type by itself, to all readers';
    return [{ edits, changes: [{ path, before: `${name} ${before}`.trim(), after, reason }] }];
  }

  /** A block scalar in a file without a last line end: others add one to the text. */
  #unended({ range }: Scalar, value: PyValue, path: string, kind: Kind | undefined): Step[] {
    const [from = 0, to = 0] = range ?? [];
    const [before, after] = [this.text.slice(from, to), scalarText(value, kind)];
    const reason = 'the last line has no end, and others add one to the text';
    return [{ edits: [{ from, to, insert: after }], changes: [{ path, before, after, reason }] }];
  }

  /** All mappings of the file with their values, each where it is written. */
  #maps(): { map: Map; path: string; value: Readonly<Record<string, PyValue>> }[] {
    const found: { map: Map; path: string; value: Readonly<Record<string, PyValue>> }[] = [];
    const visit = (node: Node | null, value: PyValue, path: string): void => {
      if (isSeq(node) && Array.isArray(value)) {
        const items = value as readonly PyValue[];
        node.items.forEach((item, i) => visit(item as Node | null, items[i] ?? null, `${path}[${i}]`));
      }
      if (!isMap(node) || !isPyMapping(value)) return;
      found.push({ map: node as Map, path, value });
      for (const item of (node as Map).items)
        if (!isMerge(item)) visit(item.value, value[nameOf(item)] ?? null, join(path, nameOf(item)));
    };
    visit(this.#root, this.#value, '');
    return found;
  }

  #source(item: Item): string {
    return this.text.slice(this.#layout.startOf(item), this.#layout.endOf(item)).trimEnd();
  }
}

const isMerge = ({ key }: Pick<Item, 'key'>): boolean =>
  isScalar(key) && key.type === Scalar.PLAIN && key.source === '<<' && key.tag === undefined;

/** Equal for keys that Python takes for one. */
function identity({ key }: Item): string {
  if (isAlias(key) || !isScalar(key)) return `alias ${String(key?.range?.[0])}`;
  const value = key.type === Scalar.PLAIN ? readPlain(key.source ?? '').value : String(key.value);
  if (typeof value === 'boolean' || typeof value === 'number') return `number ${Number(value)}`;
  return `${typeof value} ${key.source ?? ''}`;
}

function shape(value: PyValue): string {
  if (value instanceof PyDate) return 'a date';
  if (value === null) return 'nothing';
  if (typeof value === 'string') return 'a text';
  if (typeof value === 'number') return `the number ${value}`;
  return typeof value === 'boolean' ? String(value) : 'a collection';
}
