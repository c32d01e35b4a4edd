/** Production's configuration as a zod schema: what pydantic accepts there, and nothing else. */
import * as z from 'zod';
import { jsonOf } from './json_schema';
import { KEY_AT, KEYS, REQUIRED_SECTIONS, SECTIONS, type Key } from './keys';
import { readAs, shown } from './lax';
import { isPyMapping, type PyValue } from './pyyaml';

// The page's policy forbids code made of texts.
z.config({ jitless: true });

const KEY_OF = new Map<unknown, Key>();

/** One key: absent, or what pydantic makes of its value. */
function leaf(key: Key): z.ZodType {
  const schema = z
    .unknown()
    .transform((given, context) => {
      const read = readAs(key.kind, given as PyValue, key.nullable);
      if ('value' in read) return read.value;
      const path = read.item === undefined ? [] : [read.item];
      context.issues.push({ code: 'custom', message: read.problem, input: given, path });
      return z.NEVER;
    })
    .optional();
  KEY_OF.set(schema, key);
  return schema;
}

interface Tree {
  [name: string]: Tree | Key;
}

const isKey = (value: Tree | Key): value is Key => typeof value['path'] === 'string';

function section(tree: Tree, path = ''): z.ZodType {
  const shape = Object.fromEntries(
    Object.entries(tree).map(([name, part]) => {
      if (isKey(part)) return [name, leaf(part)];
      const below = path === '' ? name : `${path}.${name}`;
      const required = (REQUIRED_SECTIONS as readonly string[]).includes(below);
      const inner = section(part, below);
      const nullable = SECTIONS[below]?.nullable === true ? inner.nullable() : inner;
      return [name, required ? nullable : nullable.optional()];
    }),
  );
  // Unknown keys are dropped without a word there.
  const object = z.object(shape, {
    error: ({ input }) => `${shown(input as PyValue)} is not a mapping of keys`,
  });
  return SECTIONS[path]
    ? object.meta({ description: SECTIONS[path].description, title: SECTIONS[path].title })
    : object;
}

function tree(): Tree {
  const root: Tree = {};
  for (const one of KEYS) {
    const names = one.path.split('.');
    const last = names.pop() as string;
    names.reduce((at, name) => (at[name] ??= {}) as Tree, root)[last] = one;
  }
  return root;
}

/** A whole file. */
export const CONFIG: z.ZodType = section(tree());

/** A value that production refuses. */
export interface Invalid {
  /** Names joined with dots; an item of a list as `name[0]`. */
  readonly path: string;
  /** Value and what is allowed; goes on after the path: “300 is not a whole number from 1 to 256”. */
  readonly problem: string;
}

/** All that production's validation says no to; empty where it accepts the file. */
export function invalidities(value: unknown): Invalid[] {
  const parsed = CONFIG.safeParse(value);
  const found = parsed.success ? [] : parsed.error.issues.map((issue) => invalid(issue, value));
  return [...found, ...crossed(value).filter(({ path }) => !found.some((one) => one.path === path))];
}

function invalid({ path, message }: { path: PropertyKey[]; message: string }, value: unknown): Invalid {
  const at = path.reduce<string>(
    (names, name) =>
      typeof name === 'number'
        ? `${names}[${name}]`
        : names === ''
          ? String(name)
          : `${names}.${String(name)}`,
    '',
  );
  const missing = path.length === 1 && isPyMapping(value) && !Object.hasOwn(value, at);
  return {
    path: at,
    problem: missing ? `this section is missing, and production needs it: add “${at}: {}”` : message,
  };
}

/** The value at a dotted path; undefined where there is none. */
export function valueAt(value: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (at, name) => (isPyMapping(at) && Object.hasOwn(at, name) ? at[name] : undefined),
      value,
    );
}

/**
 * The value that the trainer has for a key: what the file says as pydantic reads it, or the default. What production refuses
 * comes as it stands.
 */
export function settingAt(value: unknown, path: string): unknown {
  const given = valueAt(value, path);
  const key = KEY_AT.get(path);
  if (given === undefined) return key?.fallback;
  if (!key) return given;
  const read = readAs(key.kind, given as PyValue, key.nullable);
  return 'value' in read ? read.value : given;
}

/** Rules over two keys. */
function crossed(value: unknown): Invalid[] {
  const number = (path: string): number => {
    const read = settingAt(value, path);
    return typeof read === 'number' ? read : NaN;
  };
  const found: Invalid[] = [];
  const [on, off] = ['postprocessing.hysteresis.tau_on', 'postprocessing.hysteresis.tau_off'] as const;
  if (number(on) <= number(off))
    found.push({ path: on, problem: `${number(on)} is not above tau_off, which is ${number(off)}` });
  const [least, most] = [
    'postprocessing.duration.min_duration_s',
    'postprocessing.duration.max_duration_s',
  ] as const;
  if (number(most) < number(least))
    found.push({ path: most, problem: `${number(most)} is below min_duration_s, which is ${number(least)}` });
  const amp = 'training.mixed_precision';
  if (settingAt(value, 'experiment.device') === 'cpu' && settingAt(value, amp) === true)
    found.push({ path: amp, problem: 'true is refused together with experiment.device cpu' });
  return found;
}

/** JSON Schema (draft 7) for editors. */
export function jsonSchema(): unknown {
  return z.toJSONSchema(CONFIG, {
    target: 'draft-7',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      const key = KEY_OF.get(zodSchema);
      if (key) Object.assign(jsonSchema, jsonOf(key));
    },
  });
}
