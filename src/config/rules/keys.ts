/** Rules about keys and values as they are written: unknown, dead, repeated, read otherwise than they look. */
import { KEY_AT, KEYS } from '../keys';
import { readCore, scalarText } from '../scalar';
import { sameValue, type Entry, type PyValue } from '../pyyaml';
import { EXPECTED } from './expected';
import { nearest } from './nearest';
import { at, NONE, remove, SOURCE, type Config, type Found, type Rule } from './rule';

const isItem = ({ path }: Entry): boolean => path.includes('[');
const isSection = (path: string): boolean => KEYS.some((one) => one.path.startsWith(`${path}.`));

/** Neither a key nor a section that the trainer has, in a section that it has. */
function unknown(entry: Entry): boolean {
  const { path, keyType } = entry;
  const parent = path.split('.').slice(0, -1).join('.');
  if (isItem(entry) || (parent !== '' && !isSection(parent))) return false;
  return keyType !== 'str' || !(KEY_AT.has(path) || isSection(path));
}

function unknownFound(entry: Entry, config: Config): Found[] {
  const { path, key: place, keyType, read } = entry;
  const drop = [remove(path, 'the trainer drops it without a word')];
  if (keyType !== 'str')
    return at(
      path,
      `PyYAML takes this key for a ${NAMES[keyType]}, so the trainer cannot know it; quote or remove it`,
      {
        place,
      },
    );
  const expected = EXPECTED[path];
  if (expected)
    return at(path, `the trainer does not know it and drops it without a word: ${expected}`, {
      place,
      fix: drop,
    });
  const near = nearest(path, read);
  if (!near)
    return at(path, 'the trainer does not know it and drops it without a word; remove it', {
      place,
      fix: drop,
    });
  const message = `the trainer does not know it and drops it without a word; the nearest that it knows is ${near}`;
  if (config.given(near) || isSection(near)) return at(path, message, { place, fix: drop });
  const value = scalarText(read, KEY_AT.get(near)?.kind);
  const rename = [{ path: near, value, reason: `it is written as ${path}`, renames: path }];
  return at(path, message, { place, fix: rename, instead: [drop] });
}

const NAMES: Readonly<Record<Entry['keyType'], string>> = {
  str: 'text',
  int: 'number',
  float: 'number',
  bool: 'boolean',
  null: 'null',
  date: 'date',
};

/** Names and descriptions say something to people. */
const FOR_PEOPLE = ['experiment.name', 'experiment.description'];

export const KEY_RULES: readonly Rule[] = [
  {
    id: 'unknown-key',
    severity: 'M',
    evidence: `${SOURCE}: its pydantic models ignore what they do not declare, and nothing is logged.`,
    check: (config) => config.entries.filter(unknown).flatMap((entry) => unknownFound(entry, config)),
  },
  {
    id: 'dead-key',
    severity: 'M',
    evidence: `${SOURCE}: the key is declared, and no other line reads it.`,
    check: (config) =>
      config.entries.flatMap(({ path }) => {
        const key = KEY_AT.get(path);
        if (key?.effect !== 'dead' || FOR_PEOPLE.includes(path)) return NONE;
        if (sameValue(config.get(path), key.fallback)) return NONE;
        const why = key.why ?? 'accepted and never read';
        return at(path, `has no effect: ${why}; remove it, or know that it does nothing`, {
          fix: [remove(path, why)],
        });
      }),
  },
  {
    id: 'duplicate-key',
    severity: 'M',
    evidence: 'Tried with PyYAML 6.0: the last of several values counts, without a word.',
    check: (config) =>
      config.entries.flatMap(({ path, repeated, key: place, read }) =>
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
    severity: 'M',
    evidence: `${SOURCE}: values go from YAML to pydantic; no shell and no template sees them.`,
    check: (config) =>
      config.entries.flatMap(({ path, read }) => {
        if (typeof read !== 'string' || !SHELL.test(read)) return NONE;
        const plain = read.replace(SHELL_PARTS, '').replace(/[-_./ ]+$/, '');
        const reason = 'a name that is what it says';
        return at(path, 'no shell reads this: $(…) stays literal text', {
          ...(plain !== '' && !path.includes('[') && { fix: [{ path, value: scalarText(plain), reason }] }),
        });
      }),
  },
  {
    id: 'yaml-1.1',
    severity: 'L',
    evidence:
      'PyYAML’s own patterns (resolver.py), against the core schema of YAML 1.2 that editors and other tools follow.',
    check: (config) => config.entries.flatMap((entry) => otherwise(entry, config)),
  },
];

const SHELL = /\$\(|\$\{|`/;
const SHELL_PARTS = /\$\([^)]*\)?|\$\{[^}]*\}?|`[^`]*`?/g;

/** A plain scalar that the two versions of YAML read as different values. */
function otherwise(entry: Entry, config: Config): readonly Found[] {
  const { path, plain, read } = entry;
  if (plain === undefined || plain === '') return NONE;
  const core = readCore(plain);
  if (sameValue(core.value, read)) return NONE;
  const [root = path] = path.split('[');
  const kind = KEY_AT.get(root)?.kind;
  const list = isItem(entry) ? config.entries.find((one) => one.path === root) : undefined;
  const value = scalarText((list ?? entry).read, kind);
  const item = scalarText(read, kind?.type === 'list' ? kind.item : kind);
  const fixable = !isItem(entry) || (list !== undefined && /^[^[]*\[\d+\]$/.test(path));
  return at(
    path,
    `PyYAML reads ${plain} as ${shape(read)}, other readers as ${shape(core.value)}; write ${item}`,
    { ...(fixable && { fix: [{ path: root, value, reason: 'all readers of YAML agree on it' }] }) },
  );
}

function shape(value: PyValue): string {
  if (value === null) return 'nothing';
  if (typeof value === 'string') return 'a text';
  return typeof value === 'object' ? 'a date' : String(value);
}
