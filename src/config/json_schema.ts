/**
 * What an editor is told of a key. Stricter than production where that helps who writes: numbers and booleans are written as
 * such, not as texts, and keys that the trainer would drop without a word are marked.
 */
import { documentation } from './documentation';
import type { Key, Kind } from './keys';

type Json = Readonly<Record<string, unknown>>;

/** Type, range, default and documentation of one key as JSON Schema (draft 7). */
export function jsonOf(key: Key): Json {
  const type = typeOf(key.kind);
  const nullable = key.nullable ? { anyOf: [type, { type: 'null' }] } : type;
  return {
    ...nullable,
    default: key.fallback,
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
        items: { type: 'number', minimum: kind.least, maximum: kind.most },
        minItems: 2,
        maxItems: 2,
      };
    default:
      return kind satisfies never;
  }
}

interface Bounds {
  readonly least?: number;
  readonly most?: number;
  readonly above?: number;
  readonly below?: number;
}

const bounds = ({ least, most, above, below }: Bounds): Json => ({
  ...(least !== undefined && { minimum: least }),
  ...(most !== undefined && { maximum: most }),
  ...(above !== undefined && { exclusiveMinimum: above }),
  ...(below !== undefined && { exclusiveMaximum: below }),
});
