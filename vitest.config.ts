import { defineConfig, mergeConfig } from 'vitest/config';
import viteConfig from './vite.config.ts';

/** Tests of float16, which SwiftShader does not have. */
const HALF = ['tests/unit/engine/half.test.ts', 'tests/unit/training/half.test.ts'];

/** Kernels, each beside float64. One process compiles what is the same once for all files of a project. */
const KERNELS = 'tests/unit/{engine,harness}/**/*.test.ts';

/** What is made of kernels. */
const ON_GPU = 'tests/unit/{cli,detection,lessons,models,run,training}/**/*.test.ts';

/**
 * Bounds that Dawn holds every access to, as browsers have them, cost a software adapter a quarter of the time. The kernels'
 * own tests and those in Chromium keep them.
 */
const UNBOUND = process.env['QUICK'] ? { DAWN_OPTIONS: 'enable-dawn-features=disable_robustness' } : {};

export default mergeConfig(
  viteConfig,
  defineConfig({
    test: {
      // Dawn sets environment variables of its process, which threads do not have.
      pool: 'forks',
      maxWorkers: 2,
      // Files that run in one process share its devices with all that those have compiled, and its browser.
      isolate: false,
      // A CPU-backed adapter compiles shaders for seconds; on a busy machine for minutes.
      testTimeout: 900_000,
      hookTimeout: 300_000,
      // A second is little where two cores also compile shaders.
      expect: { poll: { timeout: 60_000 } },
      passWithNoTests: true,
      projects: [
        {
          extends: true,
          test: { name: 'unit', include: ['tests/unit/**/*.test.ts'], exclude: [KERNELS, ON_GPU] },
        },
        { extends: true, test: { name: 'kernels', include: [KERNELS], exclude: HALF } },
        { extends: true, test: { name: 'gpu', include: [ON_GPU], exclude: HALF, env: UNBOUND } },
        {
          extends: true,
          test: {
            name: 'half',
            include: HALF,
            sequence: { groupOrder: 1 },
            setupFiles: ['tests/unit/half_driver.ts'],
          },
        },
        {
          extends: true,
          test: {
            name: 'browser',
            include: ['tests/browser/**/*.test.ts'],
            sequence: { groupOrder: 2 },
            setupFiles: ['tests/browser/after_each.ts'],
            maxWorkers: 1,
          },
        },
      ],
    },
  }),
);
