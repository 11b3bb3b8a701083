// The packed package in frameworks, test runners and bundlers that are too large for test/runtimes: each is installed in a
// folder of its own beside the package, builds and runs a small program there, and must give the known loss.
//   node test/toolchains/run.mjs [--only NAME,NAME] [--keep] [--write]
//   --keep    leaves the folders, and says where
//   --write   writes the table in docs/runtimes.md
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { replaceSection, table } from '../../scripts/section.mjs';
import { chromium, freePort, withBrowser } from '../runtimes/browsers.mjs';
import { withFiles } from '../runtimes/pages.mjs';
import { run as runProcess, start } from '../runtimes/process.mjs';
import { COMMON, TOOLS } from './tools.mjs';

const here = new URL('.', import.meta.url).pathname;
const root = join(here, '../..');
const MINUTES = 60_000;
const LIMIT = { install: 8 * MINUTES, build: 6 * MINUTES, test: 3 * MINUTES, answer: MINUTES };
const QUIET = {
  NEXT_TELEMETRY_DISABLED: '1',
  NUXT_TELEMETRY_DISABLED: '1',
  NG_CLI_ANALYTICS: 'false',
  WRANGLER_SEND_METRICS: 'false',
  ELECTRON_DISABLE_SECURITY_WARNINGS: '1',
  CI: '1',
};

const { values: options } = parseArgs({
  options: { only: { type: 'string' }, keep: { type: 'boolean' }, write: { type: 'boolean' } },
});
const names = options.only?.split(',') ?? Object.keys(TOOLS);
const unknown = names.find((name) => TOOLS[name] === undefined);
if (unknown !== undefined) throw new Error(`--only expected of ${Object.keys(TOOLS).join(', ')}, got ${unknown}`);

const known = JSON.parse(readFileSync(join(here, 'shared/known.json'), 'utf8'));
checkKnown(known);
const scratch = mkdtempSync(join(tmpdir(), 'focal-loss-toolchains-'));
/** Of each tool: { title, version, ok: the checks that passed, failed, missing: why it is not there }. */
const results = [];
try {
  const tarball = await pack();
  const common = await installCommon();
  for (const name of names) results.push(await tryTool(name, TOOLS[name], tarball, common));
} finally {
  if (options.keep) console.log(`the folders are in ${scratch}`);
  else rmSync(scratch, { recursive: true, force: true });
}
const failed = results.flatMap(({ failed }) => failed).length;
const missing = results.filter(({ missing }) => missing !== undefined).length;
console.log(
  `\n${results.flatMap(({ ok }) => ok).length} passed, ${failed} failed, ${missing} tools do not install here`,
);
process.exitCode = failed === 0 ? 0 : 1;
if (options.write) {
  if (failed === 0 && options.only === undefined) writeTable();
  else console.log('docs/runtimes.md is as it was: --write needs a full run without a failure');
}

/** The known mean has the package's bits, and is the focal loss of its logits. */
function checkKnown({ logits, labels, gamma, alpha, mean }) {
  const losses = logits.map((x, k) => {
    const q = 1 / (1 + Math.exp(labels[k] === 1 ? x : -x));
    return (labels[k] === 1 ? alpha : 1 - alpha) * q ** gamma * -Math.log1p(-q);
  });
  const exact = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  if (!(Math.abs(mean - exact) < 1e-6 * exact)) throw new Error(`the known mean is ${mean}, by the formula ${exact}`);
}

async function pack() {
  if (!existsSync(join(root, 'dist/index.js'))) throw new Error('there is no dist/: run `npm run build` first');
  const packed = await npm(['pack', '--json', '--ignore-scripts', '--pack-destination', scratch], root);
  return join(scratch, Object.values(JSON.parse(packed))[0].filename);
}

/** The Node that runs all of them, and what opens Chromium. */
async function installCommon() {
  const folder = join(scratch, 'common');
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies: COMMON }));
  await npm(['install', '--ignore-scripts'], folder);
  const entry = createRequire(join(folder, 'package.json')).resolve('puppeteer-core');
  return { node: join(folder, 'node_modules/node/bin/node'), puppeteer: () => import(pathToFileURL(entry)) };
}

