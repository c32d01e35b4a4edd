/** Rules about keys and values as they are written: unknown, unused, repeated, read otherwise than they look. */
import { KEY_AT } from '../keys';
import { inList, listOf } from '../path';
import { sameValue, type PyScalarType } from '../plain';
import { readAs } from '../pydantic';
import { scalarText, shape } from '../scalar';
import { PLATFORMS } from '../targets';
import type { Setting, Settings } from '../settings';
import { EXPECTED } from './expected';
import { nearest } from './nearest';
import { at, NONE, remove, SOURCE, type Found, type Rule } from './rule';

function unknown({ path, written, read = null }: Setting, settings: Settings): Found[] {
  const drop = [remove(path, 'the trainer drops it silently')];
  if (written && written.keyType !== 'str')
    return at(
      path,
      `PyYAML takes this key for a ${NAMES[written.keyType]}, so the trainer cannot know it; quote or remove it`,
      { place: written.key },
    );
  const more = { ...(written && { place: written.key }), fix: drop };
  // Not what every object inherits, as `constructor`.
  const expected = Object.hasOwn(EXPECTED, path) ? EXPECTED[path] : undefined;
  if (expected) return at(path, `the trainer does not know it and drops it silently: ${expected}`, more);
  const near = nearest(path, read);
  if (!near) return at(path, 'the trainer does not know it and drops it silently; remove it', more);
  const message = `the trainer does not know it and drops it silently; the nearest that it knows is ${near}`;
  const kind = KEY_AT.get(near)?.kind;
  if (settings.read(near) !== undefined || (kind && !('value' in readAs(kind, read))))
    return at(path, message, more);
  const value = scalarText(read, kind);
  const rename = [{ path: near, value, reason: `it is written as ${path}`, renames: path }];
  return at(path, message, { ...more, fix: rename, instead: [drop] });
}

const NAMES: Readonly<Record<PyScalarType, string>> = {
  str: 'text',
  int: 'number',
  float: 'number',
  bool: 'boolean',
  null: 'null',
  date: 'date',
};

/** Keys that name files or folders. */
const PATHS = ['data.data_dir', 'data.cache_dir', 'experiment.output_dir', 'experiment.cache_dir'];

/** Names and descriptions say something to people. */
const FOR_PEOPLE = ['experiment.name', 'experiment.description'];

export const KEY_RULES: readonly Rule[] = [
  {
    id: 'unknown-key',
    severity: 'medium',
    evidence: `${SOURCE}: its pydantic models ignore what they do not declare, and nothing is logged.`,
    check: (settings) =>
      written(settings).flatMap((setting) =>
        setting.kind === 'unknown' ? unknown(setting, settings) : NONE,
      ),
  },
  {
    id: 'dead-key',
    severity: 'medium',
    evidence: `${SOURCE}: the key is declared, and no other line reads it.`,
    check: (settings) =>
      written(settings).flatMap(({ path, declaration, value }) => {
        if (declaration?.effect !== 'unused' || FOR_PEOPLE.includes(path)) return NONE;
        if (sameValue(value, declaration.defaultValue)) return NONE;
        const why = declaration.why ?? 'it is accepted and never read';
        return at(path, `ignored by the trainer: ${why}; remove it to avoid confusion`, {
          fix: [remove(path, why)],
        });
      }),
  },
  {
    id: 'duplicate-key',
    severity: 'medium',
    evidence: 'Tried with PyYAML 6.0: the last of several values counts, without a warning.',
    check: (settings) =>
      written(settings).flatMap(({ path, written: { repeated, key: place, read } }) =>
        repeated
          ? at(path, 'stands here a second time, and only this value counts', {
              place,
              fix: [{ path, value: scalarText(read), reason: 'the value that counts already', once: true }],
            })
          : NONE,
      ),
  },
  {
    id: 'shell-in-name',
    severity: 'medium',
    evidence: `${SOURCE}: values go from YAML to pydantic; no shell and no template sees them.`,
    check: (settings) =>
      written(settings).flatMap(({ path, read }) => {
        if (typeof read !== 'string' || !SHELL.test(read)) return NONE;
        const plain = withoutEnd(read.replace(SHELL_PARTS, ''));
        const reason = 'a name that is what it says';
        return at(path, 'no shell reads this: $(…) stays literal text', {
          ...(plain !== '' && !inList(path) && { fix: [{ path, value: scalarText(plain), reason }] }),
        });
      }),
  },
  {
    id: 'home-in-path',
    severity: 'high',
    targets: PLATFORMS,
    evidence: `${SOURCE}: paths go to pathlib as they are, and pathlib expands no ~.`,
    check: (settings) =>
      written(settings).flatMap(({ path, read }) =>
        PATHS.includes(path) && typeof read === 'string' && /^~(?:[^/]*)(?:\/|$)/.test(read)
          ? at(
              path,
              'the trainer expands no ~, and takes or makes a folder of that name in its own; write the path in full',
            )
          : NONE,
      ),
  },
  {
    id: 'windows-drive',
    severity: 'medium',
    targets: ['wsl2'],
    evidence:
      'Microsoft’s documentation of WSL2: files of Windows drives pass through a network protocol, and are many times slower.',
    check: (settings) =>
      PATHS.flatMap((path) =>
        /^\/mnt\/[a-z](?:\/|$)/i.test(settings.text(path))
          ? at(
              path,
              'lies on a drive of Windows, which WSL2 reads many times slower than its own; move it below Linux’s home',
            )
          : NONE,
      ),
  },
  {
    id: 'yaml-1.1',
    severity: 'low',
    evidence:
      'PyYAML’s own patterns (resolver.py), against the core schema of YAML 1.2 that editors and other tools follow.',
    check: (settings) => written(settings).flatMap((setting) => otherwise(setting, settings)),
  },
];

/** Without the separators with which it ends. */
function withoutEnd(name: string): string {
  let to = name.length;
  while (to > 0 && '-_./ '.includes(name.charAt(to - 1))) to--;
  return name.slice(0, to);
}

const SHELL = /\$\(|\$\{|`/;
const SHELL_PARTS = /\$\([^)]*\)?|\$\{[^}]*\}?|`[^`]*`?/g;

type Written = Setting & { readonly written: NonNullable<Setting['written']> };

/** Settings that stand in the file themselves. */
const written = (settings: Settings): Written[] =>
  [...settings.values()].filter((setting): setting is Written => setting.written !== undefined);

/** A plain scalar that the two versions of YAML read as different values. */
function otherwise(
  { path, elsewhere, written: { plain = '', read } }: Written,
  settings: Settings,
): readonly Found[] {
  if (!elsewhere) return NONE;
  const list = listOf(path);
  const kind = KEY_AT.get(list)?.kind;
  const value = scalarText(settings.read(list) ?? null, kind);
  const item = scalarText(read, kind?.type === 'list' ? kind.item : kind);
  // The fix of an item writes its list.
  const fixable = list !== '' && !inList(list);
  return at(
    path,
    `PyYAML reads ${plain} as ${shape(read)}, other readers as ${shape(elsewhere.value)}; write ${item}`,
    { ...(fixable && { fix: [{ path: list, value, reason: 'all readers of YAML agree on it' }] }) },
  );
}
