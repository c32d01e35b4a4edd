/** `npm run build:lessons`: the lessons alone, in dist-lessons, without what opens files. */
import { join } from 'node:path';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';
import { DEFINED } from './kernels_version.mjs';
import { LESSON_HEADERS } from './security_headers.ts';
import { policyInBuild, QUIET } from './vite.config.ts';

const root = import.meta.dirname;
const headers = { ...LESSON_HEADERS };

export default defineConfig({
  root: join(root, 'src/lessons/alone'),
  base: './',
  define: DEFINED,
  plugins: [svelte({ configFile: join(root, 'svelte.config.js') }), policyInBuild(headers)],
  worker: { format: 'es', rolldownOptions: QUIET },
  build: { outDir: join(root, 'dist-lessons'), emptyOutDir: true, rolldownOptions: QUIET },
  preview: { port: 4174, strictPort: true, headers },
});
