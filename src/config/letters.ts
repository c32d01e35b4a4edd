/** Longer texts are no names that somebody mistyped. */
const MAX_LETTERS = 80;

/** Letters to insert, delete or replace to make one word of another (Levenshtein); Infinity for long texts. */
export function letters(a: string, b: string): number {
  if (Math.max(a.length, b.length) > MAX_LETTERS) return Infinity;
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(
        (row[j] ?? 0) + 1,
        (next[j - 1] ?? 0) + 1,
        (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1),
      );
    row = next;
  }
  return row[b.length] ?? 0;
}

/** Cyrillic and Greek letters, each followed by the Latin one that looks like it. */
const ALIKE = new Map(
  'аaвbеeёeкkмmнhоoрpсcтtуyхxіiїiјjѕsһhԁdԛqԝwαaβbεeηnιiκkνvοoρpτtυuχx'
    .match(/../gu)
    ?.map(([a, b]) => [a, b] as const),
);

/** A name as its letters look: in small Latin ones, whatever their case, width and script. */
export const folded = (name: string): string =>
  [...name.normalize('NFKC').toLowerCase()].map((letter) => ALIKE.get(letter) ?? letter).join('');

/** The word that is likely meant: one that looks or starts alike, or is few letters away; undefined where none is near. */
export function nearestOf(written: string, words: readonly string[]): string | undefined {
  const given = folded(written);
  const [best] = words
    .map((word) => ({ word, apart: word.startsWith(given) ? 0 : letters(word, given) }))
    .filter(({ apart }) => apart <= given.length / 2)
    .sort((a, b) => a.apart - b.apart);
  return best?.word;
}
