/**
 * A configuration, read once: every setting by its path, as it is written and as the trainer has it. Issues, fixes, edits,
 * the form, the table of parsed values, estimates, trainings and commands all read this map.
 */
import { KEY_AT, KEYS, REQUIRED_SECTIONS, SECTIONS, type Key } from './keys';
import { PAIRS } from './pairs';
import { inList, join, listOf, parentOf } from './path';
import { isPyMapping, sameValue, type PyValue } from './plain';
import { readAs, shown } from './pydantic';
import { readYaml, type Entry, type Place, type YamlFile } from './pyyaml';
import { readCore, type CoreScalar } from './scalar';

/**
 * `set` and `default` are keys that the trainer knows, in the file or not; `section` is a mapping that it knows, or what stands
 * in its place; `unknown` stands in such a section and is dropped silently; `part` is an item of a list, or below a key or an
 * unknown mapping.
 */
export type SettingKind = 'set' | 'default' | 'section' | 'unknown' | 'part';

export interface Setting {
  /** As `join` makes it, items of a list as `name[0]`; '' is the whole file. */
  readonly path: string;
  readonly kind: SettingKind;
  /** How the key is declared; undefined where the trainer knows no such key. */
  readonly declaration: Key | undefined;
  /** Where and how the file says it; undefined where it does not, or by a merge (`<<`) alone. */
  readonly written: Entry | undefined;
  /** What PyYAML makes of the file there; undefined where the file says nothing of it. */
  readonly read: PyValue | undefined;
  /** What the trainer uses: what pydantic makes of `read`, or the default; where `read` is rejected, `read`. */
  readonly value: PyValue | undefined;
  /** What readers of YAML 1.2 make of a plain scalar, where that is something else. */
  readonly elsewhere: CoreScalar | undefined;
  /** Why the trainer's validation rejects it, after the path: “300 is not a whole number from 1 to 256”. */
  readonly problem: string | undefined;
}

/** pydantic makes an int of a float below it, and takes an int of any size. */
const LARGEST_INT = 2 ** 63;

const START: Place = { line: 1, column: 1, from: 0, to: 0 };

/** Settings by path: those of the file in its order, then the keys that keep their defaults. */
export class Settings extends Map<string, Setting> {
  /** The value that the trainer has; undefined where the path is no key of its and not in the file. */
  value(path: string): PyValue | undefined {
    return this.get(path)?.value;
  }

  /** NaN where it is none, which no comparison holds for. */
  number(path: string): number {
    const value = this.value(path);
    return typeof value === 'number' ? value : NaN;
  }

  /** '' where it is none. */
  text(path: string): string {
    const value = this.value(path);
    return typeof value === 'string' ? value : '';
  }

  /** What PyYAML makes of the file at a path; undefined where it says nothing of it. */
  read(path: string): PyValue | undefined {
    return this.get(path)?.read;
  }

  /** The same settings, as if the file said nothing of a key. */
  without(path: string): Settings {
    const declaration = KEY_AT.get(path);
    const value = declaration?.defaultValue;
    return new Settings([...this, [path, { ...NOTHING, path, kind: 'default', declaration, value }]]);
  }

  /** The same settings, in which a key that the trainer's validation rejects has no value. */
  get accepted(): Settings {
    if (this.rejected.length === 0) return this;
    return new Settings(
      [...this].map(([path, one]) => [path, this.rejects(path) ? { ...one, value: undefined } : one]),
    );
  }

  /** Those that the trainer's validation rejects; none where it accepts the file. */
  get rejected(): Setting[] {
    return [...this.values()].filter(({ problem }) => problem !== undefined);
  }

  #rejected: ReadonlySet<string> | undefined;

  /** Whether the trainer's validation rejects the value of a key, or an item of it. */
  rejects(path: string): boolean {
    this.#rejected ??= new Set(this.rejected.flatMap((one) => [one.path, listOf(one.path)]));
    return path !== '' && this.#rejected.has(path);
  }

  /** The value at a path; the key of the nearest section above it where the file has none; else the file's start. */
  placeOf(path: string): Place {
    for (let at = path; at !== ''; at = parentOf(at)) {
      const written = this.get(at)?.written;
      if (!written) continue;
      // A value that is not written, as in `key:`, is at its key.
      return at === path && written.value.to > written.value.from ? written.value : written.key;
    }
    return START;
  }
}

export interface ConfigFile extends YamlFile {
  /** Empty where the file is rejected. */
  readonly settings: Settings;
}

/** Whoever shows, checks and edits a file asks for the same text again and again. */
const RECENT = 8;
const recent = new Map<string, ConfigFile>();

