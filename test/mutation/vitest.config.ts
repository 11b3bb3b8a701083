import { defineConfig } from 'vitest/config';

/** Tests of src/ by itself: not those of dist/, of the command line, of tools, or that read the kernel's text. */
export default defineConfig({
  test: {
    include: ['test/*.test.ts'],
    exclude: [
      'test/kernel-loops.test.ts',
      'test/slots.test.ts',
      'test/abi.test.ts',
      'test/oracle.test.ts',
      'test/options-docs.test.ts',
      // of the kernel's numbers, which scripts/mutation.mjs kernel mutates
      'test/sweep.test.ts',
      'test/bounds.test.ts',
      'test/vectors.test.ts',
    ],
    testTimeout: 60_000,
  },
});
