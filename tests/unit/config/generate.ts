/** Random configurations in all the ways that people write YAML. */
import type { Random } from '../../../src/base/random';
import { KEYS, REQUIRED_SECTIONS, type Key } from '../../../src/config/keys';
import type { PyValue } from '../../../src/config/plain';

/** A value as it is written. */
class Raw {
  constructor(readonly raw: string) {}
}

/** As YAML texts. */
const WRONG = [
  ...[
    '300',
    '-1',
    '0',
    '1',
    '2',
    '4',
    '0.9',
    '1e-1',
    '1.0e-1',
    '1e5',
    '.inf',
    '-.inf',
    '.nan',
    '10000000000',
  ],
  ...['null', '[]', '[4, 5]', '[3, x]', '[0.1, 200]', '[9, 1]', '{}', '{a: 1}', '2025-01-19', '12:30', '08'],
  ...['yes', '"true"', '"0.5"', '" 7 "', "'1_0'", '"5.0"', '5.0', 'adam', 'Adamw', 'cpu', 'mps', 'on', '~/x'],
  ...['1.0', '"1.0"', '0.5', '99999999999999999999', '1.5', '"-0"', 'x'],
].map((raw) => new Raw(raw));

export class Generator {
  readonly newline: string;
  readonly #step: string;
  #anchors = 0;

  /** `wrong`: the share of values that are as likely wrong as not; all others are then ones that the trainer takes. */
  constructor(
    private readonly random: Random,
    private readonly wrong?: number,
  ) {
    this.newline = this.chance(0.2) ? '\r\n' : '\n';
    this.#step = ' '.repeat(this.pick([2, 2, 2, 4, 3]));
  }

  chance(share: number): boolean {
    return this.random.uniform(0, 1) < share;
  }

  pick<T>(of: readonly T[]): T {
    return of[Math.min(of.length - 1, Math.floor(this.random.uniform(0, of.length)))] as T;
  }

