/** What a file's text must be before it is parsed: characters that YAML allows, and no more of them than the parser reads quickly. */

/** Larger files are no configurations. */
export const MAX_CHARACTERS = 100_000;
/** Of nested values; also how far aliases are followed. */
export const MAX_DEPTH = 200;
/** Of the characters that part values: the parser's errors and tokens cost more than the text. */
const MAX_SEPARATORS = 10_000;
/** Said of what PyYAML reads and this reader rejects. */
export const NOT_FOLLOWED = 'Smokescan does not follow PyYAML here';

export interface RejectedText {
  readonly message: string;
  /** Offsets of the characters that are wrong. */
  readonly from: number;
  readonly to: number;
}

/** Why PyYAML or this reader rejects a text unparsed; undefined where it can be parsed. */
export function rejectedText(text: string): RejectedText | undefined {
  const found = (message: string, from = 0, to = from): RejectedText => ({ message, from, to });
  if (text.length > MAX_CHARACTERS) {
    return found(
      `the file has ${text.length.toLocaleString('en')} characters; a configuration has a few thousand. ${NOT_FOLLOWED}, and reads at most ${MAX_CHARACTERS.toLocaleString('en')}`,
    );
  }
  // eslint-disable-next-line no-control-regex
  const control = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u0084\u0086-\u009f\ufffe\uffff]/.exec(text);
  if (control) {
    return found('the file is not text: it has characters that YAML does not allow', control.index);
  }
  const separator = /[\u0085\u2028\u2029]/.exec(text);
  if (separator) {
    const code = separator[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
    return found(
      `PyYAML takes this invisible character (U+${code}) for the end of a line. ${NOT_FOLLOWED}; remove it`,
      separator.index,
    );
  }
  const depth = deepest(text);
  if (depth.levels > MAX_DEPTH) {
    return found(
      `the file is nested more than ${MAX_DEPTH} levels deep. ${NOT_FOLLOWED}; a configuration has three or four`,
      depth.offset,
    );
  }
  const many = separatorBeyond(text, MAX_SEPARATORS);
  if (many !== undefined) {
    return found(
      `the file has more than ${MAX_SEPARATORS.toLocaleString('en')} lines, commas, brackets and quotes. ${NOT_FOLLOWED}; a configuration has a few hundred`,
      many,
    );
  }
  const versions = [...text.matchAll(/^%YAML[ ]+(\d+)\.\d+/gm)];
  const wrong = versions.find(([, major], i) => major !== '1' || i > 0);
  return wrong
    ? found(
        'PyYAML reads YAML 1 alone, and takes one such line; remove this one',
        wrong.index,
        wrong.index + wrong[0].length,
      )
    : undefined;
}

/** Where the first separator beyond so many stands. */
function separatorBeyond(text: string, max: number): number | undefined {
  let count = 0;
  for (let i = 0; i < text.length; i++) if ('\n\r,[]{}"'.includes(text.charAt(i)) && ++count > max) return i;
  return undefined;
}

/** By brackets and by indentation; an upper bound, found without recursion. */
function deepest(text: string): { levels: number; offset: number } {
  let [brackets, levels, offset] = [0, 0, 0];
  const indents: number[] = [];
  for (const match of text.matchAll(/^([ ]*)((?:[-?] )*)\S|[[{\]}]/gm)) {
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
