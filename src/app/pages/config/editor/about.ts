/** What is to be said of the key at a place in the text. */
import { KEY_AT } from '../../../../config/keys';
import { allowedSentence } from '../../../../config/documentation';
import { effectOf, defaultText } from '../key_text';
import type { Inspection } from '../inspection';
import type { ParsedValue } from '../parsed';
import { keyAt } from './outline';

export interface About {
  readonly path: string;
  readonly from: number;
  readonly to: number;
  readonly description: string;
  /** Type and range. */
  readonly type: string;
  readonly defaultValue: string;
  readonly effect: string;
  readonly level: 'live' | 'partial' | 'unused' | 'unknown';
  readonly seen: ParsedValue | undefined;
}

/** undefined where there is no key. The inspection may be missing, or of a text that is rejected. */
export function aboutAt(text: string, offset: number, inspection: Inspection | undefined): About | undefined {
  const entry = inspection?.entries.findLast(({ key, value }) => key.from <= offset && offset <= value.to);
  const outlined = entry ? undefined : keyAt(text, offset);
  const path = entry?.path ?? outlined?.path;
  if (path === undefined) return undefined;
  const key = KEY_AT.get(path);
  const seen = inspection?.seen.find((one) => one.path === path && one.written !== undefined);
  // Sections speak for themselves.
  if (!key && seen?.effect !== 'unknown') return undefined;
  return {
    path,
    from: entry?.key.from ?? outlined?.from ?? offset,
    to: entry?.key.to ?? outlined?.to ?? offset,
    description: key?.description ?? 'The trainer does not know this key and drops it.',
    type: key ? allowedSentence(key) : '',
    defaultValue: key ? defaultText(key) : '',
    effect: key ? effectOf(key) : '',
    level: key?.effect ?? 'unknown',
    seen,
  };
}

/** “The trainer reads '3e-4' (str) and uses 3.0e-4; readers of YAML 1.2 see 3.0e-4 (float).” */
export function parsedSentence({ type, read, used, elsewhere }: ParsedValue): string {
  const here =
    used === undefined
      ? `The trainer reads ${read} (${type})`
      : `The trainer reads ${read} (${type}) and uses ${used}`;
  return elsewhere === undefined ? `${here}.` : `${here}; readers of YAML 1.2 see ${elsewhere}.`;
}
