import { join } from 'node:path';
import { ESLint } from 'eslint';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
// Samples are no files of the project, so the rules that need types are left out.
const eslint = new ESLint({
  cwd: root,
  overrideConfig: { languageOptions: { parserOptions: { projectService: false } } },
  ruleFilter: ({ ruleId }) => ['house/import-direction', 'no-restricted-imports'].includes(ruleId),
});

/** The messages that a file with this text at this place would get. */
async function complaints(filePath: string, text: string): Promise<string[]> {
  const results = await eslint.lintText(text, { filePath: join(root, filePath) });
  return results.flatMap((result) => result.messages.map((message) => message.message));
}

const DIRECTION = /imports go app, cli →/;

describe('imports that go the wrong way are rejected', () => {
  test.each([
    ['src/engine/x.ts', `import { a } from '../models/a'; a();`],
    ['src/engine/ops/x.ts', `import type { A } from '../../training/protocol'; export type B = A;`],
    ['src/config/x.ts', `import { a } from '../engine/a'; a();`],
    ['src/config/x.ts', `import type { A } from '../training/protocol'; export type B = A;`],
    ['src/models/x.ts', `import { a } from '../eeg/a'; a();`],
    ['src/eeg/x.ts', `export { a } from '../config/a';`],
    ['src/checkpoints/x.ts', `export * from '../training/loop';`],
    ['src/eeg/x.ts', `await import('../app/state');`],
    ['src/app/ui/x.ts', `import { a } from '../pages/a'; a();`],
    ['src/lessons/x.ts', `import { a } from '../training/a'; a();`],
    ['src/base/x.ts', `import { a } from '../engine/a'; a();`],
    ['src/training/x.ts', `import { a } from '../estimate/a'; a();`],
    ['src/estimate/x.ts', `import { a } from '../training/protocol'; a();`],
    ['src/lessons/x.ts', `import { a } from '../app/a'; a();`],
    ['src/app/x.ts', `import { a } from '../cli/node_gpu'; a();`],
    ['src/cli/x.ts', `import { a } from '../app/a'; a();`],
    ['src/app/X.svelte', `<script lang="ts">import { a } from '../cli/a'; a();</script>`],
    ['src/models/x.ts', `new Worker(new URL('../training/worker.ts', import.meta.url));`],
    ['src/models/x.ts', `export type A = import('../training/loop').A;`],
  ])('%s: %s', async (filePath, text) => {
    expect(await complaints(filePath, text)).toEqual([expect.stringMatching(DIRECTION)]);
  });

  test.each([
    ['src/models/x.ts', `import code from '../../shaders/a.wgsl?raw'; code.trim();`, /Only engine/],
    ['src/app/x.ts', `import { a } from '../browser/app'; a();`, /not a room/],
    ['src/app/x.ts', `import { a } from '../common/a'; a();`, /not a room/],
    ['src/common/x.ts', `import { a } from '../engine/a'; a();`, /not a room/],
    ['src/engine/x.ts', `import { readFileSync } from 'node:fs'; readFileSync('a');`, /restricted/],
    ['src/app/x.ts', `import { create } from 'webgpu'; create([]);`, /restricted/],
  ])('%s: %s', async (filePath, text, reason) => {
    expect(await complaints(filePath, text)).toEqual([expect.stringMatching(reason)]);
  });
});

describe('imports that go the right way pass', () => {
  test.each([
    ['src/engine/ops/x.ts', `import code from '../../../shaders/a.wgsl?raw'; code.trim();`],
    ['src/engine/ops/x.ts', `import { a } from '../graph'; a();`],
    ['src/engine/x.ts', `import { a } from '../base/random'; a();`],
    ['src/models/x.ts', `import { a } from '../engine/graph'; a();`],
    ['src/training/x.ts', `import { a } from '../models/detector'; a();`],
    ['src/training/x.ts', `import { a } from '../checkpoints/store'; a();`],
    ['src/estimate/x.ts', `import { a } from '../models/detector'; a();`],
    ['src/estimate/x.ts', `import type { A } from '../training/protocol'; export type B = A;`],
    ['src/estimate/x.ts', `import { a } from '../config/schema'; a();`],
    ['src/lessons/x.ts', `import { a } from '../app/ui/format'; a();`],
    ['src/eeg/x.ts', `import { type A } from '../training/protocol'; export type B = A;`],
    ['src/config/x.ts', `import text from '../../configs/a.yaml?raw'; text.trim();`],
    ['src/config/x.ts', `import { parse } from 'yaml'; parse('');`],
    ['src/app/x.ts', `import { a } from '../config/schema'; a();`],
    ['src/app/x.ts', `new Worker(new URL('../training/worker.ts', import.meta.url));`],
    ['src/app/pages/X.svelte', `<script lang="ts">import { a } from '../../engine/a'; a();</script>`],
    ['src/cli/x.ts', `import { readFileSync } from 'node:fs'; readFileSync('a');`],
    ['tests/unit/x.ts', `import { a } from '../../src/engine/a'; a();`],
  ])('%s: %s', async (filePath, text) => {
    expect(await complaints(filePath, text)).toEqual([]);
  });
});
