import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ESLint } from 'eslint';
import { afterAll, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const project = mkdtempSync(join(tmpdir(), 'smokescan-imports-'));
afterAll(() => rmSync(project, { recursive: true }));

/** Writes a file of a project with this one's rules, its folders made. */
function write(path: string, text: string): void {
  mkdirSync(dirname(join(project, path)), { recursive: true });
  writeFileSync(join(project, path), text);
}

/** What oxlint says with this project's configuration, by the files' names. */
function oxlint(): ReadonlyMap<string, string[]> {
  mkdirSync(join(project, 'tests/lint'), { recursive: true });
  for (const file of ['.oxlintrc.json', 'tests/lint/house.js'])
    copyFileSync(join(root, file), join(project, file));
  const program = join(root, 'node_modules/oxlint/bin/oxlint');
  let output: string;
  try {
    output = execFileSync(process.execPath, [program, '--format=json', '-A', 'no-unused-vars'], {
      cwd: project,
      encoding: 'utf8',
    });
  } catch (error) {
    output = (error as { stdout: string }).stdout;
  }
  const said = new Map<string, string[]>();
  const { diagnostics } = JSON.parse(output) as { diagnostics: { message: string; filename: string }[] };
  for (const { message, filename } of diagnostics)
    said.set(filename, [...(said.get(filename) ?? []), message]);
  return said;
}

/** Path, text, and what is said of it. */
const DIRECTION = /may not import from "\w+", only from: .* \(ARCHITECTURE\.md\)/;
const SAMPLES: readonly (readonly [path: string, text: string, said: RegExp | null])[] = [
  ['src/engine/x.ts', `import { a } from '../models/a'; a();`, DIRECTION],
  ['src/engine/ops/x.ts', `import type { A } from '../../training/protocol'; export type B = A;`, DIRECTION],
  ['src/config/x.ts', `import { a } from '../engine/a'; a();`, DIRECTION],
  ['src/config/x.ts', `import type { A } from '../training/protocol'; export type B = A;`, DIRECTION],
  ['src/models/x.ts', `import { a } from '../eeg/a'; a();`, DIRECTION],
  ['src/eeg/x.ts', `export { a } from '../config/a';`, DIRECTION],
  ['src/checkpoints/x.ts', `export * from '../training/loop';`, DIRECTION],
  ['src/eeg/x.ts', `await import('../app/state');`, DIRECTION],
  ['src/app/ui/x.ts', `import { a } from '../pages/a'; a();`, DIRECTION],
  ['src/lessons/x.ts', `import { a } from '../training/a'; a();`, DIRECTION],
  ['src/base/x.ts', `import { a } from '../engine/a'; a();`, DIRECTION],
  ['src/training/x.ts', `import { a } from '../estimate/a'; a();`, DIRECTION],
  ['src/estimate/x.ts', `import { a } from '../training/protocol'; a();`, DIRECTION],
  ['src/estimate/x.ts', `import type { A } from '../training/protocol'; export type B = A;`, DIRECTION],
  ['src/eeg/x.ts', `import { type A } from '../training/protocol'; export type B = A;`, DIRECTION],
  ['src/lessons/x.ts', `import { a } from '../app/a'; a();`, DIRECTION],
  ['src/app/x.ts', `import { a } from '../cli/node_gpu'; a();`, DIRECTION],
  ['src/cli/x.ts', `import { a } from '../app/a'; a();`, DIRECTION],
  ['src/app/X.svelte', `<script lang="ts">import { a } from '../cli/a'; a();</script>`, DIRECTION],
  ['src/models/x.ts', `new Worker(new URL('../training/worker.ts', import.meta.url));`, DIRECTION],
  ['src/models/x.ts', `export type A = import('../training/loop').A;`, DIRECTION],
  ['src/models/x.ts', `import code from '../../shaders/a.wgsl?raw'; code.trim();`, /Only engine/],
  ['src/app/x.ts', `import { a } from '../browser/app'; a();`, /not a room/],
  ['src/app/x.ts', `import { a } from '../common/a'; a();`, /not a room/],
  ['src/common/x.ts', `import { a } from '../engine/a'; a();`, /not a room/],
  ['src/engine/x.ts', `import { readFileSync } from 'node:fs'; readFileSync('a');`, /restricted/],
  ['src/app/x.ts', `import { create } from 'webgpu'; create([]);`, /restricted/],
  ['src/eeg/x.ts', `export const a = (): number => 1;`, /has a comment/],
  ['src/eeg/x.ts', `// One.\nexport function a(): number { return 1; }`, /has a comment/],
  ['src/eeg/x.ts', `/** One. */\nexport const a = (): number => 1;`, null],
  ['src/engine/ops/x.ts', `import code from '../../../shaders/a.wgsl?raw'; code.trim();`, null],
  ['src/engine/ops/x.ts', `import { a } from '../graph'; a();`, null],
  ['src/engine/x.ts', `import { a } from '../base/random'; a();`, null],
  ['src/models/x.ts', `import { a } from '../engine/graph'; a();`, null],
  ['src/training/x.ts', `import { a } from '../models/detector'; a();`, null],
  ['src/training/x.ts', `import { a } from '../checkpoints/store'; a();`, null],
  ['src/estimate/x.ts', `import { a } from '../models/detector'; a();`, null],
  ['src/estimate/x.ts', `import { a } from '../config/schema'; a();`, null],
  ['src/lessons/x.ts', `import { a } from '../app/ui/format'; a();`, null],
  ['src/config/x.ts', `import text from '../../configs/a.yaml?raw'; text.trim();`, null],
  ['src/config/x.ts', `import { parse } from 'yaml'; parse('');`, null],
  ['src/app/x.ts', `import { a } from '../config/schema'; a();`, null],
  ['src/app/x.ts', `new Worker(new URL('../training/worker.ts', import.meta.url));`, null],
  ['src/app/pages/X.svelte', `<script lang="ts">import { a } from '../../engine/a'; a();</script>`, null],
  ['src/cli/x.ts', `import { readFileSync } from 'node:fs'; readFileSync('a');`, null],
  ['tests/unit/x.ts', `import { a } from '../../src/engine/a'; a();`, null],
];

test('imports that go the wrong way are rejected, those that go the right way pass', async () => {
  // Files of a folder need names of their own.
  const named = SAMPLES.map(([path, text, said], i) => ({
    path: path.replace(/x(?=\.\w+$)/i, `x${i}`),
    text,
    said,
  }));
  for (const { path, text } of named) write(path, text);
  const said = oxlint();
  // oxlint reads no Svelte.
  const eslint = new ESLint({
    cwd: root,
    overrideConfig: { languageOptions: { parserOptions: { projectService: false } } },
    ruleFilter: ({ ruleId }) => ['house/import-direction', 'no-restricted-imports'].includes(ruleId),
  });
  for (const { path, text, said: expected } of named) {
    const messages = path.endsWith('.svelte')
      ? (await eslint.lintText(text, { filePath: join(root, path) })).flatMap(({ messages }) =>
          messages.map(({ message }) => message),
        )
      : (said.get(path) ?? []);
    expect(messages, `${path}: ${text}`).toEqual(expected === null ? [] : [expect.stringMatching(expected)]);
  }
});
