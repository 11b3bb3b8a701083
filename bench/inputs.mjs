// What every benchmark computes on: the same numbers in every run, on every machine and in every peer.

/** Positives among the targets: few, as where focal loss is used. */
const POSITIVES = 0.1;

/** Numbers in [0, 1) from a 32-bit state (Marsaglia's xorshift). */
export function generator(seed) {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Logits of a trained model, hard targets and soft ones. */
export function binaryInputs(length) {
  const random = generator(0x2545f491);
  const logits = new Float32Array(length);
  const targets = new Uint8Array(length);
  const soft = new Float32Array(length);
  for (let k = 0; k < length; k++) {
    const positive = random() < POSITIVES;
    const noise = random() + random() + random() + random() - 2;
    targets[k] = positive ? 1 : 0;
    logits[k] = (positive ? 1 : -3) + 4 * noise;
    soft[k] = random();
  }
  return { logits, targets, soft };
}

/** Rows of logits with a label each. */
export function softmaxInputs(rows, classes) {
  const random = generator(0x1b873593);
  const logits = new Float32Array(rows * classes);
  const labels = new Int32Array(rows);
  for (let k = 0; k < logits.length; k++) logits[k] = 6 * (random() + random() - 1);
  for (let row = 0; row < rows; row++) {
    labels[row] = Math.floor(random() * classes);
    logits[row * classes + labels[row]] += 4;
  }
  return { logits, labels };
}
