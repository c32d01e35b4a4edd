// Builds the commands for the package, where there is no Vite: all that they import in one folder, but for WebGPU, which few need.
import { build } from 'vite';
import { DEFINED } from '../../kernels_version.mjs';
import { root } from './load.mjs';

await build({
  root,
  define: DEFINED,
  configFile: false,
  publicDir: false,
  logLevel: 'warn',
  build: {
    ssr: 'src/cli/main.ts',
    outDir: 'dist-cli',
    target: 'node20',
    // Errors of strangers' machines name what they are about.
    minify: false,
  },
  ssr: { noExternal: true, external: ['webgpu'] },
});
