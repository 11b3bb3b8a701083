// Written by "npm run docs" from the library's doc comments and checks.
export const OPTION_HELP = {
  ignoreIndex: {
    text: 'targets equal to it give loss, gradient and Hessian 0 and are not counted',
    takes: 'number|none',
  },
  labelSmoothing: {
    text: 's: a target y becomes y (1 - s) + s / 2, for all that follows',
    takes: 'number',
  },
  softTargets: {
    text: 'what targets between 0 and 1 mean',
    takes: 'linear|split|crossEntropy',
  },
  posWeight: {
    text: 'multiplies the positive part of the cross entropy, and not p_t',
    takes: 'number',
  },
  gamma: {
    text: 'exponent of the modulating factor (1 - p_t)^gamma',
    takes: 'number',
  },
  polyEpsilon: {
    text: 'epsilon of Poly-1, which adds alpha_t epsilon (1 - p_t)^(gamma + 1)',
    takes: 'number',
  },
  alpha: {
    text: 'multiplies positives, and 1 - alpha negatives',
    takes: 'number|none',
  },
  gammaPositive: {
    text: 'exponent of the factor of positives',
    takes: 'number',
  },
  gammaNegative: {
    text: 'exponent of the factor of negatives',
    takes: 'number',
  },
  margin: {
    text: 'taken off the probability of negatives, which cost nothing below it, called clip elsewhere',
    takes: 'number',
  },
  beta: {
    text: 'exponent of (1 - y), by which negatives near a peak count less; exponent of the factor abs(p - y)^beta',
    takes: 'number',
  },
  background: {
    text: 'the label of a row without a class, all of whose targets are 0',
    takes: 'integer',
  },
} as const;
