// V8 can make one operation of 256 bits of two of 128 that lie side by side (--experimental-wasm-revectorize). Lanes do not mix,
// so that no bit may change; and every stage that is written for it must be packed whole, since one that is not is as right.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './process.mjs';
import { check, checkDigest } from './report.mjs';
import { deno, nodes, root } from './setup.mjs';

const FLAG = '--experimental-wasm-revectorize';
/** No other compiler than the one that packs, and every function at once. */
const OPTIMIZED = ['--no-liftoff', '--no-wasm-lazy-compilation'];
const FIRST_NODE = 22;
/** What holds loops over pairs of vectors: loops by themselves, and what the compiler has made of several. */
const HOT =
  /^assembly\/(simd\/stage\/each(Tile|Pair)<|elements\/outputs\/(sum<|sumPower$|putOutputs$)|math\/raise\/raise$)/;
/** Pairs among them that a major version may leave as they are, and why. */
const EXCEPTIONS = {
  // Node 22 decides on each pair of stores by itself: of D + N alone it finds that packing saves as much as it costs.
  22: {
    'assembly/simd/stage/eachTile<assembly/losses/focal-hard/HardTerms<assembly/elements/derivative/WithSlope>>': 2,
  },
};

const COMPILE = 'new WebAssembly.Module(require("node:fs").readFileSync(process.argv[1]))';
const canPack = () => process.arch === 'x64' && /\bavx2\b/.test(readFileSync('/proc/cpuinfo', 'utf8'));

export async function checkFusion(project) {
  const entry = join(project, 'entries/print.mjs');
  const own = join(project, 'entries/fused.mjs');
  const later = nodes.filter(({ version }) => Number(version.split('.')[0]) >= FIRST_NODE);
  for (const { version, binary } of later) {
    await check('Node', version, '256 bits: the same bits', async () =>
      checkDigest(await run([binary, FLAG, ...OPTIMIZED, entry], { cwd: project })),
    );
    await check('Node', version, '/fused: the same bits', async () => {
      const text = await run([binary, own], { cwd: project });
      if (!JSON.parse(text).fused) throw new Error('not fused');
      return checkDigest(text);
    });
    await check('Node', version, '256 bits: every hot stage is packed', () => checkPacked(project, version, binary));
  }
  const flags = `--v8-flags=${[FLAG, ...OPTIMIZED].join(',')}`;
  await check('Deno', deno.version, '256 bits: the same bits', async () =>
    checkDigest(await run([deno.binary, 'run', '--no-prompt', '--cached-only', flags, entry], { cwd: project })),
  );
}

async function checkPacked(project, version, binary) {
  if (!canPack()) return 'this processor has no AVX2, nothing to see';
  const kernel = join(project, 'node_modules/focal-loss-wasm/dist/wasm/kernel.wasm');
  const trace = ['--trace-wasm-revectorize', '--single-threaded'];
  const text = await run([binary, FLAG, ...OPTIMIZED, ...trace, '-e', COMPILE, kernel], { maxBuffer: 1e8 });
  const packed = packedStores(text);
  const major = Number(version.split('.')[0]);
  const hot = functionsOf(readFileSync(join(root, 'build/kernel.wat'), 'utf8')).filter(
    ({ name, stores }) => HOT.test(name) && stores > 0,
  );
  const faults = hot
    .filter(({ index, name, stores }) => !(packed.get(index) >= stores / 2 - (EXCEPTIONS[major]?.[name] ?? 0)))
    .map(({ index, name, stores }) => `${name}: ${packed.get(index) ?? 0} of ${stores / 2} pairs`);
  if (hot.length < 25) throw new Error(`only ${hot.length} hot functions are in build/kernel.wat`);
  if (faults.length > 0) throw new Error(faults.join('; '));
  return `${hot.length} functions`;
}

/**
 * How many pairs of stores were packed in each function in which nothing failed. Node 22 words its trace in another way than
 * later ones, which inline functions too: a function may then have more pairs than it has in the text.
 */
function packedStores(trace) {
  const packed = new Map();
  for (const part of trace.split(/^(?:Begin revec function|Revec: TryRevectorize) wasm-function#/m).slice(1)) {
    if (/Can't pack|SLP tree failed/.test(part)) continue;
    const pairs = new Set();
    // Stores that were gathered are packed if the next line with both numbers says that it saves more than it costs.
    for (const [, gathered, save, cost] of part.matchAll(/([\s\S]*?)Save: (-?\d+), cost: (-?\d+)/g)) {
      if (Number(save) <= Number(cost)) continue;
      for (const [, pair] of gathered.matchAll(/PackNode (?:Protected)?Store\((#\d+:?, #\d+)\)/g)) pairs.add(pair);
    }
    packed.set(Number.parseInt(part, 10), pairs.size);
  }
  return packed;
}

/** The functions of the text, in the order of their indices, with how many vectors their loops store. */
function functionsOf(text) {
  return text
    .split(/^ \(func \$/m)
    .slice(1)
    .map((part, index) => ({ index, name: part.slice(0, part.search(/\s/)), stores: storesInLoops(part) }));
}

function storesInLoops(text) {
  let stores = 0;
  let loop = Number.POSITIVE_INFINITY; // the indent of the outermost loop that is open
  for (const line of text.split('\n')) {
    const indent = line.length - line.trimStart().length;
    const code = line.trim();
    if (code.startsWith('loop')) loop = Math.min(loop, indent);
    else if (code === 'end' && indent === loop) loop = Number.POSITIVE_INFINITY;
    else if (code.startsWith('v128.store') && indent > loop) stores++;
  }
  return stores;
}
