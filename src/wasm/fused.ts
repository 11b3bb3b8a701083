// "#wasm" of focal-loss-wasm/fused: the default kernel, compiled when V8 has been told to make operations of 256 bits of pairs of
// 128, and checked before anybody computes with it.

import { decoded } from '#binary';
import { answerer, KNOWN_ANSWER } from './known-answer.js';

interface V8 {
  setFlagsFromString(flag: string): void;
}

const FLAG = 'experimental-wasm-revectorize';
/** Of V8, in Node 22: earlier ones print an error, for a flag that they do not know. */
const FIRST_VERSION = 12;
/** Milliseconds in which V8 sees the kernel often enough to compile it with all it has. */
const WARM = 60;

/** An empty section named "fused": V8 would share the code of a module with the same bytes, compiled without the flag. */
const SECTION = '0006056675736564';

export const wasm = start();

function start(): { module?: WebAssembly.Module; error?: unknown; fused?: boolean } {
  const v8 = flags();
  if (v8 !== undefined) {
    v8.setFlagsFromString(`--${FLAG}`);
    const packed = compile(decoded(SECTION));
    if (packed.module !== undefined && holds(packed.module)) return { ...packed, fused: true };
    v8.setFlagsFromString(`--no-${FLAG}`);
  }
  return compile(decoded(''));
}

/**
 * Node's way to V8's flags, where V8 knows this one. Deno's takes it too, and packs nothing: it checks bounds by instructions, which
 * stand between any two stores. Bun has another engine.
 */
function flags(): V8 | undefined {
  const { process } = globalThis as { process?: NodeJS.Process };
  const { versions } = process ?? {};
  if (versions === undefined || 'bun' in versions || 'deno' in versions) return undefined;
  if (Number.parseInt(versions.v8 ?? '', 10) < FIRST_VERSION) return undefined;
  try {
    return process?.getBuiltinModule?.('node:v8');
  } catch {
    return undefined; // where access to it is refused
  }
}

function compile(binary: Uint8Array<ArrayBuffer>): { module?: WebAssembly.Module; error?: unknown } {
  try {
    return { module: new WebAssembly.Module(binary) };
  } catch (error) {
    return { error };
  }
}

/** Whether the known answer is what comes out for as long as it takes V8 to compile with all it has. */
function holds(module: WebAssembly.Module): boolean {
  try {
    const answer = answerer(module);
    const end = performance.now() + WARM;
    do if (answer() !== KNOWN_ANSWER) return false;
    while (performance.now() < end);
    return true;
  } catch {
    return false;
  }
}
