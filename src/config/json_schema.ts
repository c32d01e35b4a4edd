/**
 * The JSON Schema that editors read. Stricter than the trainer where that helps who writes: numbers and booleans are written as
 * such, not as texts, and keys that the trainer would silently drop are marked.
 */
import { documentation } from './documentation';
import { KEY_AT, namesBelow, REQUIRED_SECTIONS, SECTIONS, type Key, type Kind } from './keys';
import { join } from './path';

type Json = Readonly<Record<string, unknown>>;

/** The whole configuration as JSON Schema (draft 7). Its `$id` is a name, not an address: it is published nowhere. */
const jsonSchema = (): Json => ({
  $schema: 'http://json-schema.org/draft-07/schema#',
  $id: 'urn:smokescan:trainer-configuration',
  ...section(''),
});

/** The file that editors read: configs/schema.json. */
export const schemaText = (): string => `${JSON.stringify(jsonSchema(), null, 2)}\n`;

/**
 * A configuration of this path below configs/ with the comment by which yaml-language-server finds configs/schema.json
 * (https://github.com/redhat-developer/yaml-language-server, “Using inlined schema”), unless it names a schema already.
 */
export function withSchema(text: string, path: string): string {
  if (/^#\s*yaml-language-server\s*:/m.test(text)) return text;
  const up = '../'.repeat(path.replace(/^configs\//, '').split('/').length - 1);
  return `# yaml-language-server: $schema=${up}schema.json${text.includes('\r\n') ? '\r\n' : '\n'}${text}`;
}

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
    ...(key.effect === 'unused' && { deprecated: true }),
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
