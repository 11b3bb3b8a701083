// The calls by which builds of the kernel are compared, over arrays of a workspace of their own.

import { binaryInputs, softmaxInputs } from './inputs.mjs';

export const LENGTH = 16_384;
const CLASSES = [10, 80];

/** Cases of an entry, their names behind a prefix; of the lite entry, the first six can be run. */
export function buildCases({ FocalLoss, SoftmaxFocalLoss, Workspace }, prefix) {
  const { logits, targets, soft } = binaryInputs(LENGTH);
  const workspace = new Workspace(40 * LENGTH);
  const place = (kind, array) => {
    const copy = workspace[kind](array.length);
    copy.set(array);
    return copy;
  };
  const [x, y, s] = [place('float32', logits), place('uint8', targets), place('float32', soft)];
  const [first, second] = [workspace.float32(LENGTH), workspace.float32(LENGTH)];
  const sum = (gamma) => new FocalLoss({ gamma, alpha: 0.25, reduction: 'sum' });
  const none = new FocalLoss({ gamma: 2, alpha: 0.25, reduction: 'none' });
  const [two, oneAndHalf, other] = [sum(2), sum(1.5), sum(1.7)];
  const each = (name, run, length = LENGTH) => ({ name: prefix + name, length, run });
  const softmax = (SoftmaxFocalLoss === undefined ? [] : CLASSES).map((numClasses) => {
    const rows = Math.floor(LENGTH / numClasses);
    const inputs = softmaxInputs(rows, numClasses);
    const [z, labels] = [place('float32', inputs.logits), place('int32', inputs.labels)];
    const loss = new SoftmaxFocalLoss({ gamma: 2, numClasses, reduction: 'sum' });
    return each(`softmax of ${numClasses} classes`, () => loss.forward(z, labels), rows * numClasses);
  });
  return [
    each('sum, gamma 2', () => two.forward(x, y)),
    each('sum, gamma 1.5', () => oneAndHalf.forward(x, y)),
    each('sum, gamma 1.7', () => other.forward(x, y)),
    each('sum, ordinary arrays', () => two.forward(logits, targets)),
    each('sum, soft targets', () => two.forward(x, s)),
    each("'none' into out", () => none.forward(x, y, { out: first })),
    each('loss and gradient', () => two.valueAndGrad(x, y, { gradOut: first })),
    each('gradient and Hessian', () => two.gradHess(x, y, { gradOut: first, hessOut: second })),
    ...softmax,
  ];
}
