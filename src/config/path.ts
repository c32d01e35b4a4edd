/** Paths of settings: names joined with dots, items of a list as `name[0]`. */

/** The path of a name below another path. A name that could be taken for a path itself is quoted, as in `data."a.b"`. */
export function join(path: string, name: string): string {
  const own = /^[^.[\]"]+$/.test(name) ? name : JSON.stringify(name);
  return path === '' ? own : `${path}.${own}`;
}

/** The names that `join` made a path of; the path has no item of a list in it. */
export const namesOf = (path: string): string[] =>
  (path.match(/"(?:[^"\\]|\\.)*"|[^.]+/g) ?? []).map((name) =>
    name.startsWith('"') ? (JSON.parse(name) as string) : name,
  );

/** The path of the section or list that a path is in; '' at the top. */
export const parentOf = (path: string): string =>
  path.replace(/(?:\[\d+\]|\.?(?:"(?:[^"\\]|\\.)*"|[^.[\]"]+))$/, '');

/** Whether the path is that of a list's item, or in one. */
export const inList = (path: string): boolean => /\[\d+\]/.test(path);

/** The path of the list that an item is in, or the path itself. */
export const listOf = (path: string): string => path.replace(/(?:\[\d+\])+$/, '');
