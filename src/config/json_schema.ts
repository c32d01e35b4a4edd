/**
 * The JSON Schema that editors read. Stricter than the trainer where that helps who writes: numbers and booleans are written as
 * such, not as texts, and keys that the trainer would silently drop are marked.
 */
import { documentation } from './documentation';
import { KEY_AT, namesBelow, REQUIRED_SECTIONS, SECTIONS, type Key, type Kind } from './keys';
import { join } from './path';

type Json = Readonly<Record<string, unknown>>;

/** The whole configuration as JSON Schema (draft 7). */
export const jsonSchema = (): Json => ({
  $schema: 'http://json-schema.org/draft-07/schema#',
  ...section(''),
});

function section(path: string): Json {
  const names = namesBelow(path);
  const required = names.filter((name) => REQUIRED_SECTIONS.includes(join(path, name)));
  const { title, description, nullable = false } = SECTIONS[path] ?? {};
  const object = {
    type: 'object',
    properties: Object.fromEntries(names.map((name) => [name, below(join(path, name))])),
    ...(required.length > 0 && { required }),
    additionalProperties: false,
    description,
    title,
  };
  return nullable ? { anyOf: [object, { type: 'null' }] } : object;
}

function below(path: string): Json {
  const key = KEY_AT.get(path);
  return key ? keySchema(key) : section(path);
}

/** Type, range, default and documentation of one key. */
function keySchema(key: Key): Json {
  const type = typeOf(key.kind);
  const nullable = key.nullable ? { anyOf: [type, { type: 'null' }] } : type;
  return {
    ...nullable,
    default: key.defaultValue,
    description: documentation(key),
    ...(key.effect === 'dead' && { deprecated: true }),
  };
}

function typeOf(kind: Kind): Json {
  switch (kind.type) {
    case 'int':
      return { type: 'integer', ...bounds(kind) };
    case 'float':
      return { type: 'number', ...bounds(kind) };
    case 'odd':
      return { type: 'integer', ...bounds(kind), not: { multipleOf: 2 } };
    case 'fixed':
      return { const: kind.value };
    case 'bool':
      return { type: 'boolean' };
    case 'text':
      return { type: 'string' };
    case 'choice':
      return { enum: kind.of };
    case 'list':
      return {
        type: 'array',
        items: typeOf(kind.item),
        ...(kind.length !== undefined && { minItems: kind.length, maxItems: kind.length }),
      };
    case 'band':
      return {
        type: 'array',
        items: { type: 'number', minimum: kind.min, maximum: kind.max },
        minItems: 2,
        maxItems: 2,
      };
    default:
      return kind satisfies never;
  }
}

interface Bounds {
  readonly min?: number;
  readonly max?: number;
  readonly above?: number;
  readonly below?: number;
}

const bounds = ({ min, max, above, below }: Bounds): Json => ({
  ...(min !== undefined && { minimum: min }),
  ...(max !== undefined && { maximum: max }),
  ...(above !== undefined && { exclusiveMinimum: above }),
  ...(below !== undefined && { exclusiveMaximum: below }),
});
