// What asconfig.json gives the compiler ("use"), for tsc.

/** The type of a number in a vector's lane: f32 or f64. */
declare type Float = f32;

/** Defined in the build that traps where a stage reads a slot that another has overwritten, see slots.ts. */
declare const CHECK_SLOTS: i32;

/** Defined in the build of focal-loss-wasm/lite, which is to be small: values alone, for options that are the same for all. */
declare const LITE: i32;
