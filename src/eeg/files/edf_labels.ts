/** Seizures among the annotations of EDF+ and BDF+, whose texts every recorder and every reader chooses. */
import { several } from '../../base/text';
import type { EdfAnnotation } from './edf/file';
import { isSeizure, type Annotations, type LabelledEvent } from './labels';

/**
 * Which texts are seizures: `text`, in any case of letters, or `start..end`, whose first starts a seizure and whose second
 * ends it. A star stands for any letters.
 */
export type SeizureTexts = readonly string[];

/** A text of a recording's annotations and how often it is there. */
export interface AnnotationText {
  readonly text: string;
  readonly count: number;
  /** How many of them give a duration. */
  readonly withDuration: number;
}

/** Texts that are offered to whoever is asked; a recorder that writes more has no words but measurements. */
const MAX_TEXTS = 200;

/** The texts of annotations, the most frequent first. */
export function textsOf(annotations: readonly EdfAnnotation[]): AnnotationText[] {
  const texts = new Map<string, { count: number; withDuration: number }>();
  for (const { text, duration } of annotations) {
    const known = texts.get(text) ?? { count: 0, withDuration: 0 };
    known.count++;
    if (duration !== null && duration > 0) known.withDuration++;
    texts.set(text, known);
  }
  return [...texts]
    .map(([text, counts]) => ({ text, ...counts }))
    .sort((a, b) => b.count - a.count)
    .slice(0, MAX_TEXTS);
}

/** Whether a text is one that needs no asking: `seizure`, `sz_…` or a label of the TUH corpora. */
export const isKnownSeizureText = (text: string): boolean => isSeizure(text.trim().toLowerCase());

/**
 * The seizures among `annotations`. `texts`: what counts beside `isKnownSeizureText`. Null where nothing says that the
 * annotations are of seizures: none of the texts is there, and none was asked for.
 */
export function edfLabels(annotations: readonly EdfAnnotation[], texts: SeizureTexts): Annotations | null {
  const wanted = texts.map((text) => text.split('..').map(matcher));
  const events: LabelledEvent[] = [];
  const open = new Map<number, number>();
  let [pointless, unended] = [0, 0];
  const add = (start: number, stop: number): unknown =>
    events.push({
      channel: null,
      start: Math.max(0, start),
      stop: Math.max(0, stop),
      label: 'seiz',
      confidence: 1,
    });
  for (const { onset, duration, text } of annotations) {
    const pair = wanted.findIndex(
      ([start, end]) => end !== undefined && (start?.(text) === true || end(text)),
    );
    const [start, end] = wanted[pair] ?? [];
    if (start?.(text) === true) {
      if (open.has(pair)) unended++;
      open.set(pair, onset);
    } else if (end?.(text) === true) {
      const from = open.get(pair);
      if (from === undefined) unended++;
      else add(from, onset);
      open.delete(pair);
    } else if (
      isKnownSeizureText(text) ||
      wanted.some(([one, end]) => end === undefined && one?.(text) === true)
    ) {
      if (duration !== null && duration > 0) add(onset, onset + duration);
      else pointless++;
    }
  }
  unended += open.size;
  const warnings: string[] = [];
  if (pointless > 0)
    warnings.push(
      `without duration, and not counted: ${several(pointless, 'annotation')} of seizures; where others mark the ends, give both texts as START..END`,
    );
  if (unended > 0) warnings.push(`${unended} marks of a seizure's start or end have no counterpart`);
  if (events.length === 0 && (annotations.length === 0 || texts.length === 0)) return null;
  return { duration: null, events, warnings };
}

function matcher(text: string): (other: string) => boolean {
  const parts = text
    .trim()
    .split('*')
    .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  const pattern = new RegExp(`^${parts.join('.*')}$`, 'i');
  return (other) => pattern.test(other.trim());
}
