import type { Operand } from '../engine/operand.js';
import { bufferOf, floats } from '../engine/results.js';
import { type FocalPosteriorOptions, posteriorOf } from '../focal-posterior.js';
import type { Logits, Results } from '../types.js';

/**
 * The class probability behind each logit of a model that was trained with focal loss, with the bits of that of
 * focal-loss-wasm: Charoenphakdee et al. 2021, https://arxiv.org/abs/2011.09172, with alpha and posWeight. An `out` that overlaps
 * the logits in another way than being them is not noticed here.
 *
 * @returns P(y = 1) for each logit, in `out` or a new Float32Array.
 * @throws TypeError for an unknown key or an array or option of the wrong kind, RangeError for a value out of range or a
 * length that does not agree.
 * @example
 * ```ts
 * import { focalPosterior } from 'focal-loss-wasm/lite';
 *
 * const probabilities = focalPosterior([-0.41, 0.41], { gamma: 2, alpha: 0.25 }); // 0.5, 0.9
 * ```
 */
export function focalPosterior(logits: Logits, options?: FocalPosteriorOptions): Results {
  return posteriorOf(logits, options, outputOf);
}

function outputOf(given: unknown, { length }: Operand) {
  return bufferOf('out', given, length, 'the length of "logits"') ?? floats('out', length);
}
