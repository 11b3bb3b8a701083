// What package.json's "#counter" stands for; build.mjs writes the module behind it.
declare module '#counter' {
  /** The bytes of assembly/counter.ts, compiled. */
  export const binary: Uint8Array<ArrayBuffer>;
}
