// The value of a loss: the checks of a call, the loop over segments, and the reduction. engine/evaluator.ts and elements.ts have
// all that this leaves out.

import { BAD_TARGET, Field32, Field64, Flag, SEGMENT } from '../abi.js';
import { boolean, divisor, sameLength } from '../checks.js';
import { FLOAT_BYTES, FLOAT_KIND, type Floats, type Instance, instanceOf } from '../engine/arena.js';
import { IGNORED, markIgnored, resultAt } from '../engine/elements.js';
import { checkUnchanged, checkWeights } from '../engine/evaluator.js';
import { type Operand, operandOf } from '../engine/operand.js';
import { bufferOf, floats } from '../engine/results.js';
import { checkAgreement } from '../engine/shapes.js';
import { checkDoubles, FLOATS, firstBadTarget, isFloat, targetsOf, toBytes } from '../engine/targets.js';
import type { ForwardOptions } from '../types.js';
import { keysOf, type Settings } from './options.js';

const CALL_KEYS = ['weight', 'out', 'validate', 'normalizer'];
const LENGTH = 'the length of "logits"';

/** The loss of `logits` against `targets` under the settings, which are the same object for every call of a loss. */
export function forward(
  settings: Settings,
  logits: unknown,
  targets: unknown,
  call: ForwardOptions | undefined,
): Floats | number {
  const given = keysOf('call', call, CALL_KEYS);
  const validate = given.validate === undefined || boolean('validate', given.validate);
  const normalizer = given.normalizer === undefined ? settings.normalizer : divisor('normalizer', given.normalizer);
  const x = operandOf('logits', logits, FLOATS);
  const y = targetsOf(targets);
  const weight = given.weight === undefined ? undefined : operandOf('weight', given.weight, FLOATS);
  const { length } = x;
  sameLength('targets', y.length, length, LENGTH);
  checkAgreement('targets', y.dims, x.dims);
  if (validate && y.kind === 'Float64Array') checkDoubles(y, settings.ignoreIndex);
  if (weight !== undefined) {
    sameLength('weight', weight.length, length, LENGTH);
    checkAgreement('weight', weight.dims, x.dims);
    checkWeights(weight);
  }
  const isElementwise = settings.reduction === 'none';
  const out = bufferOf('out', given.out, length, LENGTH) ?? (isElementwise ? floats('out', length) : undefined);
  checkUnchanged('logits', x);
  checkUnchanged('targets', y);

  const ignoreIndex = y.booleans ? null : settings.ignoreIndex;
  const instance = instanceOf(x.view);
  const { words, doubles, kernel, frame } = instance;
  if (instance.claim(settings)) configure(instance, settings);
  if (ignoreIndex !== null) doubles[Field64.ignore] = y.kind === 'Float64Array' ? IGNORED : ignoreIndex;
  words[Field32.flags] =
    (isFloat(y.kind) ? Flag.soft : 0) | (ignoreIndex === null ? 0 : Flag.ignore) | (isElementwise ? 0 : Flag.sums);
  let sum = 0;
  let positives = 0;
  let negatives = 0;
  for (let start = 0; start < length; start += SEGMENT) {
    const count = Math.min(SEGMENT, length - start);
    words[Field32.count] = count;
    words[Field32.logits] = floatsAt(instance, x, Field32.logits, start, count, instance.logits);
    const bad = placeTargets(instance, y, start, count, ignoreIndex);
    words[Field32.weight] =
      weight === undefined ? 0 : floatsAt(instance, weight, Field32.weight, start, count, instance.weight);
    words[Field32.loss] = resultAt(instance, out, Field32.loss, start, instance.loss);
    kernel.binary(frame);
    if (validate && (bad || (words[Field32.bad] & BAD_TARGET) !== 0)) {
      const soft = isFloat(y.kind);
      const view = new Float32Array(start + count);
      // half floats are numbers where the kernel reads them
      if (soft) view.set(instance.floats.subarray(words[Field32.targets] / 4).subarray(0, count), start);
      throw firstBadTarget(soft ? { ...y, view, length: view.length } : y, start, settings.ignoreIndex, soft);
    }
    if (words[Field32.loss] === instance.loss) instance.takeFloats(out as Floats, start, count, instance.loss);
    sum += doubles[Field64.sum];
    positives += doubles[Field64.positives];
    negatives += doubles[Field64.negatives];
  }
  if (isElementwise) return out as Floats;
  if (settings.reduction === 'sum') return sum;
  return sum / (normalizer === 'positives' ? Math.max(1, positives) : (normalizer ?? positives + negatives));
}

/** Writes to the frame what stays the same from call to call. */
function configure({ words, doubles }: Instance, { gamma, alpha, posWeight, labelSmoothing }: Settings): void {
  words.fill(0);
  doubles[Field64.gamma] = gamma;
  doubles[Field64.alphaPositive] = alpha ?? 1;
  doubles[Field64.alphaNegative] = alpha === null ? 1 : 1 - alpha;
  doubles[Field64.posWeight] = posWeight;
  doubles[Field64.labelSmoothing] = labelSmoothing;
  doubles[Field64.positiveAbove] = 0.5;
}

/** The address of numbers as float32: where they are, or a region. */
function floatsAt(
  instance: Instance,
  { view, kind }: Operand,
  role: Field32,
  start: number,
  count: number,
  region: number,
) {
  const at = kind === FLOAT_KIND ? instance.locate(view, role) : 0;
  return at === 0 ? instance.stageFloats(view, kind, start, count, region) : at + FLOAT_BYTES * start;
}

/** Tells the frame where a segment's targets are: float32, or bytes 0, 1 and 2 = ignored. Returns whether any was none of these. */
function placeTargets(
  instance: Instance,
  y: Operand,
  start: number,
  count: number,
  ignoreIndex: number | null,
): boolean {
  const { words, targets, bytes } = instance;
  const { view, kind } = y;
  words[Field32.targets] = targets;
  if (isFloat(kind)) {
    words[Field32.targets] = floatsAt(instance, y, Field32.targets, start, count, targets);
    if (kind === 'Float64Array' && ignoreIndex !== null) markIgnored(instance, y, start, count, ignoreIndex);
    return false;
  }
  const isByte = kind === 'Uint8Array' || kind === 'Uint8ClampedArray' || kind === 'Int8Array';
  if (!isByte || ignoreIndex !== null) return toBytes(y, start, count, ignoreIndex, IGNORED, bytes, targets);
  const at = instance.locate(view, Field32.targets);
  words[Field32.targets] = at === 0 ? instance.stageBytes(view, kind, start, count, targets) : at + start;
  return false;
}
