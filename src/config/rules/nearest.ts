/** Which key somebody meant. */
import { KEYS, SECTIONS } from '../keys';
import { folded, letters } from '../letters';
import { isPyMapping, type PyValue } from '../plain';
import { readAs } from '../pydantic';

const SECTION_PATHS = Object.keys(SECTIONS).filter((path) => path !== '');

const last = (path: string): string => path.split('.').at(-1) ?? path;

/**
 * The known key that is likely meant: one that takes this value, has the same name elsewhere, or is few letters away, in the
 * same section first; or whatever the value, one whose name looks the same there. A section for a mapping.
 */
export function nearest(path: string, value: PyValue): string | undefined {
  const name = folded(last(path));
  const max = Math.max(1.5, name.length / 3);
  const near = (candidate: string): boolean =>
    Math.abs(last(candidate).length - name.length) <= max + PUNCTUATION;
  const parent = path.split('.').slice(0, -1).join('.');
  const candidates = isPyMapping(value)
    ? SECTION_PATHS.filter(near)
    : KEYS.filter(
        (key) =>
          (near(key.path) && 'value' in readAs(key.kind, value, key.nullable)) ||
          key.path === `${parent}.${name}`,
      ).map((key) => key.path);
  const best = candidates
    .map((candidate) => {
      const same = candidate.startsWith(`${parent}.`) || parent === '';
      return { candidate, distance: edits(last(candidate), name) + (same ? 0 : 0.5) };
    })
    .reduce<{ candidate: string; distance: number } | undefined>(
      (first, one) => (first === undefined || one.distance < first.distance ? one : first),
      undefined,
    );
  return best && best.distance <= max ? best.candidate : undefined;
}

/** How many _ and - a name may have more or less than the one that is meant. */
const PUNCTUATION = 3;

/** Letters apart; _ and - cost nothing. */
const edits = (one: string, other: string): number =>
  letters(one.replace(/[-_]/g, ''), other.replace(/[-_]/g, ''));
