// What package.json's "#wasm" stands for; scripts/build.mjs writes the modules behind it.
declare module '#wasm' {
  export const wasm: {
    readonly module?: WebAssembly.Module;
    /** Why there is no module. */
    readonly error?: unknown;
    /** Whether it is the build with fused multiply-add. */
    readonly relaxed?: boolean;
    /** Whether V8 packs its vectors. */
    readonly fused?: boolean;
    /** Whether floats of the kernel are float64. */
    readonly float64?: boolean;
  };
}

declare module '#binary' {
  /** The bytes of the default kernel, and behind them those of the hexadecimal digits given. */
  export function decoded(tail: string): Uint8Array<ArrayBuffer>;
}
