/** What leaves the page: texts that PyYAML and YAML 1.2 read alike. */
import { exportText, type Exported } from '../../../config/canonical';
import { EditError } from '../../../config/edit';
import { readConfig } from '../../../config/settings';

export interface Leaving extends Pick<Exported, 'text'> {
  /** What the person has to know of it: a sentence without its subject. */
  readonly said?: string;
}

/** A file that nobody can read, or that cannot be written for all readers, goes as it is. */
export function forAllReaders(text: string): Leaving {
  if (readConfig(text).errors.length > 0) return { text };
  try {
    const { text: after, changes } = exportText(text);
    const [first] = changes;
    if (!first) return { text };
    const more = changes.length > 1 ? `, and ${changes.length - 1} more` : '';
    const what = `${first.path || 'the file'}: ${first.before} became ${first.after || 'nothing'}${more}`;
    return {
      text: after,
      said: `was saved so that all readers of YAML agree (${what}). The text here is as it was.`,
    };
  } catch (error) {
    if (!(error instanceof EditError)) throw error;
    return { text, said: `was saved as it is, and readers of YAML disagree about it: ${error.message}.` };
  }
}
