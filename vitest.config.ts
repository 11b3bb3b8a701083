import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/runtimes/**'],
    // A slow machine is no failure.
    testTimeout: 60_000,
    maxWorkers: '100%',
    // A third less time, and functions as warm as in a process that has done much.
    isolate: false,
  },
});
