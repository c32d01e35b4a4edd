/** Which files are inspected when: the latest text of each, those that belong together in one question. */
import type { Target } from '../../../config/targets';
import type { Inspection, Question } from './inspection';
import type { OpenFile } from './open_file.svelte';

/** Longer texts are no configurations; they are read by themselves, so that they hold no other file up. */
const SHARED_CHARACTERS = 100_000;

export interface Asked {
  readonly file: OpenFile;
  readonly doc: OpenFile['state']['doc'];
  readonly question: Question;
}

/** Files of one question each; none where everything is known. */
export function roundsOf(
  files: readonly OpenFile[],
  stale: ReadonlySet<string>,
  targetOf: (file: OpenFile) => Target,
): Asked[][] {
  const asked = files.map((file): Asked => {
    const base = files.find(({ id }) => id === file.base)?.current;
    return {
      file,
      doc: file.state.doc,
      question: {
        text: file.current,
        name: file.path,
        target: targetOf(file),
        ...(base !== undefined && { base }),
      },
    };
  });
  const shared = asked.filter(({ doc }) => doc.length <= SHARED_CHARACTERS);
  const alone = asked.filter(({ doc, file }) => doc.length > SHARED_CHARACTERS && stale.has(file.id));
  return [...(shared.some(({ file }) => stale.has(file.id)) ? [shared] : []), ...alone.map((one) => [one])];
}

/** Answers that are still about what the files hold. */
export const current = (
  asked: readonly Asked[],
  answers: readonly Inspection[],
): { readonly file: OpenFile; readonly inspection: Inspection }[] =>
  asked.flatMap(({ file, doc }, i) => {
    const inspection = answers[i];
    return inspection && file.state.doc === doc ? [{ file, inspection }] : [];
  });
