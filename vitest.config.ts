import { defineConfig, mergeConfig } from 'vitest/config';
import viteConfig from './vite.config.ts';

/** Tests of float16, which SwiftShader does not have. */
const HALF = ['tests/unit/engine/half.test.ts', 'tests/unit/training/half.test.ts'];

/** Rooms whose tests compute on a device: one process compiles each kernel once for all of them. */
const ON_GPU = 'tests/unit/{cli,detection,engine,harness,lessons,models,run,training}/**/*.test.ts';

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
        { extends: true, test: { name: 'unit', include: ['tests/unit/**/*.test.ts'], exclude: [ON_GPU] } },
        { extends: true, test: { name: 'gpu', include: [ON_GPU], exclude: HALF } },
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
