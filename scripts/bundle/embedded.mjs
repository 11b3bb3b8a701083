// What stands around an embedded binary. scripts/build.mjs writes these functions, as they are here, into the modules that need them.

/** The bytes that hexadecimal digits stand for. */
export function decode(text) {
  if (Uint8Array.fromHex) return Uint8Array.fromHex(text);
  const buffer = globalThis.Buffer?.from?.(text, 'hex');
  if (buffer?.byteLength === text.length / 2) return buffer;
  const digit = (at) => (text.charCodeAt(at) & 15) + (text.charCodeAt(at) >> 6) * 9;
  return Uint8Array.from({ length: text.length / 2 }, (_, k) => digit(2 * k) * 16 + digit(2 * k + 1));
}

/** Compiled at once, since Cloudflare Workers compile only while the script starts; a refusal is kept for the first use. */
export function compile(text) {
  try {
    return { module: new WebAssembly.Module(decode(text)) };
  } catch (error) {
    return { error };
  }
}

/** Only an engine that refuses the first binary, whose operations are fused, is given the other. */
export function choose(first, other) {
  return first.error === undefined ? { ...first, relaxed: true } : compile(other);
}

/** Says that numbers of the binary are float64. */
export function double(compiled) {
  return { ...compiled, float64: true };
}
