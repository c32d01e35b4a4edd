/** Production's configuration as a zod schema: what pydantic accepts there, and nothing else. */
import { z } from 'zod';
import { KEYS, REQUIRED_SECTIONS, type Key, type Kind } from './keys';

/** pydantic takes numbers as texts too, in Python's spelling, with blanks around and _ between digits. */
const NUMERIC = /^\s*[-+]?(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:[eE][-+]?\d+)?\s*$/;

const numeric = z
  .string()
  .regex(NUMERIC, 'is a text that is no number')
  .transform((text) => Number(text.replaceAll('_', '')));
/** Of Python's booleans pydantic makes 0 and 1. */
const asNumber = z.union([z.number(), numeric, z.boolean().transform(Number)], {
  error: 'is no number',
});

const TRUE = ['true', 't', 'yes', 'y', 'on', '1'];
const FALSE = ['false', 'f', 'no', 'n', 'off', '0'];
const bool = z.union(
  [
    z.boolean(),
    z.union([z.literal(0), z.literal(1)]).transform(Boolean),
    z
      .string()
      .refine((text) => [...TRUE, ...FALSE].includes(text.toLowerCase()), 'is no boolean')
      .transform((text) => TRUE.includes(text.toLowerCase())),
  ],
  { error: 'is neither true nor false' },
);

interface Bounds {
  readonly least?: number;
  readonly most?: number;
  readonly above?: number;
  readonly below?: number;
}

function bounded({ least, most, above, below }: Bounds, whole: boolean): z.ZodType<number> {
  let number = whole ? z.int('is no whole number') : z.number();
  if (least !== undefined && Number.isFinite(least)) number = number.min(least, `is less than ${least}`);
  if (most !== undefined) number = number.max(most, `is more than ${most}`);
  if (above !== undefined) number = number.gt(above, `is not more than ${above}`);
  if (below !== undefined) number = number.lt(below, `is not less than ${below}`);
  return asNumber.pipe(number);
}

const same =
  (value: number | readonly number[]) =>
  (given: unknown): boolean =>
    JSON.stringify(given) === JSON.stringify(value);

function schemaOf(kind: Kind): z.ZodType {
  switch (kind.type) {
    case 'int':
      return bounded(kind, true);
    case 'float':
      return bounded(kind, false);
    case 'odd':
      return bounded(kind, true).refine((value) => value % 2 === 1, 'is not odd');
    case 'fixed': {
      const message = `is not ${JSON.stringify(kind.value)}, which is fixed`;
      return Array.isArray(kind.value)
        ? z.array(asNumber, 'is no list').refine(same(kind.value), message)
        : asNumber.refine(same(kind.value), message);
    }
    case 'bool':
      return bool;
    case 'text':
      return z.string('is no text');
    case 'choice': {
      const message = `is none of ${kind.of.join(', ')}`;
      return kind.of.every((one) => typeof one === 'string')
        ? z.enum(kind.of as [string, ...string[]], message)
        : asNumber.refine((value) => kind.of.includes(value), message);
    }
    case 'list': {
      const items = z.array(schemaOf(kind.item), 'is no list');
      return kind.length === undefined ? items : items.length(kind.length, `has not ${kind.length} items`);
    }
    default:
      return kind satisfies never;
  }
}

function describe({ kind, nullable, fallback, effect, description, unit, why }: Key): z.ZodType {
  const schema = nullable ? schemaOf(kind).nullable() : schemaOf(kind);
  const about = { description, effect, ...(unit && { unit }), ...(why && { why }) };
  return schema.optional().meta({ ...about, default: fallback });
}

interface Tree {
  [name: string]: Tree | Key;
}

const isKey = (value: Tree | Key): value is Key => typeof value['path'] === 'string';

function objectOf(tree: Tree, top = false): z.ZodType {
  const shape = Object.fromEntries(
    Object.entries(tree).map(([name, part]) => {
      if (isKey(part)) return [name, describe(part)];
      const section = objectOf(part);
      const required = top && (REQUIRED_SECTIONS as readonly string[]).includes(name);
      return [name, required ? section : section.optional()];
    }),
  );
  // Unknown keys are dropped without a word there.
  return z.object(shape, 'is no mapping');
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
export const CONFIG: z.ZodType = objectOf(tree(), true).meta({
  title: 'Configuration of the seizure detector’s production run',
});

/** A value that production refuses. */
export interface Invalid {
  readonly path: string;
  /** Goes on after the path: “is more than 256”. */
  readonly problem: string;
}

/** All that production's validation says no to; empty where it accepts the file. */
export function invalidities(value: unknown): Invalid[] {
  const parsed = CONFIG.safeParse(value);
  const found: Invalid[] = parsed.success
    ? []
    : parsed.error.issues.map(({ path, message, code }) => ({
        path: path.join('.'),
        problem:
          code === 'invalid_type' && path.length > 0 && valueAt(value, path.join('.')) === undefined
            ? 'is missing'
            : message,
      }));
  return [...found, ...crossed(value)];
}

/** The value at a dotted path; undefined where there is none. */
export function valueAt(value: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (at, name) =>
        typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[name] : undefined,
      value,
    );
}

/** What the file says or production's default. */
export function settingAt(value: unknown, path: string): unknown {
  const given = valueAt(value, path);
  const known = KEYS.find((one) => one.path === path);
  const read = given ?? known?.fallback;
  const numbers = known?.kind.type === 'int' || known?.kind.type === 'float' || known?.kind.type === 'odd';
  return numbers && typeof read === 'string' && NUMERIC.test(read) ? Number(read.replaceAll('_', '')) : read;
}

/** Rules over two keys. */
function crossed(value: unknown): Invalid[] {
  const number = (path: string): number => Number(settingAt(value, path));
  const found: Invalid[] = [];
  const [on, off] = ['postprocessing.hysteresis.tau_on', 'postprocessing.hysteresis.tau_off'] as const;
  if (number(on) <= number(off)) found.push({ path: on, problem: `is not above tau_off (${number(off)})` });
  const [least, most] = [
    'postprocessing.duration.min_duration_s',
    'postprocessing.duration.max_duration_s',
  ] as const;
  if (number(most) < number(least))
    found.push({ path: most, problem: `is below min_duration_s (${number(least)})` });
  const band = settingAt(value, 'preprocessing.bandpass');
  if (Array.isArray(band) && Number(band[0]) >= Number(band[1]))
    found.push({ path: 'preprocessing.bandpass', problem: 'does not rise' });
  return found;
}

/** JSON Schema of the same, for editors. */
export function jsonSchema(): unknown {
  return z.toJSONSchema(CONFIG, { io: 'input', unrepresentable: 'any' });
}
