import * as library from 'focal-loss-wasm';
import { binaryInputs } from '../../../bench/inputs.mjs';
import { focalGrad, focalSum } from '../../../bench/scalar.mjs';
import expected from '../../../test/runtimes/expected.json';
import { digest } from '../../../test/runtimes/workload.mjs';

export interface Bits {
  readonly hash: string;
  readonly expected: string;
  readonly results: number;
  /** The results whose bits are others here. */
  readonly different: readonly string[];
}

/** The hash of the fixed workload's results, as every runtime computes them in the project's tests. */
export function checkBits(): Bits {
  const { hash, parts } = digest(library) as { hash: string; parts: Record<string, string> };
  const known: Record<string, string> = expected.parts;
  const different = Object.keys({ ...known, ...parts }).filter((name) => parts[name] !== known[name]);
  return { hash, expected: expected.hash, results: Object.keys(parts).length, different };
}

export interface Speed {
  readonly name: string;
  /** Elements a second, of the best of several slices. */
  readonly package: number;
  readonly loop: number;
}

const ROUNDS = 5;
/** Milliseconds. Browsers tell the time to a millisecond at best. */
const SLICE = 60;

/** Loss, and loss with gradient, of `length` elements at gamma 2: by turns, so that what disturbs one disturbs the other. */
export function measureSpeed(length: number): Speed[] {
  const { logits, targets } = binaryInputs(length);
  const workspace = new library.Workspace(10 * length);
  const x = workspace.float32(length);
  const y = workspace.uint8(length);
  const gradOut = workspace.float32(length);
  const grad = new Float64Array(length);
  x.set(logits);
  y.set(targets);
  const criterion = new library.FocalLoss({ gamma: 2, alpha: 0.25, reduction: 'sum' });
  const cases = [
    { name: 'Loss', package: () => criterion.forward(x, y), loop: () => focalSum(logits, targets, 0.25) },
    {
      name: 'Loss and gradient',
      package: () => criterion.valueAndGrad(x, y, { gradOut }),
      loop: () => focalGrad(logits, targets, 0.25, grad),
    },
  ];
  return cases.map((each) => {
    const best = { package: 0, loop: 0 };
    for (let round = 0; round <= ROUNDS; round++) {
      for (const side of ['package', 'loop'] as const) {
        const speed = length * callsPerSecond(each[side]);
        // the first round is the compilers'
        if (round > 0) best[side] = Math.max(best[side], speed);
      }
    }
    return { name: each.name, ...best };
  });
}

function callsPerSecond(run: () => unknown): number {
  const started = performance.now();
  let calls = 0;
  let spent = 0;
  for (; spent < SLICE; spent = performance.now() - started, calls++) run();
  return (1000 * calls) / spent;
}
