import { dirname, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import svelte from 'eslint-plugin-svelte';
import tseslint from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

const root = dirname(fileURLToPath(import.meta.url));

const LOW = ['config', 'models', 'eeg', 'checkpoints', 'engine', 'base'];
const RUNS = ['run', ...LOW];
const MIDDLE = ['detection', 'training', 'estimate', 'handoff', 'lessons'];

/** The rooms of src and the rooms that each may import besides itself (ARCHITECTURE.md has the picture). */
const MAY_IMPORT = {
  app: ['ui', ...MIDDLE, ...RUNS],
  cli: [...MIDDLE, ...RUNS],
  lessons: ['ui', ...RUNS],
  handoff: ['estimate', ...LOW],
  training: ['detection', ...RUNS],
  detection: RUNS,
  estimate: LOW,
  ui: RUNS,
  run: ['eeg', 'engine', 'base'],
  config: ['base'],
  models: ['engine', 'base'],
  eeg: ['engine', 'base'],
  checkpoints: ['engine', 'base'],
  engine: ['base'],
  base: [],
};

/** Rooms that import nothing of a room above, not even the types of a protocol. */
const ALONE = ['base', 'engine', 'config'];

/** Splits a path of the repository: `src/app/x.ts` is in room `app`, `src/app/ui/x.ts` in `ui`, `shaders/x.wgsl` in `shaders`. */
function roomOf(path) {
  const [top, room, ...rest] = relative(root, path).split(sep);
  if (top !== 'src') return top;
  if (room === 'app' && rest[0] === 'ui') return 'ui';
  return rest.length > 0 ? room : 'src';
}

/** Says why `from` may not import `to`, or nothing where it may. */
function refusal(from, to, path, typeOnly) {
  if (to === from || to === 'configs' || MAY_IMPORT[from]?.includes(to)) return undefined;
  if (to === 'shaders') return from === 'engine' ? undefined : 'Only engine imports shaders.';
  if (!(from in MAY_IMPORT)) return `"${from}" is not a room of src.`;
  if (!(to in MAY_IMPORT)) return `"${from}" may not import from "${to}", which is not a room of src.`;
  if (typeOnly && !ALONE.includes(from) && /[\\/]protocol(\.ts)?$/.test(path)) return undefined;
  return `"${from}" may not import from "${to}": imports go app, cli → lessons, handoff → training → detection, estimate, app/ui → run → config, models, eeg, checkpoints → engine → base.`;
}

const importDirection = {
  meta: { type: 'problem', schema: [] },
  create(context) {
    function check(node, specifier, typeOnly = false) {
      if (typeof specifier !== 'string' || !specifier.startsWith('.')) return;
      const path = resolve(dirname(context.filename), specifier.replace(/\?.*$/, ''));
      const message = refusal(roomOf(context.filename), roomOf(path), path, typeOnly);
      if (message) context.report({ node, message });
    }
    const allTypes = ({ specifiers }, kind) =>
      specifiers.length > 0 && specifiers.every((s) => s[kind] === 'type');
    return {
      ImportDeclaration: (node) =>
        check(node, node.source.value, node.importKind === 'type' || allTypes(node, 'importKind')),
      ExportNamedDeclaration: (node) =>
        check(node, node.source?.value, node.exportKind === 'type' || allTypes(node, 'exportKind')),
      ExportAllDeclaration: (node) => check(node, node.source.value, node.exportKind === 'type'),
      ImportExpression: (node) => check(node, node.source.value),
      TSImportType: (node) => check(node, node.source?.value ?? node.argument?.literal?.value, true),
      // Workers are started from `new URL('../training/worker.ts', import.meta.url)`.
      'NewExpression[callee.name="URL"][arguments.1.object.type="MetaProperty"]': (node) =>
        check(node, node.arguments[0].value),
    };
  },
};

const forNodeOnly = ['webgpu', 'playwright-core', 'vite', 'vitest', 'axe-core', '@jax-js/*', '@tensorflow/*'];

export default defineConfig(
  { ignores: ['dist/', 'coverage/', '.svelte-check/', 'tests/canary/'] },
  js.configs.recommended,
  {
    files: ['**/*.ts', '**/*.svelte'],
    extends: [tseslint.configs.recommended],
    // Directives for oxlint's rules would look unused here.
    linterOptions: { reportUnusedDisableDirectives: 'off' },
    rules: {
      // The type check knows every name, and its list is never out of date.
      'no-undef': 'off',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    },
  },
  {
    // The rules that need types; .oxlintrc.json has them for .ts, where oxlint takes a tenth of the time.
    files: ['**/*.svelte'],
    extends: [tseslint.configs.recommendedTypeCheckedOnly],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: root, extraFileExtensions: ['.svelte'] },
    },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      // A function may be async because its type is.
      '@typescript-eslint/require-await': 'off',
    },
  },
  ...svelte.configs.recommended,
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: tseslint.parser, svelteConfig } },
    rules: { 'svelte/no-at-html-tags': 'error' },
  },
  { rules: { eqeqeq: 'error' } },
  {
    files: ['src/**/*.ts', 'src/**/*.svelte'],
    plugins: { house: { rules: { 'import-direction': importDirection } } },
    rules: { 'house/import-direction': 'error' },
  },
  {
    files: ['src/**/*.ts', 'src/**/*.svelte'],
    ignores: ['src/cli/**'],
    rules: {
      'no-console': ['error', { allow: ['warn', 'error'] }],
      'no-restricted-imports': ['error', { patterns: ['node:*', ...forNodeOnly] }],
    },
  },
  {
    files: ['**/*.js', '**/*.mjs'],
    languageOptions: { globals: { console: 'readonly', process: 'readonly', URL: 'readonly' } },
  },
);
