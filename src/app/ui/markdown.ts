/** The Markdown of the app's own documents as blocks: what handoff/markdown.ts and the documents made with it write. */

/** A part of a line. */
export interface Part {
  readonly kind: 'text' | 'code' | 'strong';
  readonly text: string;
}

export type Block =
  | { readonly kind: 'heading'; readonly level: number; readonly parts: readonly Part[] }
  | { readonly kind: 'paragraph' | 'quote'; readonly parts: readonly Part[] }
  | { readonly kind: 'code'; readonly text: string }
  | { readonly kind: 'list'; readonly numbered: boolean; readonly items: readonly Item[] }
  | {
      readonly kind: 'table';
      readonly head: readonly (readonly Part[])[];
      readonly rows: readonly (readonly (readonly Part[])[])[];
    };

export interface Item {
  /** Of a checklist: whether it is done. */
  readonly done: boolean | undefined;
  readonly parts: readonly Part[];
}

const ITEM = /^(- |\d+\. )(?:\[([ x])\] )?(.*)$/;

/** Code, what is strong, and characters that are escaped. */
const MARKS = /(`+)( ?)(.*?[^`])\2\1(?!`)|\*\*(.+?)\*\*|\\([^a-zA-Z0-9\s])|&amp;/g;

const unescaped = (text: string): string =>
  text.replace(/\\([^a-zA-Z0-9\s])|&amp;/g, (_, one?: string) => one ?? '&');

/** A line's text as parts: plain, code or strong. Exported for its tests. */
export function partsOf(line: string): Part[] {
  const parts: Part[] = [];
  let text = '';
  let end = 0;
  const flush = (): void => {
    if (text !== '') parts.push({ kind: 'text', text });
    text = '';
  };
  for (const { 0: all, 3: code, 4: strong, 5: escaped, index } of line.matchAll(MARKS)) {
    text += line.slice(end, index);
    end = index + all.length;
    if (code !== undefined) {
      flush();
      parts.push({ kind: 'code', text: code });
    } else if (strong !== undefined) {
      flush();
      parts.push({ kind: 'strong', text: unescaped(strong) });
    } else text += escaped ?? '&';
  }
  text += line.slice(end);
  flush();
  return parts;
}

/** Cells of a line of a table, whose own bars are escaped. */
const cellsOf = (line: string): Part[][] =>
  line
    .slice(1, -1)
    .split(/(?<!(?<!\\)(?:\\\\)*\\)\|/)
    .map((cell) => partsOf(cell.trim()));

export function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = [];
  const lines = markdown.split('\n');
  /** Takes lines as long as they are of the block. */
  const taken = (from: number, belongs: (line: string) => boolean): string[] => {
    let to = from;
    while (to < lines.length && belongs(lines[to] ?? '')) to++;
    return lines.slice(from, to);
  };
  for (let at = 0; at < lines.length;) {
    const line = lines[at] ?? '';
    const [, fence] = /^(`{3,})/.exec(line) ?? [];
    const [, hashes, title] = /^(#+) (.*)$/.exec(line) ?? [];
    if (line.trim() === '') at++;
    else if (fence !== undefined) {
      const code = taken(at + 1, (one) => one !== fence);
      blocks.push({ kind: 'code', text: code.join('\n') });
      at += code.length + 2;
    } else if (hashes !== undefined) {
      blocks.push({ kind: 'heading', level: hashes.length, parts: partsOf(title ?? '') });
      at++;
    } else if (line.startsWith('|')) {
      const [head = '', , ...rows] = taken(at, (one) => one.startsWith('|'));
      blocks.push({ kind: 'table', head: cellsOf(head), rows: rows.map(cellsOf) });
      at += rows.length + 2;
    } else if (line.startsWith('> ')) {
      const quoted = taken(at, (one) => one.startsWith('> '));
      blocks.push({ kind: 'quote', parts: partsOf(quoted.map((one) => one.slice(2)).join(' ')) });
      at += quoted.length;
    } else if (ITEM.test(line)) {
      const items = taken(at, (one) => ITEM.test(one)).map((one): Item => {
        const [, , box, text = ''] = ITEM.exec(one) ?? [];
        return { done: box === undefined ? undefined : box === 'x', parts: partsOf(text) };
      });
      blocks.push({ kind: 'list', numbered: /^\d/.test(line), items });
      at += items.length;
    } else {
      const text = taken(at, (one) => one.trim() !== '' && !/^(`{3}|#+ |\||> )/.test(one) && !ITEM.test(one));
      blocks.push({ kind: 'paragraph', parts: partsOf(text.join(' ')) });
      at += text.length;
    }
  }
  return blocks;
}
