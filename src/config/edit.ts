/**
 * Changes of a file's values as edits of its text: what an edit does not touch (comments, order, alignment, anchors, line
 * ends) stays byte for byte.
 */
import type { Change } from './change';
import { Editor, parsed } from './editor';
import { EditError } from './layout';
import { Pieces, type Edit } from './pieces';
import { sameValue } from './plain';
import { readConfig } from './settings';

export { EditError } from './layout';
export type { Edit } from './pieces';

/**
 * The file with other values. Throws EditError where the file cannot be read or a change would change more than its key.
 * An alias (`*name`) or a merged key (`<<`) is overridden here, its anchor stays; an anchored value takes its aliases along.
 */
export const applyChanges = (text: string, changes: readonly Change[]): string => changed(text, changes).text;

/** The same as edits of `text`, in its offsets, rising and apart from each other. */
export const editsFor = (text: string, changes: readonly Change[]): Edit[] => changed(text, changes).edits();

/** Two rules whose fixes trigger each other would never end. */
const MAX_ROUNDS = 10;

/**
 * Applies the fixes that `fixesOf` has for a text, then those for what came of it, until they change nothing: a value that fits
 * the old file may be too large for the fixed one. `rounds` has the fixes of each; applied in their order they are `text`.
 * Throws EditError as `applyChanges`.
 */
export function applyFixes(
  text: string,
  fixesOf: (text: string) => readonly Change[],
): { readonly text: string; readonly rounds: readonly (readonly Change[])[] } {
  const rounds: (readonly Change[])[] = [];
  let made = text;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const more = fixesOf(made);
    const next = applyChanges(made, more);
    if (next === made) break;
    rounds.push(more);
    made = next;
  }
  return { text: made, rounds };
}

function changed(text: string, changes: readonly Change[]): Pieces {
  const pieces = new Pieces(text);
  for (const change of changes) make(pieces, change);
  return pieces;
}

function make(pieces: Pieces, change: Change): void {
  const editor = new Editor(pieces.text, change);
  const edits = editor.renamed() ?? (change.once ? editor.once() : editor.edits());
  for (const edit of edits.sort((a, b) => b.from - a.from || b.to - a.to)) pieces.apply(edit);
  verify(pieces.text, change);
  if (change.renames !== undefined && edits.length > 0 && editor.renamed() === undefined)
    make(pieces, { path: change.renames, value: undefined, reason: change.reason });
}

/** Throws EditError where the trainer would not read the new value from the text. */
function verify(text: string, { path, value }: Change): void {
  const { errors, settings } = readConfig(text);
  if (errors.length > 0)
    throw new EditError(
      `${path} cannot be changed on its own: the file could not be read any more (${errors[0]?.message ?? ''}); change it in the text`,
    );
  if (value !== undefined && !sameValue(settings.read(path), parsed(value)))
    throw new EditError(`${path} cannot be changed on its own here; change it in the text`);
}
