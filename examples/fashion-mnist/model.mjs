// Logistic regression on pixels: one logit a class, linear in the image, trained by Adam on minibatches. The loss is the
// caller's: the model needs of it the derivative with respect to each logit, and nothing else.

/** xorshift32: a stream of numbers in [0, 1) that is the same everywhere. */
export function random(seed) {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Fisher and Yates, in place. */
export function shuffle(array, next) {
  for (let i = array.length - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1));
    [array[i], array[j]] = [array[j], array[i]];
  }
}

export class LinearModel {
  steps = 0;

  /** Weights `[outputs, inputs + 1]`, the last of each row its bias. */
  constructor(inputs, outputs) {
    this.inputs = inputs;
    this.outputs = outputs;
    for (const name of ['weights', 'gradient', 'mean', 'square']) {
      this[name] = new Float32Array(outputs * (inputs + 1));
    }
  }

  /** Logits `[rows, outputs]` of the images whose indices are given, or of all. */
  logits(images, rows = Array.from({ length: images.length / this.inputs }, (_, row) => row)) {
    const { weights, inputs, outputs } = this;
    const logits = new Float32Array(rows.length * outputs);
    for (let i = 0; i < logits.length; i++) {
      const image = rows[Math.floor(i / outputs)] * inputs;
      const own = (i % outputs) * (inputs + 1);
      let sum = weights[own + inputs];
      for (let pixel = 0; pixel < inputs; pixel++) sum += weights[own + pixel] * images[image + pixel];
      logits[i] = sum;
    }
    return logits;
  }

  /** One step of Adam against `dLogits`, the gradient with respect to the logits of these rows. */
  step(images, rows, dLogits, rate) {
    const { weights, gradient, mean, square, inputs, outputs } = this;
    gradient.fill(0);
    for (let i = 0; i < dLogits.length; i++) {
      const image = rows[Math.floor(i / outputs)] * inputs;
      const own = (i % outputs) * (inputs + 1);
      for (let pixel = 0; pixel < inputs; pixel++) gradient[own + pixel] += dLogits[i] * images[image + pixel];
      gradient[own + inputs] += dLogits[i];
    }
    this.steps++;
    const scale = (rate * Math.sqrt(1 - 0.999 ** this.steps)) / (1 - 0.9 ** this.steps);
    for (let i = 0; i < weights.length; i++) {
      mean[i] += 0.1 * (gradient[i] - mean[i]);
      square[i] += 0.001 * (gradient[i] ** 2 - square[i]);
      weights[i] -= (scale * mean[i]) / (Math.sqrt(square[i]) + 1e-8);
    }
  }
}
