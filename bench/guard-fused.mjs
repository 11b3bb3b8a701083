// The guard of the fused build, in a Node that has the flag: guard.mjs runs it.

import * as library from 'focal-loss-wasm';
import { buildCases } from './build-cases.mjs';
import { slowCases } from './guard-builds.mjs';
import { interleave } from './interleave.mjs';

/** Of the default's speed: packed vectors may be worth nothing on a processor, and must not cost anything. */
const LEAST = 0.8;

const defaults = buildCases(library, 'default: ');
// The flag counts for what is compiled after it, so the default kernel is compiled with all that V8 has before.
await interleave(defaults, { seconds: 1 });
const variant = await import('focal-loss-wasm/fused');
if (!variant.fused) throw new Error(`Node ${process.versions.node} has not fused the kernel`);
const slow = await slowCases(defaults, buildCases(variant, 'fused: '), LEAST);
if (slow.length > 0) process.exitCode = 1;
