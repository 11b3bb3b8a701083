// What "#wasm" is in a thread: the kernel that the caller has compiled, whichever build it is.

import { workerData } from 'node:worker_threads';
import type { wasm as Wasm } from '#wasm';

export const { binary: wasm } = workerData as { readonly binary: typeof Wasm };
