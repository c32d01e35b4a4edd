/**
 * YAML for the editor, line by line: colours by what PyYAML makes of a scalar, so that 3e-4 looks like the text that it is
 * and yes like a boolean. It builds no tree, so that no nesting is too deep for it.
 */
import { foldService, indentService, StreamLanguage, type StringStream } from '@codemirror/language';
import type { EditorState, Extension } from '@codemirror/state';
import { readPlain, type PyScalarType } from '../../../../config/plain';

interface State {
  /** Indentation of the line that started a block scalar (| or >); −1 outside of one. */
  block: number;
  /** The quote that is open. */
  quote: string;
  /** Brackets that are open. */
  flow: number;
}

const KEY =
  /^(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|(?:[^\s#:,[\]{}"'&*!|>%@`?-]|[-?:](?=\S))(?:[^\s:#,[\]{}]|:(?=\S)|#|[ \t]+(?=[^\s:#]))*)(?=\s*:(?:\s|$))/;
const PLAIN = /^[^\s#](?:\S|\s+(?=[^\s#]))*/;
const PLAIN_IN_FLOW = /^[^\s#,[\]{}](?:[^\s,[\]{}]|[ \t]+(?=[^\s#,[\]{}]))*/;

const COLOURS: Readonly<Record<PyScalarType, string | null>> = {
  null: 'null',
  bool: 'bool',
  int: 'number',
  float: 'number',
  date: 'number',
  str: null,
};

function quoted(stream: StringStream, state: State): string {
  for (let next = stream.next(); next; next = stream.next()) {
    if (next === '\\' && state.quote === '"') stream.next();
    else if (next === state.quote && !(next === "'" && stream.eat("'"))) {
      state.quote = '';
      break;
    }
  }
  return 'string';
}

function token(stream: StringStream, state: State): string | null {
  if (state.block >= 0) {
    if (stream.sol() && (stream.indentation() > state.block || /^\s*$/.test(stream.string))) {
      stream.skipToEnd();
      return 'string';
    }
    if (stream.sol()) state.block = -1;
  }
  if (state.quote !== '') return quoted(stream, state);
  if (stream.sol() && stream.match(/^(?:---|\.\.\.)(?=\s|$)|^%.*/)) return 'meta';
  if (stream.eatSpace()) return null;
  const spaced = stream.sol() || /\s/.test(stream.string.charAt(stream.pos - 1));
  if (spaced && stream.peek() === '#') {
    stream.skipToEnd();
    return 'comment';
  }
  if (stream.match(KEY)) return 'propertyName';
  if (stream.match(/^[&*][^\s,[\]{}]+/)) return 'labelName';
  if (stream.match(/^![^\s,[\]{}]*/)) return 'typeName';
  if (stream.match(/^[|>][-+\d]*(?=\s*(?:#.*)?$)/)) {
    state.block = stream.indentation();
    return 'keyword';
  }
  if (stream.match(/^["']/)) {
    state.quote = stream.current();
    return quoted(stream, state);
  }
  if (stream.match(/^[[{]/)) {
    state.flow++;
    return 'punctuation';
  }
  if (stream.match(/^[\]}]/)) {
    state.flow = Math.max(0, state.flow - 1);
    return 'punctuation';
  }
  if (stream.match(/^,|^[-?:](?=\s|$)/)) return 'punctuation';
  if (stream.match(state.flow > 0 ? PLAIN_IN_FLOW : PLAIN)) return COLOURS[readPlain(stream.current()).type];
  stream.next();
  return null;
}

const language = StreamLanguage.define<State>({
  name: 'yaml',
  startState: () => ({ block: -1, quote: '', flow: 0 }),
  copyState: (state) => ({ ...state }),
  token,
  languageData: { commentTokens: { line: '#' } },
});

/** Lines that are looked at for the end of a section. */
const MAX_LINES = 2000;
const indentOf = (text: string): number => /^ */.exec(text)?.[0].length ?? 0;

/** A section folds to the last of the lines below it that are indented further. */
function fold(state: EditorState, start: number): { from: number; to: number } | null {
  const line = state.doc.lineAt(start);
  if (!/\S/.test(line.text) || /^\s*#/.test(line.text)) return null;
  let to = line.to;
  const last = Math.min(state.doc.lines, line.number + MAX_LINES);
  for (let number = line.number + 1; number <= last; number++) {
    const below = state.doc.line(number);
    if (!/\S/.test(below.text)) continue;
    if (indentOf(below.text) <= indentOf(line.text)) break;
    to = below.to;
  }
  return to > line.to ? { from: line.to, to } : null;
}

export const yaml: Extension = [
  language,
  foldService.of(fold),
  // Below a key without a value its section starts.
  indentService.of((context, position) => {
    const { text } = context.lineAt(position, -1);
    return indentOf(text) + (/:\s*(?:#.*)?$/.test(text) ? context.unit : 0);
  }),
];