  #any(key: Key): PyValue | Raw {
    if (this.wrong === undefined) return this.value(key);
    return this.chance(this.wrong) ? this.pick(WRONG) : this.#right(key);
  }

  #right({ kind, defaultValue, nullable }: Key): PyValue | Raw {
    if (nullable && this.chance(0.3)) return null;
    const within = (min = 0, max = min + 500): number => this.random.uniform(min, max);
    switch (kind.type) {
      case 'int':
        return Math.floor(within(kind.min, kind.max));
      case 'odd':
        return 2 * Math.floor(within(kind.min, kind.max) / 2) + 1;
      case 'float':
        return this.pick([
          defaultValue,
          new Raw(within(kind.min ?? 0.01, kind.max ?? kind.below).toFixed(6)),
        ]);
      case 'bool':
        return this.chance(0.5);
      case 'choice':
        return new Raw(
          String(this.pick([...kind.of.map(String), JSON.stringify(defaultValue).replaceAll('"', '')])),
        );
      case 'text':
        return new Raw(
          this.pick(['a', 'a b', '"yes"', './a//b/', '/data/edf/train', "'3e-4'", 'ünï', "'-'", '~/x', '""']),
        );
      case 'list':
      case 'fixed':
      case 'band':
        return new Raw(JSON.stringify(defaultValue));
      default:
        return kind satisfies never;
    }
  }

  /** A value that a key of this kind may have. */
  value({ kind, defaultValue, nullable }: Key): PyValue {
    if (nullable && this.chance(0.3)) return null;
    switch (kind.type) {
      case 'int':
      case 'odd':
        return Math.floor(this.random.uniform(kind.min ?? 0, Math.min(kind.max ?? 500, 500))) | 1;
      case 'float':
        return this.pick([0.25, 3e-4, 1e-5, 2, 0.5, 1.5e-3]);
      case 'bool':
        return this.chance(0.5);
      case 'choice':
        return this.pick(kind.of);
      case 'text':
        return this.pick([
          'a',
          'yes',
          '3e-4',
          'a b',
          'x: y',
          'out/$(date)',
          '#1',
          '12:30',
          'ünï',
          '',
          ' a',
          "it's",
          '-',
          '0o17',
        ]);
      case 'list':
        return kind.item.type === 'text' ? ['taes', 'yes'] : [10, 5, 2.5].slice(0, this.pick([1, 2, 3]));
      case 'fixed':
      case 'band':
        return defaultValue;
      default:
        return kind satisfies never;
    }
  }

  /** A file with some of the keys; `whole`: with the sections that the trainer needs. */
  file(whole = false): string {
    const keys = KEYS.filter(() => this.chance(0.3));
    const lines: string[] = [];
    if (this.chance(0.1)) lines.push('---');
    if (this.chance(0.5)) lines.push('# a file');
    const sections = [...new Set(keys.map(({ path }) => path.split('.')[0] as string))];
    if (this.chance(0.3)) sections.reverse();
    const missing = REQUIRED_SECTIONS.filter((name) => whole && !sections.includes(name));
    lines.push(...missing.map((name) => `${name}: {}`));
    const text = [...lines, ...sections.flatMap((name) => this.#section(name, keys, ''))].join(this.newline);
    const end = this.chance(0.1) ? '' : this.newline.repeat(this.pick([1, 1, 2]));
    return `${this.chance(0.1) ? '\ufeff' : ''}${text}${end}`;
  }

  #section(path: string, keys: readonly Key[], indent: string): string[] {
    const below = keys.filter((key) => key.path.startsWith(`${path}.`));
    const name = this.#name(path);
    const comment = this.chance(0.2) ? this.pick([' # why', '  #']) : '';
    if (this.chance(this.wrong === undefined ? 0.05 : this.wrong / 10))
      return [`${indent}${name}:${comment}`];
    if (this.chance(0.15)) return [`${indent}${name}: ${this.#flow(path, below)}${comment}`];
    const anchor = this.chance(0.1) ? ` &s${++this.#anchors}` : '';
    const inner = indent + this.#step;
    const names = [...new Set(below.map((key) => key.path.slice(path.length + 1).split('.')[0] as string))];
    const empty = this.wrong === undefined && this.chance(0.5) ? '' : ' {}';
    if (names.length === 0) return [`${indent}${name}:${empty}${comment}`];
    return [
      `${indent}${name}:${anchor}${comment}`,
      ...names.flatMap((one) => {
        const key = below.find((known) => known.path === `${path}.${one}`);
        const lines = key ? this.#pair(key, inner) : this.#section(`${path}.${one}`, below, inner);
        if (this.chance(0.1)) lines.unshift('');
        if (this.chance(0.15)) lines.unshift(`${inner}# about ${one}`);
        return lines;
      }),
    ];
  }

  #pair(key: Key, indent: string): string[] {
    const name = this.#name(key.path);
    const value = this.#any(key);
    const comment = this.chance(0.3) ? this.pick([' # why', '   # 8 → 16', ' #x']) : '';
    const blanks = ' '.repeat(this.pick([1, 1, 1, 3]));
    const list = Array.isArray(value) ? (value as readonly PyValue[]) : undefined;
    if (list && this.chance(0.4)) {
      const inner = this.chance(0.5) ? indent : `${indent}  `;
      return [
        `${indent}${name}:${comment}`,
        ...list.map((item) => `${inner}- ${this.#inline(item)}${this.chance(0.3) ? ' # item' : ''}`),
      ];
    }
    if (typeof value === 'string' && this.chance(0.15)) {
      const lines = this.pick([
        ['first', 'second'],
        ['one', '', 'two'],
      ]);
      const head = this.pick(['|', '>', '|-', '>+', '| # head']);
      return [
        `${indent}${name}:${blanks}${head}`,
        ...lines.map((line) => (line === '' ? '' : `${indent}  ${line}`)),
      ];
    }
    if (this.chance(this.wrong === undefined ? 0.05 : this.wrong / 2)) return [`${indent}${name}:${comment}`];
    const anchor = this.chance(0.05) ? `&v${++this.#anchors} ` : '';
    const tag = typeof value === 'string' && this.chance(0.1) ? '!!str ' : '';
    const line = `${indent}${name}:${blanks}${anchor}${tag}${this.#inline(value)}${comment}`;
    return this.chance(0.04) ? [`${indent}${name}: 0`, line] : [line];
  }

  #flow(path: string, keys: readonly Key[]): string {
    const pairs = keys.map((key) => {
      const names = key.path.slice(path.length + 1).split('.');
      return names.length === 1 ? `${this.#name(key.path)}: ${this.#inline(this.#any(key))}` : undefined;
    });
    const inside = pairs
      .filter((pair) => pair !== undefined)
      .join(this.pick([', ', ' , ', ',']).concat(this.pick(['', `${this.newline}      `])));
    return `{${this.pick(['', ' '])}${inside}${inside !== '' && this.chance(0.1) ? ',' : ''}${this.pick(['', ' '])}}`;
  }

  #name(path: string): string {
    const name = path.split('.').at(-1) ?? path;
    return this.chance(0.05) ? `"${name}"` : name;
  }

  #inline(value: PyValue | Raw): string {
    if (value instanceof Raw) return value.raw;
    if (Array.isArray(value))
      return `[${(value as readonly PyValue[]).map((item) => this.#inline(item)).join(', ')}]`;
    if (value === null) return this.pick(['null', '~']);
    if (typeof value === 'boolean') return this.pick(value ? ['true', 'yes', 'On'] : ['false', 'no']);
    if (typeof value === 'number') return this.pick([String(value), JSON.stringify(String(value))]);
    const text = value as string;
    return this.pick([JSON.stringify(text), `'${text.replaceAll("'", "''")}'`]);
  }
}
