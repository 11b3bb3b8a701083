import { defineConfig } from 'vitest/config';

// Of these each file needs a process of its own: they mock modules, or look at what compiled code makes of detached arrays,
// which in Node 20 depends on what has run before.
const APART = ['test/arrays.test.ts', 'test/hostile.test.ts', 'test/slots.test.ts'];
// What starts programs and threads, or packs and installs: most of the time that all tests take.
const PROGRAMS = ['cli/test/**/*.test.ts', 'test/parallel/**/*.test.ts'];
const PACKAGE = ['test/package/**/*.test.ts'];
// A slow machine is no failure.
const testTimeout = 60_000;

export default defineConfig({
  test: {
    maxWorkers: '100%',
    projects: [
      { test: { name: 'apart', include: APART, testTimeout } },
      // Others share a process, which takes a third less time.
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [...APART, ...PROGRAMS, ...PACKAGE, 'test/runtimes/**'],
          isolate: false,
          testTimeout,
        },
      },
      { test: { name: 'programs', include: PROGRAMS, isolate: false, testTimeout } },
      { test: { name: 'package', include: PACKAGE, testTimeout } },
    ],
  },
});
