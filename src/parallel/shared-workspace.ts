import { Workspace } from '../index.js';

/**
 * A `Workspace` on a SharedArrayBuffer: the threads of a `ParallelFocalLoss` read and write its arrays where they are, and so
 * can workers of your own, to which an array can be posted.
 *
 * @example
 * ```ts
 * import { ParallelFocalLoss, SharedWorkspace } from 'focal-loss-wasm/parallel';
 *
 * const workspace = new SharedWorkspace(5 * 1024 * 1024);
 * const logits = workspace.float32(1024 * 1024);
 * const targets = workspace.uint8(1024 * 1024);
 * await using criterion = new ParallelFocalLoss({ gamma: 2 });
 * const loss = await criterion.forward(logits, targets);
 * ```
 */
export class SharedWorkspace extends Workspace {
  /**
   * @param bytes the size of the elements of all arrays together, as a `Workspace` has it.
   * @throws TypeError for anything but a number, RangeError where it is no whole number or cannot be allocated.
   */
  constructor(bytes: number) {
    super(bytes, (size) => {
      const buffer = new SharedArrayBuffer(size);
      return { buffer, bytes: new Uint8Array(buffer), room: 0 };
    });
  }
}
