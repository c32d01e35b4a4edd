import { defineConfig, mergeConfig } from 'vitest/config';
import viteConfig from './vite.config.ts';

export default mergeConfig(
  viteConfig,
  defineConfig({
    test: {
      // Dawn sets environment variables of its process, which threads do not have.
      pool: 'forks',
      maxWorkers: 2,
      // A CPU-backed adapter compiles shaders for seconds; on a busy machine for minutes.
      testTimeout: 900_000,
      hookTimeout: 120_000,
      // A second is little where two cores also compile shaders.
      expect: { poll: { timeout: 20_000 } },
      passWithNoTests: true,
      projects: [
        { extends: true, test: { name: 'unit', include: ['tests/unit/**/*.test.ts'] } },
        {
          extends: true,
          test: {
            name: 'browser',
            include: ['tests/browser/**/*.test.ts'],
            testTimeout: 180_000,
            hookTimeout: 180_000,
          },
        },
      ],
    },
  }),
);
