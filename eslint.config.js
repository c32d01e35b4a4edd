import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import svelte from 'eslint-plugin-svelte';
import tseslint from 'typescript-eslint';
import svelteConfig from './svelte.config.js';
import house from './tests/lint/house.js';

const root = dirname(fileURLToPath(import.meta.url));

/** What .oxlintrc.json keeps out of the browser's code. */
const { overrides } = JSON.parse(readFileSync(new URL('.oxlintrc.json', import.meta.url), 'utf8'));
const inBrowser = overrides.find(({ rules }) => 'no-restricted-imports' in rules).rules;

export default defineConfig(
  // All other files are oxlint's, which takes a tenth of the time; .oxlintrc.json has its rules.
  {
    ignores: [
      'dist/',
      'coverage/',
      '.svelte-check/',
      'tests/canary/',
      '**/*.ts',
      '!**/*.svelte.ts',
      '**/*.js',
      '**/*.mjs',
    ],
  },
  js.configs.recommended,
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
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
    // The rules that need types, for which TypeScript reads the whole program again for each component: three quarters of
    // the time. `npm test` leaves them to `npm run test:full` and `npm run lint`.
    files: ['**/*.svelte'],
    ignores: process.env['QUICK'] === '1' ? ['**'] : [],
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
    files: ['**/*.svelte', '**/*.svelte.ts'],
    plugins: { house },
    rules: { 'house/import-direction': 'error', ...inBrowser },
  },
);
