/** Where keys stand in a text, by its lines and their indentation: also in a text that is no YAML yet. */

export interface OutlineKey {
  /** Names joined with dots. */
  readonly path: string;
  readonly indent: number;
  /** Counted from 0. */
  readonly line: number;
  readonly from: number;
  readonly to: number;
  /** Offset at which the value may start: behind the colon and one blank. */
  readonly value: number;
}

const KEY = /^( *)("(?:[^"\\]|\\.)*"|'[^']*'|[^\s#:"'[\]{},&*!|>%@`-][^\s#:]*)\s*:(?: |$)/;

/** Lines that are looked at: longer texts are no configurations. */
const MAX_LINES = 5000;

export function outline(text: string): OutlineKey[] {
  const keys: OutlineKey[] = [];
  const open: OutlineKey[] = [];
  let from = 0;
  for (const [line, content] of text.split('\n', MAX_LINES).entries()) {
    const match = KEY.exec(content);
    if (match) {
      const [all, blanks = '', quoted = ''] = match;
      const indent = blanks.length;
      while (open.length > 0 && (open.at(-1)?.indent ?? 0) >= indent) open.pop();
      const name = quoted.replace(/^(["'])(.*)\1$/, '$2');
      const above = open.at(-1);
      const key = {
        path: above ? `${above.path}.${name}` : name,
        indent,
        line,
        from: from + indent,
        to: from + indent + quoted.length,
        value: from + all.length,
      };
      keys.push(key);
      open.push(key);
    }
    from += content.length + 1;
  }
  return keys;
}

/** The key in whose line an offset lies. */
export function keyAt(text: string, offset: number): OutlineKey | undefined {
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  return outline(text.slice(0, endOfLine(text, offset))).findLast(({ from }) => from >= start);
}

const endOfLine = (text: string, offset: number): number => {
  const end = text.indexOf('\n', offset);
  return end < 0 ? text.length : end;
};

/** The section in which a key at this line and indentation would stand; '' for the whole file. */
export const parentAt = (keys: readonly OutlineKey[], line: number, indent: number): string =>
  keys.findLast((key) => key.line < line && key.indent < indent)?.path ?? '';
