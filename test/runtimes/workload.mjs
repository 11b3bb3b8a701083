// What every runtime computes. Only arithmetic that the language specifies to the bit may prepare inputs: no Math.exp.

/** Elements of one call of the kernel: src/abi.ts has it, and test/package/workload.test.ts compares. */
export const SEGMENT = 16_384;
const SEED = 0x2545f491;
/** More than two segments of the kernel, and no multiple of a vector. */
const COUNT = 2 * SEGMENT + 2007;
const CLASSES = 7;
/** Gammas with a kernel of their own, and some without. */
const GAMMAS = [0, 0.5, 1, 1.5, 2, 2.5, 3, 5, 1.7, 0.3];

const EXTREMES = [
  0, -0, 1e-45, -1e-45, 1e-7, -1e-7, 16.7, -16.7, 87.4, -87.4, 88.8, -88.8, 103.9, -103.9, 1e4, -1e4, 3e38, -3e38,
];

/** From here on nothing is extreme: sums with such losses would hide the bits of all others. A multiple of CLASSES. */
const TAME = 63;

/**
 * The fixed losses, gradients, Hessians and probabilities, and a hash of their bits.
 *
 * @param library what `focal-loss-wasm` exports, or `focal-loss-wasm/lite`, which gives those of the same that it can
 * @param width what its results are: float32, or float64 where it is `focal-loss-wasm/float64`
 * @returns {{ hash: string, parts: Record<string, string> }} the hash of all, and of each
 */
export function digest(library, width = 'float32') {
  const parts = {};
  const computed = 'SoftmaxFocalLoss' in library ? results(library, width) : liteResults(library);
  for (const [name, values] of computed) parts[name] = hex(fnv1a(bytesOf(values)));
  return { hash: hex(fnv1a(new TextEncoder().encode(JSON.stringify(parts)))), parts };
}

function elements(random) {
  const logits = Float32Array.from({ length: COUNT }, () => random() * 24 - 12);
  logits.set(EXTREMES, 40);
  const hard = Uint8Array.from({ length: COUNT }, () => (random() < 0.1 ? 1 : 0));
  const soft = Float32Array.from({ length: COUNT }, (_, k) => (k % 5 === 0 ? hard[k] : random()));
  return { logits, hard, soft };
}

function* results({ FocalLoss, SoftmaxFocalLoss, LossMeter, Workspace, hardest, ...library }, width) {
  const random = xorshift(SEED);
  const { logits, hard, soft } = elements(random);
  const weight = Float32Array.from({ length: COUNT }, () => random() * 2);
  for (const gamma of GAMMAS) {
    const options = { gamma, alpha: 0.75, posWeight: 3 };
    for (const [kind, targets] of Object.entries({ hard, soft })) {
      const name = `gamma ${gamma}, ${kind}`;
      const none = new FocalLoss({ ...options, reduction: 'none' });
      yield [`${name}, none`, none.forward(logits, targets)];
      yield [`${name}, grad`, none.valueAndGrad(logits, targets, { weight }).grad];
      yield [`${name}, hess`, none.gradHess(logits, targets).hess];
      const tame = [logits.subarray(TAME), targets.subarray(TAME)];
      yield [`${name}, sum`, new FocalLoss({ ...options, reduction: 'sum' }).forward(...tame)];
      yield [`${name}, mean`, new FocalLoss(options).valueAndGrad(...tame).value];
    }
    yield [`gamma ${gamma}, posterior`, library.focalPosterior(logits, options)];
  }
  const labels = Int32Array.from({ length: COUNT }, () => (random() < 0.2 ? -1 : Math.floor(random() * 2)));
  const family = { gamma: 2, alpha: [0.2, 0.7, 0.5], numClasses: 3, labelSmoothing: 0.1, ignoreIndex: -1 };
  const rows = COUNT - (COUNT % 3);
  const tame = [logits.subarray(TAME, rows), labels.subarray(TAME, rows)];
  const criterion = new FocalLoss({ ...family, normalizer: 'positives', hessian: 'clip' });
  yield ['family, mean', criterion.forward(...tame)];
  yield ['family, hess', criterion.gradHess(logits.subarray(0, rows), labels.subarray(0, rows)).hess];
  const probabilities = Float32Array.from({ length: COUNT }, () => random());
  yield ['probabilities', new FocalLoss({ fromLogits: false, reduction: 'none' }).forward(probabilities, hard)];
  yield* softmax({ SoftmaxFocalLoss, ...library }, logits, random);
  yield* streams({ FocalLoss, LossMeter, Workspace, hardest }, logits, hard, width);
}

