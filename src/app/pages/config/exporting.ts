/** What leaves the page: texts that PyYAML and YAML 1.2 read alike; the page shows them from then on. */
import { exportText, type Exported } from '../../../config/canonical';
import { EditError } from '../../../config/edit';
import { readConfig } from '../../../config/settings';

export interface Leaving extends Pick<Exported, 'text' | 'edits'> {
  /** What the person has to know of it: a sentence without its subject. */
  readonly said?: string;
}

/** A file that nobody can read, or that cannot be written for all readers, goes as it is. */
export function forAllReaders(text: string): Leaving {
  if (readConfig(text).errors.length > 0) return { text, edits: [] };
  try {
    const { text: after, edits, changes } = exportText(text);
    const [first] = changes;
    if (!first) return { text, edits: [] };
    const more = changes.length > 1 ? `, and ${changes.length - 1} more` : '';
    const what = `${first.path || 'the file'}: ${first.before} became ${first.after || 'nothing'}${more}`;
    return {
      text: after,
      edits,
      said: `was written so that all readers of YAML agree (${what}), here and in what was saved`,
    };
  } catch (error) {
    if (!(error instanceof EditError)) throw error;
    return {
      text,
      edits: [],
      said: `was saved as it is, and readers of YAML disagree about it: ${error.message}`,
    };
  }
}
