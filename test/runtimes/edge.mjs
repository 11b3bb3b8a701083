// Hosts that take one file: the sandbox of Vercel Edge, and AWS Lambda.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './process.mjs';
import { check, checkDigest, checkParts } from './report.mjs';
import { nodes, tool, versionOf } from './setup.mjs';

export async function checkEdge(project) {
  await check('edge-runtime', versionOf('edge-runtime'), "module from the host's realm", async () => {
    const code = await bundleEdge(join(project, 'entries/edge.mjs'));
    return checkDigest(await fetchEdge(code, '/'));
  });
  await check('edge-runtime', versionOf('edge-runtime'), "/lite, module from the host's realm", async () => {
    const code = await bundleEdge(join(project, 'entries/edge-lite.mjs'));
    return checkParts(await fetchEdge(code, '/'));
  });
}

/** As Vercel bundles: a binary imported with `?module` becomes a global that the host compiles; so do the exports. */
export async function bundleEdge(entry, globalName) {
  const { build } = await tool('esbuild');
  const imported = {
    name: 'wasm-module',
    setup({ onLoad, onResolve }) {
      onResolve({ filter: /\.wasm\?module$/ }, ({ path, resolveDir }) => ({
        path: join(resolveDir, path.replace('?module', '')),
        namespace: 'wasm-module',
      }));
      onLoad({ filter: /./, namespace: 'wasm-module' }, ({ path }) => {
        binaries.push(path);
        return { contents: 'export default globalThis.importedBinary;' };
      });
    },
  };
  const binaries = [];
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: 'iife',
    globalName,
    conditions: ['edge-light'],
    plugins: [imported],
  });
  if (binaries.length !== 1) throw new Error('the condition edge-light led to no binary');
  return { code: outputFiles[0].text, binary: binaries[0] };
}

/** Answers one request in the sandbox, whose realm has a WebAssembly of its own. */
export async function fetchEdge({ code, binary }, path, init) {
  const { EdgeRuntime } = await tool('edge-runtime');
  const importedBinary = new WebAssembly.Module(readFileSync(binary));
  const runtime = new EdgeRuntime({
    extend: (context) => Object.assign(context, { importedBinary }),
    initialCode: code,
  });
  if (runtime.evaluate('importedBinary instanceof WebAssembly.Module')) throw new Error('the realms are the same');
  const response = await runtime.dispatchFetch(new URL(path, 'http://edge.test').href, init);
  return response.text();
}

export async function checkLambda(project) {
  const elsewhere = join(project, 'lambda');
  mkdirSync(elsewhere, { recursive: true });
  for (const format of ['esm', 'cjs']) {
    const entry = join(project, 'entries/lambda.mjs');
    const file = await bundleLambda(entry, elsewhere, format);
    const lite = await bundleLambda(entry.replace('lambda.mjs', 'lambda-lite.mjs'), join(elsewhere, 'lite'), format);
    for (const { version, binary } of nodes) {
      await check('Lambda', `Node ${version}`, `one file by esbuild, ${format}`, async () =>
        checkDigest(await invoke([binary], file)),
      );
      await check('Lambda', `Node ${version}`, `/lite, one file by esbuild, ${format}`, async () =>
        checkParts(await invoke([binary], lite)),
      );
    }
  }
}

/** One file, which is all that is uploaded. */
export async function bundleLambda(entry, directory, format) {
  const { build } = await tool('esbuild');
  const outfile = join(directory, `handler.${format === 'esm' ? 'mjs' : 'cjs'}`);
  await build({ entryPoints: [entry], outfile, bundle: true, minify: true, platform: 'node', format });
  return outfile;
}

/** Calls the handler in a process whose current directory is not the file's. */
export async function invoke(node, file, event = {}) {
  const caller = `${file}.invoke.mjs`;
  const answer = `const answer = await handler(${JSON.stringify(event)});`;
  writeFileSync(
    caller,
    `import { handler } from ${JSON.stringify(file)};\n${answer}\nconsole.log(answer.body ?? answer);\n`,
  );
  return run([...node, caller], { cwd: '/' });
}
