// What package.json's "#wasm" stands for; scripts/build.mjs writes the modules behind it.
declare module '#wasm' {
  export const wasm: {
    readonly module?: WebAssembly.Module;
    /** Why there is no module. */
    readonly error?: unknown;
    /** Whether it is the build with fused multiply-add. */
    readonly relaxed?: boolean;
    /** Whether floats of the kernel are float64. */
    readonly float64?: boolean;
  };
}
