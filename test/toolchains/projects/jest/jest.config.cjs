module.exports = {
  testMatch: ['**/*.test.cjs', '**/*.test.mjs'],
  moduleFileExtensions: ['mjs', 'cjs', 'js', 'json'],
  transform: {},
};
