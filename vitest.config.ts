import { defineConfig } from 'vitest/config';

// Of these each file needs a process of its own: they mock modules, or look at what compiled code makes of detached arrays,
// which in Node 20 depends on what has run before.
const APART = ['test/arrays.test.ts', 'test/hostile.test.ts', 'test/slots.test.ts', 'test/package/**/*.test.ts'];
const ALL = ['test/**/*.test.ts', 'cli/test/**/*.test.ts'];
// A slow machine is no failure.
const testTimeout = 60_000;

export default defineConfig({
  test: {
    maxWorkers: '100%',
    projects: [
      { test: { name: 'apart', include: APART, testTimeout } },
      // Others share a process, which takes a third less time.
      {
        test: { name: 'together', include: ALL, exclude: [...APART, 'test/runtimes/**'], isolate: false, testTimeout },
      },
    ],
  },
});