/** Reads a file. Never throws: what is wrong with it is among its errors, or a problem of a setting. */
export function readConfig(text: string): ConfigFile {
  const known = recent.get(text);
  const file = known ?? read(text);
  recent.delete(text);
  recent.set(text, file);
  for (const oldest of recent.keys()) if (recent.size > RECENT) recent.delete(oldest);
  return file;
}

function read(text: string): ConfigFile {
  const file = readYaml(text);
  const { value, entries } = file;
  return { ...file, settings: value === undefined ? new Settings() : settingsIn(value, entries) };
}

type Draft = { -readonly [K in keyof Setting]: Setting[K] };

/** The settings of a file's value, with their places where `entries` says them. Exported for its tests. */
export function settingsIn(value: PyValue, entries: readonly Entry[] = []): Settings {
  const drafts = new Map<string, Draft>();
  const problems = new Map<string, string>();
  const add = (path: string, read: PyValue, written?: Entry): void => {
    const declaration = KEY_AT.get(path);
    const setting: Draft = {
      ...NOTHING,
      path,
      kind: kindOf(path),
      declaration,
      written,
      read,
      value: read,
      elsewhere: elsewhere(written),
    };
    drafts.set(path, setting);
    if (setting.kind === 'unknown' && parentOf(path) === '' && written && written.keyType !== 'str')
      problems.set(path, noName(written));
    if (!declaration) return;
    const result = readAs(declaration.kind, read, declaration.nullable);
    if (
      written?.type === 'float' &&
      declaration.kind.type === 'int' &&
      !(Math.abs(read as number) < LARGEST_INT)
    )
      problems.set(path, `${shown(read)} is a float that is too large for a whole number`);
    else if ('value' in result) setting.value = result.value;
    else problems.set(result.item === undefined ? path : `${path}[${result.item}]`, result.problem);
  };
  add('', value);
  for (const entry of entries) add(entry.path, entry.read, entry);
  const addMerged = (mapping: PyValue, above: string): void => {
    if (!isPyMapping(mapping)) return;
    for (const [name, read] of Object.entries(mapping)) {
      const path = join(above, name);
      if (!drafts.has(path)) add(path, read);
      addMerged(read, path);
    }
  };
  addMerged(value, '');
  for (const declaration of KEYS) {
    const { path, defaultValue } = declaration;
    if (drafts.has(path)) continue;
    drafts.set(path, { ...NOTHING, path, kind: 'default', declaration, value: defaultValue });
  }
  for (const [path, { nullable = false }] of Object.entries(SECTIONS)) {
    const read = drafts.get(path)?.read;
    if (read === undefined) {
      if (isPyMapping(value) && REQUIRED_SECTIONS.includes(path)) drafts.set(path, missing(path));
    } else if (!isPyMapping(read) && !(nullable && read === null))
      problems.set(
        path,
        path === '' && read === null ? 'there are no keys in it' : `${shown(read)} is not a mapping of keys`,
      );
  }
  for (const [path, problem] of problems) {
    // Items that are merged have no settings of their own.
    const setting = drafts.get(path) ?? drafts.get(parentOf(path));
    if (setting) setting.problem = problem;
  }
  for (const { path, problem } of PAIRS) {
    const setting = drafts.get(path);
    // As pydantic, which asks about two values only where it takes each.
    if (setting)
      setting.problem ??= problem((other) => (problems.has(other) ? undefined : drafts.get(other)?.value));
  }
  return new Settings(drafts);
}

const isSection = (path: string): boolean => Object.hasOwn(SECTIONS, path);

function kindOf(path: string): SettingKind {
  if (KEY_AT.has(path)) return 'set';
  if (isSection(path)) return 'section';
  return inList(path) || !isSection(parentOf(path)) ? 'part' : 'unknown';
}

/** A setting of which the file says nothing. */
const NOTHING = {
  declaration: undefined,
  written: undefined,
  read: undefined,
  value: undefined,
  elsewhere: undefined,
  problem: undefined,
} as const;

function elsewhere(written: Entry | undefined): CoreScalar | undefined {
  if (written?.plain === undefined) return undefined;
  const core = readCore(written.plain);
  // Texts of several lines are folded alike.
  if (core.type === 'str' && written.type === 'str') return undefined;
  return sameValue(core.value, written.read) ? undefined : core;
}

const missing = (path: string): Setting => ({
  ...NOTHING,
  path,
  kind: 'section',
  problem: 'this section is missing, and the trainer needs it',
});

/** The trainer hands the sections on as keyword arguments, which must be texts. */
const noName = ({ keyType }: Entry): string =>
  `PyYAML takes this key for a value of type ${keyType}, and the trainer takes texts alone for sections; quote or remove it`;
