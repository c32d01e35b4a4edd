import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');

/** What a file imports or exports from files beside it, types included; TypeScript in `.svelte` files too. */
function importsOf(path: string, text: string): string[] {
  const code = path.endsWith('.svelte')
    ? [...text.matchAll(/<script[^>]*>([\s\S]*?)<\/script>/g)].map(([, script]) => script).join('\n')
    : text;
  return ts.preProcessFile(code, true, true).importedFiles.flatMap(({ fileName }) => {
    if (!fileName.startsWith('.')) return [];
    const target = resolve(dirname(path), fileName.replace(/\?.*$/, ''));
    const file = [target, `${target}.ts`, `${target}.svelte.ts`, join(target, 'index.ts')].find(
      (candidate) => existsSync(candidate) && statSync(candidate).isFile(),
    );
    return file === undefined ? [] : [file];
  });
}

/** Files that reach each other by imports, in groups: Tarjan's strongly connected components of more than one file. */
function circles(imports: ReadonlyMap<string, readonly string[]>): string[][] {
  const found: string[][] = [];
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const visit = (file: string): number => {
    const number = order.size;
    order.set(file, number);
    stack.push(file);
    let low = number;
    for (const next of imports.get(file) ?? [])
      if (!order.has(next)) low = Math.min(low, visit(next));
      else if (stack.includes(next)) low = Math.min(low, lowest.get(next) ?? order.get(next)!);
    lowest.set(file, low);
    if (low < number) return low;
    const group = stack.splice(stack.indexOf(file));
    if (group.length > 1 || imports.get(file)?.includes(file)) found.push(group.sort());
    return low;
  };
  for (const file of imports.keys()) if (!order.has(file)) visit(file);
  return found;
}

/** Every file of src with what it imports. */
const IMPORTS = new Map(
  readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|mjs|svelte)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => [file, importsOf(file, readFileSync(file, 'utf8'))]),
);

test('no two files of src import each other in a circle, be it for types alone', () => {
  // The lists of imports are there: without them nothing would be found.
  expect([...IMPORTS.values()].flat().length).toBeGreaterThan(IMPORTS.size);
  const named = circles(IMPORTS).map((group) =>
    group.map((file) => relative(root, file).split(sep).join('/')),
  );
  expect(named).toEqual([]);
});

test('ARCHITECTURE.md, the rule of lint and the files of src agree on which rooms import which', async () => {
  const { MAY_IMPORT, roomOf } = (await import(join(root, 'tests/lint/house.js'))) as {
    readonly MAY_IMPORT: Readonly<Record<string, readonly string[]>>;
    readonly roomOf: (path: string) => string;
  };
  const architecture = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');
  const [, table] = /\| room \| imports \|\n\|[-|]+\|\n((?:\|.*\|\n)+)/.exec(architecture) ?? [];
  const documented = (table ?? '')
    .trim()
    .split('\n')
    .map((row) => {
      const [, room = '', imports = ''] = row.split('|');
      return [room, imports].map((cell) => [...cell.matchAll(/`(?:app\/)?(\w+)`/g)].map(([, name]) => name));
    })
    .map(([room, imports]) => [room?.[0], imports]);
  expect(Object.fromEntries(documented)).toEqual(MAY_IMPORT);
  // What no file imports is not allowed either.
  const made = Object.fromEntries(Object.keys(MAY_IMPORT).map((room) => [room, new Set<string>()]));
  for (const [file, imports] of IMPORTS)
    for (const target of imports) made[roomOf(file)]?.add(roomOf(target));
  for (const [room, allowed] of Object.entries(MAY_IMPORT))
    expect(
      allowed.filter((other) => !made[room]!.has(other)),
      `${room} imports nothing of`,
    ).toEqual([]);
});

test('a circle is found, of types alone, in a Svelte file, and longer than two', () => {
  const path = join(root, 'src/base/x.ts');
  expect(importsOf(path, `import type { A } from './random';\nexport { b } from './quantity';`)).toEqual(
    ['random', 'quantity'].map((name) => join(root, `src/base/${name}.ts`)),
  );
  expect(importsOf(path, `type A = import('./random').Random;\nawait import('./quantity');`)).toHaveLength(2);
  const svelte = join(root, 'src/base/X.svelte');
  expect(importsOf(svelte, `<p>import</p><script lang="ts">import './random';</script>`)).toHaveLength(1);
  const graph = new Map(
    Object.entries({ a: ['b', 'd'], b: ['c'], c: ['a'], d: ['e'], e: ['f'], f: [], g: ['e', 'g'] }),
  );
  expect(circles(graph)).toEqual([['a', 'b', 'c'], ['g']]);
});