async function tryTool(name, tool, tarball, { node, puppeteer }) {
  const { title, packages } = tool;
  const result = { title, version: packages[tool.tool], ok: [], failed: [], missing: undefined };
  const check = async (what, use) => {
    const started = performance.now();
    let note = 'ok';
    try {
      await use();
      result.ok.push(what);
    } catch (error) {
      note = `FAILED  ${error.message}`;
      result.failed.push(what);
    }
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${`${title} ${result.version}`.padEnd(30)} ${what.padEnd(28)} ${seconds.padStart(6)} s  ${note}`);
    return note === 'ok';
  };
  const folder = join(scratch, name);
  const env = { ...QUIET, PATH: `${join(node, '..')}${delimiter}${process.env.PATH}` };
  const run = (command, timeout) => runProcess(command, { cwd: folder, env, timeout });
  try {
    await install(folder, name, packages, tarball, env);
    if (tool.fetch !== undefined) {
      const said = await run(tool.fetch, LIMIT.install);
      if (!existsSync(join(folder, tool.binary))) throw new Error(`${tool.binary} is not there${said && `: ${said}`}`);
    }
  } catch (error) {
    result.missing = reasonOf(error.message);
    console.log(`${`${title} ${result.version}`.padEnd(30)} does not install here: ${result.missing}`);
    return result;
  }
  for (const [what, command] of Object.entries(tool.test ?? {})) await check(what, () => run(command, LIMIT.test));
  if (tool.build !== undefined && (await check('build', () => run(tool.build, LIMIT.build)))) {
    result.ok.pop(); // what was built says more
    if (tool.folder !== undefined) await checkFolder(join(folder, tool.folder), check, puppeteer);
    else await checkServer(tool, { folder, env }, check, puppeteer);
  }
  if (!options.keep) rmSync(folder, { recursive: true, force: true });
  return result;
}

async function install(folder, name, packages, tarball, env) {
  cpSync(join(here, 'projects', name), folder, { recursive: true });
  for (const file of ['known.json', 'loss.mjs']) cpSync(join(here, 'shared', file), join(folder, file));
  const dependencies = { 'focal-loss-wasm': `file:${tarball}`, ...packages };
  const manifest = {
    name: `try-${name}`,
    version: '1.0.0',
    private: true,
    type: 'module',
    dependencies,
  };
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
  await npm(['install', '--ignore-scripts'], folder, env);
}

/** Static files, which Chromium opens. */
async function checkFolder(folder, check, puppeteer) {
  if (!existsSync(join(folder, 'index.html'))) cpSync(join(here, 'shared/index.html'), join(folder, 'index.html'));
  await withFiles(folder, (origin) => checkPage(`${origin}/index.html`, check, puppeteer));
}

async function checkServer({ serve, paths }, { folder, env }, check, puppeteer) {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const command = serve.map((word) => word.replace('{port}', port));
  const { child, text, done } = start(command, { cwd: folder, env: { ...env, PORT: String(port), HOST: '127.0.0.1' } });
  try {
    for (const [what, path] of Object.entries(paths)) {
      await check(what, async () => expectLoss(await answerOf(`${origin}${path}`, () => text.stderr)));
    }
    await checkPage(origin, check, puppeteer);
  } finally {
    child.kill();
    await done;
  }
}

/** The answer, as soon as the server listens. */
async function answerOf(url, complaint) {
  for (const end = performance.now() + LIMIT.answer; performance.now() < end; ) {
    try {
      return await (await fetch(url)).text();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  throw new Error(`${url} does not answer: ${complaint()}`);
}

async function checkPage(url, check, puppeteer) {
  const look = ({ name, log }) => check(`page in ${name}`, async () => expectLoss(await log(url, LIMIT.answer)));
  await withBrowser(chromium, look, puppeteer);
}

function expectLoss(text) {
  if (!text.includes(`loss ${known.mean}`)) throw new Error(`expected "loss ${known.mean}", got ${text.slice(0, 500)}`);
}

/** The line of an error that says most. */
function reasonOf(message) {
  const lines = message.split('\n').map((line) => line.trim());
  return (
    lines.find((line) => /ENOTFOUND|ECONN|EAI_AGAIN|E40\d|ERESOLVE|EBADENGINE|Error:/.test(line)) ?? lines[0]
  ).slice(0, 200);
}

function npm(args, cwd, env = {}) {
  const command = ['npm', ...args, '--no-audit', '--no-fund', '--loglevel=error'];
  return runProcess(command, { cwd, env, timeout: LIMIT.install });
}

function writeTable() {
  const rows = results.map(({ title, version, ok, missing }) => [
    title,
    version,
    missing === undefined
      ? ok.join('; ')
      : 'not run: its binary is fetched from outside of the registry, which the machine of this run does not reach',
  ]);
  replaceSection(join(root, 'docs/runtimes.md'), 'toolchains', table(['tool', 'version', 'what ran'], rows));
}
