/** Where in a text the parts of a parsed mapping stand. */
import { isMap, isScalar, isSeq, Scalar, type Node, type Pair, type YAMLMap } from 'yaml';
import type { Edit } from './pieces';

/** A change that cannot be made in this file without changing more than it says; the sentence says why. */
export class EditError extends RangeError {}

export type Item = Pair<Node | null, Node | null>;
export type Map = YAMLMap<Node | null, Node | null>;

export const LINE_END = /\r?\n|\r/;

/** The name of a key as the trainer reads it; '' for a list or a mapping. */
export function nameOf({ key }: Pick<Item, 'key'>): string {
  if (!isScalar(key)) return '';
  // A merge key is no key; a quoted one is.
  return key.type === Scalar.PLAIN ? (key.source ?? '') : String(key.value);
}

export class Layout {
  readonly #returns: boolean;

  constructor(private readonly text: string) {
    this.#returns = text.includes('\r');
  }

  indentOf(item: Item): string {
    const key = this.startOf(item);
    return ' '.repeat(this.text.slice(this.lineStart(key), key).replace('\ufeff', '').length);
  }

  slice({ range }: Node): string {
    return this.text.slice(range?.[0], range?.[1]);
  }

  lineStart(offset: number): number {
    if (offset === 0) return 0;
    const last = (end: string): number => this.text.lastIndexOf(end, offset - 1);
    return Math.max(last('\n'), this.#returns ? last('\r') : -1) + 1;
  }

  lineFrom(offset: number): string {
    return this.text.slice(offset, this.lineEnd(offset));
  }

  /** Before the line end; with `own`, of a block scalar's end, before the one that ends it. */
  lineEnd(offset: number, own = false): number {
    if (own && this.text[offset - 1] === '\n')
      return this.text[offset - 2] === '\r' ? offset - 2 : offset - 1;
    const found = LINE_END.exec(this.text.slice(offset));
    return found ? offset + found.index : this.text.length;
  }

  afterBlanks(offset: number): number {
    return offset + (/^[ \t]*/.exec(this.text.slice(offset))?.[0].length ?? 0);
  }

  startOf(item: Item): number {
    const explicit = item.srcToken?.start?.find(({ type }) => type === 'explicit-key-ind');
    const start = item.srcToken?.start?.find(({ type }) => type === 'anchor' || type === 'tag');
    return explicit?.offset ?? start?.offset ?? item.key?.range?.[0] ?? 0;
  }

  keyEnd({ key }: Item): number {
    return key?.range?.[1] ?? 0;
  }

  /** Where the colon, an anchor and a tag in front of the value end. */
  separator(item: Item): { colon?: number; props?: number; tag?: { from: number; to: number } } {
    const tokens = item.srcToken?.sep ?? [];
    const ends = (type: string) => {
      const token = tokens.find((one) => one.type === type);
      return token && { from: token.offset, to: token.offset + token.source.length };
    };
    const [colon, anchor, tag] = [ends('map-value-ind')?.to, ends('anchor')?.to, ends('tag')];
    return {
      ...(colon !== undefined && { colon }),
      ...(anchor !== undefined && { props: anchor }),
      ...(tag && { tag }),
    };
  }

  /** Of a key whose value stands on other lines: behind the colon and what belongs to it. */
  headEnd(item: Item): number {
    const { colon, props, tag } = this.separator(item);
    return Math.max(colon ?? this.keyEnd(item), props ?? 0, tag?.to ?? 0);
  }

  /** Behind the last character of a value, without comments; of a block scalar, behind its last line end. */
  endOf(part: Item | Node | null): number {
    if (part === null) return 0;
    if ('key' in part) return Math.max(this.headEnd(part), part.value ? this.endOf(part.value) : 0);
    if ((isMap(part) || isSeq(part)) && part.flow !== true) {
      const last = part.items.at(-1) as Item | Node | undefined;
      return last ? this.endOf(last) : (part.range?.[1] ?? 0);
    }
    return part.range?.[1] ?? 0;
  }

  /** A mapping without some of its items: whole lines, or what stands between commas. */
  without(map: Map, gone: readonly Item[]): Edit[] {
    if (map.flow !== true) return gone.map((item) => this.lineOf(item, this.endOf(item)));
    const lastKept = map.items.findLastIndex((item) => !gone.includes(item));
    const edits: Edit[] = [];
    for (const [i, item] of map.items.entries()) {
      const next = map.items[i + 1];
      if (i < lastKept && next && gone.includes(item))
        edits.push({ from: this.startOf(item), to: this.startOf(next), insert: '' });
    }
    const [kept, first, last] = [map.items[lastKept], map.items[lastKept + 1], map.items.at(-1)];
    if (first && last)
      edits.push({ from: kept ? this.endOf(kept) : this.startOf(first), to: this.endOf(last), insert: '' });
    return edits;
  }

  /** From the start of an item's line to the end of the line at `end`; throws where something else stands there too. */
  lineOf(item: Item, end: number): Edit {
    const key = this.startOf(item);
    const start = this.lineStart(key);
    if (!/^[ \ufeff]*$/.test(this.text.slice(start, key)))
      throw new EditError(`${nameOf(item)} shares its line with something else; remove it in the text`);
    const from = this.text.startsWith('\ufeff', start) ? start + 1 : start;
    if (end > key && this.text[end - 1] === '\n') return { from, to: end, insert: '' };
    const line = this.lineEnd(end);
    return { from, to: line + (LINE_END.exec(this.text.slice(line, line + 2))?.[0].length ?? 0), insert: '' };
  }
}