function* softmax({ SoftmaxFocalLoss, softmaxFocalPosterior }, logits, random) {
  const rows = Math.floor(COUNT / CLASSES);
  const z = logits.subarray(0, rows * CLASSES);
  const labels = Int32Array.from({ length: rows }, () => Math.floor(random() * CLASSES));
  const alpha = Array.from({ length: CLASSES }, (_, k) => (k + 1) / 4);
  for (const gamma of [0, 0.5, 1.7, 2]) {
    const options = { numClasses: CLASSES, gamma, alpha };
    const none = new SoftmaxFocalLoss({ ...options, reduction: 'none', labelSmoothing: 0.05 });
    const name = `softmax, gamma ${gamma}`;
    yield [`${name}, none`, none.forward(z, labels)];
    yield [`${name}, grad`, none.valueAndGrad(z, labels).grad];
    yield [`${name}, hess`, new SoftmaxFocalLoss(options).gradHess(z, labels).hess];
    yield [`${name}, mean`, new SoftmaxFocalLoss(options).forward(z.subarray(TAME), labels.subarray(TAME / CLASSES))];
    yield [`${name}, posterior`, softmaxFocalPosterior(z, options)];
  }
}

/** The values among them, under the same names, of an entry that has nothing else. */
function* liteResults({ FocalLoss, Workspace, focalPosterior }) {
  const { logits, hard, soft } = elements(xorshift(SEED));
  for (const gamma of GAMMAS) {
    const options = { gamma, alpha: 0.75, posWeight: 3 };
    for (const [kind, targets] of Object.entries({ hard, soft })) {
      const name = `gamma ${gamma}, ${kind}`;
      yield [`${name}, none`, new FocalLoss({ ...options, reduction: 'none' }).forward(logits, targets)];
      const tame = [logits.subarray(TAME), targets.subarray(TAME)];
      yield [`${name}, sum`, new FocalLoss({ ...options, reduction: 'sum' }).forward(...tame)];
      yield [`${name}, mean`, new FocalLoss(options).forward(...tame)];
    }
    yield [`gamma ${gamma}, posterior`, focalPosterior(logits, options)];
  }
  yield ['workspace', inWorkspace({ FocalLoss, Workspace }, logits, hard)];
}

function inWorkspace({ FocalLoss, Workspace }, logits, hard, width = 'float32') {
  const workspace = new Workspace(17 * COUNT);
  const x = workspace[width](COUNT);
  const y = workspace.uint8(COUNT);
  const out = workspace[width](COUNT);
  x.set(logits);
  y.set(hard);
  return new FocalLoss({ reduction: 'none' }).forward(x, y, { out });
}

function* streams({ FocalLoss, LossMeter, Workspace, hardest }, logits, hard, width) {
  const meter = new LossMeter(new FocalLoss({ gamma: 2 }));
  const batches = [TAME, COUNT - 1500, COUNT - 700, COUNT];
  batches.slice(1).forEach((end, k) => {
    meter.update(logits.subarray(batches[k], end), hard.subarray(batches[k], end));
  });
  yield ['meter', Float64Array.from(Object.values(meter.compute()))];
  const out = inWorkspace({ FocalLoss, Workspace }, logits, hard, width);
  yield ['workspace', out];
  yield ['hardest', Float64Array.from(hardest(out, 25))];
}

/** Numbers in [0, 1) with 24 bits, so that float32 holds them. */
function xorshift(seed) {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 8) / 2 ** 24;
  };
}

function bytesOf(values) {
  const array = typeof values === 'number' ? Float64Array.of(values) : values;
  if (array.some(Number.isNaN)) throw new Error('a result is NaN');
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function fnv1a(bytes) {
  let hash = 0x811c9dc5;
  for (let k = 0; k < bytes.length; k++) hash = Math.imul(hash ^ bytes[k], 0x01000193);
  return hash >>> 0;
}

function hex(word) {
  return word.toString(16).padStart(8, '0');
}
