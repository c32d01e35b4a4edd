import { HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import type { Extension } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { tags } from '@lezer/highlight';

const wavy = (colour: string) => ({
  backgroundImage: 'none',
  paddingBottom: '0',
  textDecoration: `underline wavy var(${colour})`,
  textDecorationSkipInk: 'none',
  textUnderlineOffset: '3px',
});

/** The app's tokens change with its theme, so that one set of rules does for light and dark. */
const rules = EditorView.theme({
  '&': { height: '100%', color: 'var(--text)', backgroundColor: 'var(--surface)', fontSize: '0.8125rem' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.55' },
  '.cm-content': { caretColor: 'var(--text)', padding: '0.4rem 0' },
  '.cm-cursor, .cm-dropCursor': { borderLeftColor: 'var(--text)' },
  '.cm-gutters': {
    backgroundColor: 'var(--surface)',
    color: 'var(--muted)',
    borderRight: '1px solid var(--line)',
  },
  '.cm-activeLine, .cm-activeLineGutter': {
    backgroundColor: 'color-mix(in srgb, var(--sunken) 70%, transparent)',
  },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    background: 'color-mix(in srgb, var(--accent-faint) 55%, transparent) !important',
  },
  '.cm-selectionMatch': { backgroundColor: 'var(--accent-soft)' },
  '.cm-searchMatch': { backgroundColor: 'var(--accent-soft)', outline: '1px solid var(--accent-faint)' },
  '.cm-searchMatch-selected': { backgroundColor: 'var(--accent-faint)' },
  '.cm-specialChar': { color: 'var(--fatal)' },
  '.cm-lintRange-error': wavy('--fatal'),
  '.cm-lintRange-warning': wavy('--serious'),
  '.cm-lintRange-info': wavy('--caution'),
  '.cm-lintRange-hint': wavy('--ghost'),
  '.cm-tooltip': {
    maxWidth: 'min(32rem, 92vw)',
    border: '1px solid var(--strong-line)',
    borderRadius: 'var(--radius)',
    backgroundColor: 'var(--surface)',
    color: 'var(--text)',
    font: '0.8125rem/1.45 var(--font)',
  },
  '.cm-tooltip-section + .cm-tooltip-section, .cm-tooltip-section:not(:first-child)': {
    borderTop: '1px solid var(--line)',
  },
  '.cm-tooltip-lint, .about': { padding: '0.45rem 0.65rem' },
  '.about p + p': { marginTop: '0.2rem' },
  '.about .path': { fontFamily: 'var(--mono)', fontWeight: '600' },
  '.about .note': { color: 'var(--muted)' },
  '.about .unused, .about .partial, .about .unknown': { color: 'var(--caution)' },
  '.cm-diagnostic': { padding: '0.15rem 0 0.15rem 0.55rem', whiteSpace: 'normal' },
  '.cm-diagnostic-error': { borderLeft: '3px solid var(--fatal)' },
  '.cm-diagnostic-warning': { borderLeft: '3px solid var(--serious)' },
  '.cm-diagnostic-info': { borderLeft: '3px solid var(--caution)' },
  '.cm-diagnostic-hint': { borderLeft: '3px solid var(--ghost)' },
  '.cm-diagnosticAction': {
    marginLeft: '0.5rem',
    padding: '0.1rem 0.5rem',
    borderRadius: 'var(--radius)',
    border: '1px solid var(--accent)',
    backgroundColor: 'transparent',
    color: 'var(--accent)',
  },
  '.cm-tooltip.cm-tooltip-autocomplete > ul': { fontFamily: 'var(--mono)', maxHeight: '14rem' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': {
    backgroundColor: 'var(--accent-soft)',
    color: 'var(--text)',
  },
  '.cm-completionDetail': { marginLeft: '0.8rem', color: 'var(--muted)', fontStyle: 'normal' },
  '.cm-completionMatchedText': { textDecoration: 'none', fontWeight: '700' },
  '.cm-completionInfo': { padding: '0.4rem 0.6rem' },
  '.cm-panels': { backgroundColor: 'var(--sunken)', color: 'var(--text)', borderColor: 'var(--line)' },
  '.cm-panels.cm-panels-top': { borderBottom: '1px solid var(--line)' },
  '.cm-panel.cm-search': { font: '0.8125rem/1.5 var(--font)' },
  '.cm-textfield': { border: '1px solid var(--strong-line)', backgroundColor: 'var(--surface)' },
  '.cm-button': {
    border: '1px solid var(--strong-line)',
    borderRadius: 'var(--radius)',
    backgroundImage: 'none',
    backgroundColor: 'var(--surface)',
  },
});

const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: 'var(--syntax-key)' },
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--syntax-text)' },
  { tag: tags.comment, color: 'var(--muted)', fontStyle: 'italic' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--syntax-number)' },
  { tag: [tags.labelName, tags.typeName, tags.keyword, tags.meta], color: 'var(--caution)' },
  { tag: [tags.punctuation, tags.separator], color: 'var(--muted)' },
]);

export const theme: Extension = [rules, syntaxHighlighting(colours)];
