import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig, type Plugin } from 'vite';
import { VitePWA } from 'vite-plugin-pwa';
import { INSTALLABLE } from './app_manifest.ts';
import { DEFINED } from './kernels_version.mjs';
import { HEADERS, hostFiles, POLICY_IN_PAGE } from './security_headers.ts';

/** Writes the policy into the built page too, and beside it what makes common hosts send these headers. */
export function policyInBuild(headers: typeof HEADERS): Plugin {
  return {
    name: 'policy-in-build',
    apply: 'build',
    transformIndexHtml: () => [
      {
        tag: 'meta',
        attrs: { 'http-equiv': 'Content-Security-Policy', content: POLICY_IN_PAGE },
        injectTo: 'head-prepend',
      },
    ],
    generateBundle() {
      for (const [fileName, source] of Object.entries(hostFiles(headers)))
        this.emitFile({ type: 'asset', fileName, source });
    },
  };
}

/** The name in index.html has its own style: it need not wait for the stylesheet, which is asked for as early as before. */
const STYLES_BELOW_NAME: Plugin = {
  name: 'styles-below-name',
  apply: 'build',
  transformIndexHtml: {
    order: 'post',
    handler(html) {
      const [link] = /<link rel="stylesheet"[^>]*>/.exec(html) ?? [];
      if (link === undefined) throw new Error('index.html has no stylesheet to put below the name.');
      return html.replace(link, '').replace('<noscript>', `${link}\n    <noscript>`);
    },
  },
};

/** Where a build spends its time is no warning. */
export const QUIET = { checks: { bundlerTimings: false } };

export default defineConfig({
  // Relative addresses let the built app live in any folder of a host.
  base: './',
  define: DEFINED,
  plugins: [svelte(), policyInBuild(HEADERS), STYLES_BELOW_NAME, VitePWA(INSTALLABLE)],
  worker: { format: 'es', rolldownOptions: QUIET },
  build: { rolldownOptions: QUIET },
  // Runs and checkpoints are stored per origin: on another port they would seem lost.
  server: { port: 5173, strictPort: true, headers: { ...HEADERS } },
});
