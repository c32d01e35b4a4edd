/** What the page and the command both say of a run. */
import type { RunSplit } from './protocol';

/** A sentence, without its full stop, on validation recordings that no score counts; undefined where there are none. */
export const unlabelledSentence = ({ unlabelled: { length } }: RunSplit): string | undefined =>
  length === 0
    ? undefined
    : `${length === 1 ? '1 validation recording has' : `${length} validation recordings have`} no annotations and ${length === 1 ? 'is' : 'are'} not scored`;
