// Stryker on src/, run by scripts/mutation.mjs from the repository's root.
export default {
  testRunner: 'resident',
  plugins: ['./test/mutation/resident-runner.mjs'],
  // messages are pinned where a user reads them; a mutant of a text alone tells little
  mutator: { excludedMutations: ['StringLiteral'] },
  ignorePatterns: [
    'bench',
    'examples',
    'site',
    'docs/*.svg',
    'cli',
    'test/runtimes',
    'test/mutation/node_modules',
    'build/mutation',
    'reports',
  ],
  // what is reached while tests are loaded alone: a mutant of it needs a load of its own
  ignoreStatic: process.env.MUTANTS_APART !== '1',
  coverageAnalysis: 'perTest',
  tempDirName: 'build/mutation/sandbox',
  incremental: true,
  incrementalFile: 'build/mutation/incremental.json',
  reporters: ['json', 'survivors'],
  jsonReporter: { fileName: 'build/mutation/src.json' },
  // for a loop that no longer ends: what is slow is left to its patience
  timeoutMS: 20_000 + Number(process.env.MUTANT_PATIENCE_MS),
  timeoutFactor: 0,
  concurrency: 1,
  disableTypeChecks: false,
  // none: TypeScript 7 has no JavaScript API by which the file could be rewritten
  tsconfigFile: 'test/mutation/tsconfig.json',
  checkers: [],
  allowConsoleColors: false,
  symlinkNodeModules: true,
  cleanTempDir: 'always',
};
