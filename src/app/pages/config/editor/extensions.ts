/** CodeMirror as this page uses it. */
import {
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
} from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentLess, indentMore } from '@codemirror/commands';
import { bracketMatching, foldGutter, foldKeymap, indentUnit } from '@codemirror/language';
import { lintKeymap, type Diagnostic } from '@codemirror/lint';
import { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search';
import { EditorState, type Extension } from '@codemirror/state';
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  highlightSpecialChars,
  hoverTooltip,
  keymap,
  lineNumbers,
  type ViewUpdate,
} from '@codemirror/view';
import type { Severity } from '../../../../config/issues';
import type { Issue } from '../../../../config/issues';
import { parsedSentence, type About } from './about';
import { complete } from './completion';
import { yaml } from './language';
import { theme } from './theme';

export interface EditorHooks {
  /** What is to be said of the key at an offset of the text as it stands. */
  readonly about: (state: EditorState, offset: number) => About | undefined;
  readonly updated: (update: ViewUpdate) => void;
}

/** Tab indents for somebody who types, and otherwise goes on to what comes after the editor. */
function tabIndents(): Extension {
  let typed = false;
  return [
    EditorView.domEventHandlers({ focus: () => void (typed = false) }),
    EditorView.updateListener.of(({ transactions }) => {
      if (transactions.some((one) => one.isUserEvent('input') || one.isUserEvent('delete'))) typed = true;
    }),
    keymap.of([
      {
        key: 'Tab',
        run: (view) => typed && indentMore(view),
        shift: (view) => typed && indentLess(view),
      },
    ]),
  ];
}

export function extensions(hooks: EditorHooks): Extension {
  return [
    lineNumbers(),
    foldGutter(),
    highlightSpecialChars(),
    history(),
    drawSelection(),
    bracketMatching(),
    closeBrackets(),
    highlightActiveLine(),
    highlightActiveLineGutter(),
    highlightSelectionMatches(),
    search({ top: true }),
    autocompletion({ override: [complete], icons: false }),
    yaml,
    indentUnit.of('  '),
    EditorView.lineWrapping,
    // With a tabindex of its own, so that what scrolls can be seen to be reached by keyboard.
    EditorView.contentAttributes.of({ 'aria-label': 'Text of the configuration', tabindex: '0' }),
    // Pasted lines end as those of the file do.
    EditorView.clipboardInputFilter.of((text, state) => text.replace(/\r\n?|\n/g, state.lineBreak)),
    tabIndents(),
    keymap.of([
      ...closeBracketsKeymap,
      ...defaultKeymap,
      ...searchKeymap,
      ...historyKeymap,
      ...foldKeymap,
      ...completionKeymap,
      ...lintKeymap,
    ]),
    hoverTooltip((view, offset) => {
      const about = hooks.about(view.state, offset);
      return about
        ? { pos: about.from, end: about.to, above: true, create: () => ({ dom: aboutBox(about) }) }
        : null;
    }),
    EditorView.updateListener.of(hooks.updated),
    theme,
  ];
}

/** In a file of mixed line ends \n alone divides lines; what stands before it stays as it is. */
export const lineEnds = (mixed: boolean): Extension => (mixed ? EditorState.lineSeparator.of('\n') : []);

function aboutBox({ path, description, type, defaultValue, effect, level, seen }: About): HTMLElement {
  const box = document.createElement('div');
  box.className = 'about';
  const line = (text: string, kind: string): void => {
    const paragraph = document.createElement('p');
    paragraph.className = kind;
    paragraph.textContent = text;
    box.append(paragraph);
  };
  line(path, 'path');
  line(type === '' ? description : `${description} ${type} Default ${defaultValue}.`, '');
  if (effect !== '') line(effect, level);
  if (seen) line(parsedSentence(seen), 'note');
  return box;
}

const LEVELS: Readonly<Record<Severity, Diagnostic['severity']>> = {
  invalid: 'error',
  critical: 'error',
  high: 'warning',
  medium: 'info',
  low: 'hint',
};

/** Issues as CodeMirror underlines them; those without characters of their own are in the panel alone. */
export function diagnosticsOf(
  issues: readonly Issue[],
  length: number,
  fix: (issue: Issue) => void,
): Diagnostic[] {
  return issues
    .filter(({ place }) => place.to <= length && (place.from < place.to || place.from > 0))
    .map((issue) => ({
      from: issue.place.from,
      to: issue.place.to,
      severity: LEVELS[issue.severity],
      source: issue.id,
      message: issue.message,
      ...(issue.fix && { actions: [{ name: 'Apply fix', apply: () => fix(issue) }] }),
    }));
}
