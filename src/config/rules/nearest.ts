/** Which key somebody meant. */
import { KEYS, SECTIONS } from '../keys';
import { letters } from '../letters';
import { isPyMapping, type PyValue } from '../plain';
import { readAs } from '../pydantic';

const SECTION_PATHS = Object.keys(SECTIONS).filter((path) => path !== '');

const last = (path: string): string => path.split('.').at(-1) ?? path;

/**
 * The known key that is likely meant: one that takes this value, has the same name elsewhere, or is few letters away, in the
 * same section first. A section for a mapping.
 */
export function nearest(path: string, value: PyValue): string | undefined {
  const candidates = isPyMapping(value)
    ? SECTION_PATHS
    : KEYS.filter(({ kind, nullable }) => 'value' in readAs(kind, value, nullable)).map((key) => key.path);
  const name = last(path).toLowerCase();
  const parent = path.split('.').slice(0, -1).join('.');
  const near = candidates
    .map((candidate) => {
      const same = candidate.startsWith(`${parent}.`) || parent === '';
      return { candidate, distance: edits(last(candidate), name) + (same ? 0 : 0.5) };
    })
    .reduce<{ candidate: string; distance: number } | undefined>(
      (best, one) => (best === undefined || one.distance < best.distance ? one : best),
      undefined,
    );
  return near && near.distance <= Math.max(1.5, name.length / 3) ? near.candidate : undefined;
}

/** Letters apart; _ and - cost nothing. */
const edits = (one: string, other: string): number =>
  letters(one.replace(/[-_]/g, ''), other.replace(/[-_]/g, ''));
