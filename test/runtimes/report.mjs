// What ran, how long it took, and whether its bits are the expected ones.
import { readFileSync, writeFileSync } from 'node:fs';

const FILE = new URL('expected.json', import.meta.url);
let expected = JSON.parse(readFileSync(FILE, 'utf8'));

/** Every check that ran: { runtime, version, what, ok, ms, note }. */
export const results = [];

/** Runs a check; a check that throws has failed. It may return what to print beside its time. */
export async function check(runtime, version, what, run) {
  const started = performance.now();
  let note = '';
  let ok = true;
  try {
    note = (await run()) ?? '';
  } catch (error) {
    ok = false;
    note = error instanceof Error ? error.message : String(error);
  }
  const ms = Math.round(performance.now() - started);
  results.push({ runtime, version, what, ok, ms, note });
  const name = `${runtime} ${version}`.trim();
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${name.padEnd(26)} ${what.padEnd(46)} ${`${ms} ms`.padStart(8)}  ${note}`);
}

/** The hash in the line that an entry printed or answered, if it is the committed one; `width` is float64 for the entry that has it. */
export function checkDigest(text, width) {
  const { error, hash, parts } = JSON.parse(text);
  if (error !== undefined) throw new Error(error);
  if (width === 'float64') {
    equal(hash, expected.float64, 'the hash of float64');
    return hash;
  }
  if (hash === expected.hash) return hash;
  const different = Object.keys({ ...expected.parts, ...parts }).filter((name) => parts[name] !== expected.parts[name]);
  throw new Error(`hash ${hash}, expected ${expected.hash}; different: ${different.slice(0, 5).join('; ')}`);
}

/** How many parts the line of an entry has that gives some of them, if all are the committed ones. */
export function checkParts(text) {
  const { error, parts } = JSON.parse(text);
  if (error !== undefined) throw new Error(error);
  const names = Object.keys(parts);
  const different = names.filter((name) => parts[name] !== expected.parts[name]);
  if (different.length > 0) throw new Error(`different: ${different.slice(0, 5).join('; ')}`);
  if (names.length < 70) throw new Error(`only ${names.length} results`);
  return `${names.length} results are those of the whole library`;
}

/** The message of a first use where compiling is refused. */
export function checkRefusal(text) {
  const { error = 'no error' } = JSON.parse(text);
  if (!error.startsWith('focal-loss-wasm could not compile its WebAssembly kernel (')) throw new Error(error);
  return 'import fine, first use throws the clear error';
}

/** Commits to the given bits. */
export function accept(digest, float64 = expected.float64) {
  expected = { hash: digest.hash, float64, parts: digest.parts };
  writeFileSync(FILE, `${JSON.stringify(expected, null, 2)}\n`);
}

export function equal(found, wanted, what) {
  if (!Object.is(found, wanted)) throw new Error(`${what} is ${found}, expected ${wanted}`);
}
