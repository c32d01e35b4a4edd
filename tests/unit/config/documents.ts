/** Random YAML documents in all of its styles, right and slightly wrong. */
import type { Random } from '../../../src/base/random';

const PLAIN = [
  'a',
  'b c',
  'yes',
  '3e-4',
  '12:30',
  '1_000',
  '08',
  '~',
  '',
  'null',
  'x#y',
  'a:b',
  '2001-12-14',
  '.5',
  'é',
  "it's",
  '0o17',
  'on',
  '-',
  '?x',
];
const ODD = [
  'x: y',
  '- z',
  '2001-99-99',
  '=',
  '0b_',
  '[',
  '}',
  '@x',
  '%x',
  '*none',
  'a, b',
  '!x',
  '&',
  '?',
  '? x',
  ': x',
  'a ',
  '"',
  '`x',
];
const TAGS = ['!!str ', '!!int ', '!!float ', '!!bool ', '!!null ', '! ', '!own '];
const KEYS = ['a', 'b', 'c', 'd e', 'f', 'g', 'é', '"q"', "'s'"];
const ODD_KEYS = ['yes', '1', '~', '2001-12-14', '<<', '1.5', '=', 'a', '"x y"'];
export function documents(random: Random, count: number): string[] {
  return Array.from({ length: count }, () => new Writer(random).document());
}

class Writer {
  #anchors = 0;

  constructor(private readonly random: Random) {}

  #chance(share: number): boolean {
    return this.random.uniform(0, 1) < share;
  }

  #pick<T>(of: readonly T[]): T {
    return of[Math.min(of.length - 1, Math.floor(this.random.uniform(0, of.length)))] as T;
  }

  document(): string {
    const mapping = this.#chance(0.9);
    const body = mapping ? this.#map('', 0) : this.#seq('', 0);
    const newline = this.#chance(0.15) ? '\r\n' : '\n';
    const head = this.#chance(0.1) ? ['# head', '---'] : this.#chance(0.05) ? ['%YAML 1.1', '---'] : [];
    const tail = this.#chance(0.05) ? [this.#pick(['...', '---', '# end'])] : [];
    const text = [...head, ...body, ...tail].join(newline);
    return `${mapping && this.#chance(0.05) ? '\ufeff' : ''}${text}${this.#chance(0.8) ? newline : ''}`;
  }

  #map(indent: string, depth: number): string[] {
    const lines: string[] = [];
    const count = 1 + Math.floor(this.random.uniform(0, 4));
    for (let i = 0; i < count; i++) {
      if (this.#chance(0.1)) lines.push(this.#pick(['', '# c', `${indent}# c`, '  ']));
      const key = this.#pick(this.#chance(0.15) ? ODD_KEYS : KEYS);
      if (this.#chance(0.03)) lines.push(`${indent}? ${key}`, `${indent}: ${this.#scalar()}`);
      else lines.push(...this.#pair(`${indent}${key}:`, indent, depth));
    }
    return lines;
  }

  #pair(head: string, indent: string, depth: number): string[] {
    const props = this.#anchor();
    const start = `${head}${props === '' ? '' : ` ${props.trimEnd()}`}`;
    const comment = this.#chance(0.15)
      ? this.#pick([' # c', ' # c', ' # c', '  # c', '# no comment', '\t# c'])
      : '';
    if (depth < 3 && this.#chance(0.25)) {
      const inner = indent + this.#pick(['  ', '  ', '  ', ' ', '    ', '    ', '\t', '']);
      return [`${start}${comment}`, ...this.#map(inner, depth + 1)];
    }
    if (depth < 3 && this.#chance(0.15)) {
      const inner = indent + this.#pick(['', '  ']);
      return [`${start}${comment}`, ...this.#seq(inner, depth + 1)];
    }
    if (this.#chance(0.1)) return this.#block(start, indent);
    if (this.#chance(0.06))
      return [`${start} ${this.#pick(['a', '"a', "'a"])}`, `${indent}  b${comment}`, `${indent}  c`];
    return [`${start} ${this.#chance(0.2) ? this.#flow(0) : this.#scalar()}${comment}`];
  }

  #block(start: string, indent: string): string[] {
    const header = this.#pick(['|', '>', '|-', '>-', '|+', '>+', '|2', '| # c']);
    const inner = `${indent}${this.#pick(['  ', '   '])}`;
    const body = [
      `${inner}one`,
      this.#pick(['', `${inner}two`, `${inner}  more`, `${inner}# text`, ' ']),
      `${inner}three`,
    ];
    return [`${start} ${header}`, ...body, ...(this.#chance(0.3) ? [''] : [])];
  }

  #seq(indent: string, depth: number): string[] {
    const lines: string[] = [];
    const count = 1 + Math.floor(this.random.uniform(0, 3));
    for (let i = 0; i < count; i++) {
      if (depth < 3 && this.#chance(0.2)) {
        const [first = '', ...rest] = this.#map(`${indent}  `, depth + 1);
        lines.push(`${indent}- ${first.trimStart()}`, ...rest);
      } else lines.push(`${indent}-${this.#pick([' ', '   ', ''])}${this.#scalar()}`);
    }
    return lines;
  }

  #flow(depth: number): string {
    const items = Array.from({ length: Math.floor(this.random.uniform(0, 4)) }, () => {
      // Here the parser knows better than PyYAML: pyyaml.ts says which.
      const scalar = this.#scalar().replace(/(^| )(?:-|\?x?)$/, '$1a');
      const value = depth < 2 && this.#chance(0.2) ? this.#flow(depth + 1) : scalar;
      const key = this.#pick(this.#chance(0.15) ? ODD_KEYS : KEYS);
      return this.#pick([value, `${key}: ${value}`, `${key}: ${value}`, `${key}:${value}`, `"q":${value}`]);
    });
    const inside =
      items.join(this.#pick([', ', ',', ' , ', ',\n            '])) + (this.#chance(0.1) ? ',' : '');
    return this.#chance(0.5) ? `{${inside}}` : `[${inside}]`;
  }

  #scalar(): string {
    const text = this.#pick(this.#chance(0.03) ? ODD : PLAIN);
    if (this.#chance(0.1)) return JSON.stringify(text);
    if (this.#chance(0.1)) return `'${text.replaceAll("'", "''")}'`;
    if (this.#chance(0.05)) return this.#pick(['"\\x41\\u00e9\\n"', '"a\\', '"\\q"', '"a\\/b"', "'a'b"]);
    if (this.#anchors > 0 && this.#chance(0.1))
      return `*a${1 + Math.floor(this.random.uniform(0, this.#anchors))}`;
    return `${this.#props()}${text}`;
  }

  #anchor(): string {
    return this.#chance(0.08) ? `&a${++this.#anchors} ` : '';
  }

  #props(): string {
    const anchor = this.#anchor();
    const tag = this.#chance(0.03) ? this.#pick(TAGS) : '';
    return this.#chance(0.5) ? anchor + tag : tag + anchor;
  }
}
