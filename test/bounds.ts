// How wrong a result may be: docs/numerics.md states it, these are the numbers, and test/bounds.test.ts compares the two and
// sweeps. `factors` counts alpha, posWeight, weight and, beside any of them, a soft target; `multiplier` is their product.

const SMALLEST_NORMAL = 2 ** -126;

/** Half-integers up to 5 have a power of products and square roots. */
export const isExactPower = (gamma: number) => gamma <= 5 && Number.isInteger(2 * gamma);

export const binaryUlps = {
  text: '2 gamma + 4 + factors ulp',
  of: (gamma: number, factors: number) => 2 * gamma + 4 + factors,
};

export const binaryRelative = {
  text: '2e-6 + 1.2e-7 factors to gamma 10, 2e-7 (gamma + 10) + 1.2e-7 factors to gamma 64',
  of: (gamma: number, factors: number) => (gamma <= 10 ? 2e-6 : 2e-7 * (gamma + 10)) + 1.2e-7 * factors,
};

export const slope = {
  text: '2e-6 to gamma 10, 2e-7 (gamma + 10) to gamma 64, and 2e-7 multiplier beside it',
  of: (gamma: number, multiplier: number, truth: number) =>
    (gamma <= 10 ? 2e-6 : 2e-7 * (gamma + 10)) * Math.abs(truth) + 2e-7 * multiplier,
};

export const curve = {
  text: '2e-6 and 2e-7 multiplier to gamma 10, 2e-7 (gamma + 10) and 4e-7 multiplier to gamma 64',
  of: (gamma: number, multiplier: number, truth: number) =>
    gamma <= 10
      ? 2e-6 * Math.abs(truth) + 2e-7 * multiplier
      : 2e-7 * (gamma + 10) * Math.abs(truth) + 4e-7 * multiplier,
};

export const softmaxRelative = {
  text: '4e-6 to gamma 10, 2e-7 (gamma + 10) from there to gamma 64',
  of: (gamma: number) => Math.max(4e-6, 2e-7 * (gamma + 10)),
};

export const softmaxSlope = {
  text: 'the same, and 4e-7 alpha_t weight beside it',
  of: (gamma: number, multiplier: number, truth: number) =>
    softmaxRelative.of(gamma) * Math.abs(truth) + 4e-7 * multiplier,
};

/** What a loss may miss beside its other bound. */
export const underflow = {
  text: '2^-126 multiplier max(1, CE), for each class of a row',
  of: (multiplier: number, crossEntropy: number, classes = 1) =>
    SMALLEST_NORMAL * multiplier * Math.max(1, crossEntropy) * classes,
};
