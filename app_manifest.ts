/** How the app is installed, and what the browser keeps of it. */
import type { VitePWAOptions } from 'vite-plugin-pwa';

export const INSTALLABLE: Partial<VitePWAOptions> = {
  // A newer version waits until it is asked for: src/app/ui/app_version.svelte.ts.
  registerType: 'prompt',
  injectRegister: null,
  manifest: {
    id: './',
    name: 'Smokescan',
    short_name: 'Smokescan',
    description: 'Train a seizure detector on this machine’s GPU, and prepare its production run.',
    start_url: './',
    scope: './',
    display: 'standalone',
    background_color: '#ffffff',
    theme_color: '#0b5cad',
    icons: [{ src: 'icon.svg', sizes: 'any', type: 'image/svg+xml', purpose: 'any' }],
    file_handlers: [
      { action: './', accept: { 'application/edf': ['.edf'] } },
      { action: './', accept: { 'application/bdf': ['.bdf'] } },
      { action: './', accept: { 'application/yaml': ['.yaml', '.yml'] } },
    ],
    launch_handler: { client_mode: 'focus-existing' },
  },
  // The app alone: nothing that it computes or opens goes through the service worker.
  workbox: {
    globPatterns: ['**/*.{js,css,html,svg}', 'assets/*.json'],
    inlineWorkboxRuntime: true,
    cleanupOutdatedCaches: true,
  },
};
