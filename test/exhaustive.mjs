// Every float32 logit against float64, for both targets: node test/exhaustive.mjs [gamma ...]   (after npm run build)
// Prints the worst ulp of each gamma and the logit's bits. Minutes a gamma, on every core.
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { transform } from 'esbuild';
import { FocalLoss } from '../dist/index.js';

const source = readFileSync(new URL('./reference.ts', import.meta.url), 'utf8');
const { code } = await transform(source, { loader: 'ts' });
const { focalLoss64, ulps } = await import(`data:text/javascript;base64,${Buffer.from(code).toString('base64')}`);

const SMALLEST_NORMAL = 2 ** -126;
const CHUNK = 1 << 16;
const CHUNKS = 0x7f800000 / CHUNK; // of magnitudes, up to the largest finite one; NaN and Infinity have tests of their own
/** Loss as a multiple of a constant is exact enough here: |x| < 2^-44 moves it by less than 1e-12, e^-1024 is 0. */
const TINY = 2 ** -44;
const FAR = 1024;

const name = (word, y) => `0x${word.toString(16).padStart(8, '0')} y ${y}`;

function sweep({ gammas, worker, workers }) {
  const words = new Uint32Array(CHUNK);
  const logits = new Float32Array(words.buffer);
  const out = new Float32Array(CHUNK);
  const targets = [new Uint8Array(CHUNK), new Uint8Array(CHUNK).fill(1)];
  return gammas.map((gamma) => {
    const criterion = new FocalLoss({ gamma, alpha: null, reduction: 'none' });
    const result = { gamma, ulp: 0, ulpAt: '', relative: 0, relativeAt: '', below: 0, belowAt: '', faults: [] };
    const atZero = focalLoss64(0, gamma);
    const truths = [new Float64Array(CHUNK), new Float64Array(CHUNK)];
    const first = [new Float32Array(CHUNK), new Float32Array(CHUNK)];
    for (let chunk = worker; chunk < CHUNKS; chunk += workers) {
      for (let k = 0; k < CHUNK; k++) words[k] = chunk * CHUNK + k;
      for (let k = 0; k < CHUNK; k++) {
        const x = logits[k];
        truths[0][k] = x < TINY ? atZero : x > FAR ? 0 : focalLoss64(x, gamma);
        truths[1][k] = x < TINY ? atZero : x > FAR ? x : focalLoss64(-x, gamma);
      }
      for (const sign of [0, 2 ** 31]) {
        if (sign) for (let k = 0; k < CHUNK; k++) words[k] += sign;
        for (const y of [0, 1]) {
          criterion.forward(logits, targets[y], { out });
          // right where the target agrees with the sign; each such loss comes twice, as (x, y) and (-x, 1 - y)
          const right = (y === 1) === (sign === 0) ? 0 : 1;
          const truth = truths[right];
          const seen = first[right];
          for (let k = 0; k < CHUNK; k++) {
            // nothing new: exact, as its mirror image, or as its neighbour
            if (out[k] === truth[k] || (sign !== 0 && out[k] === seen[k])) continue;
            if (k > 0 && out[k] === out[k - 1] && truth[k] === truth[k - 1]) continue;
            const error = Math.abs(out[k] - truth[k]);
            if (!(out[k] >= 0)) {
              if (result.faults.length < 10) result.faults.push(`${name(words[k], y)}: ${out[k]}, not ${truth[k]}`);
            } else if (truth[k] < SMALLEST_NORMAL) {
              if (error > result.below) [result.below, result.belowAt] = [error, name(words[k], y)];
            } else {
              const ulp = ulps(out[k], truth[k]);
              if (ulp > result.ulp) [result.ulp, result.ulpAt] = [ulp, name(words[k], y)];
              if (error > result.relative * truth[k])
                [result.relative, result.relativeAt] = [error / truth[k], name(words[k], y)];
            }
          }
          if (sign === 0) seen.set(out);
        }
      }
    }
    return result;
  });
}

if (isMainThread) {
  const gammas = process.argv.slice(2).map(Number);
  if (gammas.some((gamma) => !(gamma >= 0 && gamma < Number.POSITIVE_INFINITY))) {
    console.error('usage: node test/exhaustive.mjs [gamma ...], each a finite number >= 0');
    process.exit(2);
  }
  if (gammas.length === 0) gammas.push(0, 0.5, 1, 1.5, 2, 2.5, 3, 4, 5, 1.7);
  const workers = availableParallelism();
  for (const gamma of gammas) {
    const parts = await Promise.all(
      Array.from({ length: workers }, (_, worker) => {
        const thread = new Worker(new URL(import.meta.url), { workerData: { gammas: [gamma], worker, workers } });
        return new Promise((resolve, reject) => thread.once('message', resolve).once('error', reject));
      }),
    );
    const worst = (key) => parts.flat().reduce((a, b) => (b[key] > a[key] ? b : a));
    const [ulp, relative, below] = ['ulp', 'relative', 'below'].map(worst);
    const faults = parts.flat().flatMap((part) => part.faults);
    // the gammas of the fast kernels are bounded in ulp, the others relatively
    const bounded = gamma <= 5 && Number.isInteger(2 * gamma) && gamma !== 3.5 && gamma !== 4.5;
    const good = bounded ? ulp.ulp <= 2 * (gamma + 2) : relative.relative <= 2e-6;
    console.log(
      `gamma ${gamma}: worst ${ulp.ulp.toFixed(3)} ulp at ${ulp.ulpAt}, relative ${relative.relative.toExponential(2)} at ` +
        `${relative.relativeAt}; below the smallest normal number ${below.below.toExponential(2)} at ${below.belowAt || 'none'}`,
    );
    for (const fault of faults) console.log(`  NaN or negative: ${fault}`);
    if (!good || below.below > SMALLEST_NORMAL || faults.length > 0) process.exitCode = 1;
  }
} else {
  parentPort.postMessage(sweep(workerData));
}
