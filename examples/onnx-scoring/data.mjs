// Synthetic events with eight features, about 3 % of which are positive; the same on every machine.

export const FEATURES = 8;

/** @returns {{ features: Float32Array, labels: Uint8Array }} `count` rows */
export function events(count, seed) {
  const random = xorshift(seed);
  const features = new Float32Array(count * FEATURES);
  const labels = new Uint8Array(count);
  for (let row = 0; row < count; row++) {
    labels[row] = random() < 0.03 ? 1 : 0;
    for (let k = 0; k < FEATURES; k++) {
      // the sum of four uniform numbers is bell-shaped; a positive's even features lie higher
      const noise = random() + random() + random() + random() - 2;
      features[row * FEATURES + k] = noise + (labels[row] === 1 && k % 2 === 0 ? 0.6 : 0);
    }
  }
  return { features, labels };
}

/** Numbers in [0, 1). */
export function xorshift(seed) {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
