// The same library; the build binds it to the embedded bytes, whatever conditions a bundler sets.
export * from './index.js';
