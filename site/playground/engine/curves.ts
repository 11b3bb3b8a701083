import * as library from 'focal-loss-wasm';
import type { LossKind, OptionValues } from '../shared/losses.js';

export interface CurveRequest {
  readonly loss: string;
  readonly targets: LossKind['targets'];
  readonly options: OptionValues;
  readonly target: number;
}

export interface Curve {
  readonly loss: Float32Array;
  readonly grad: Float32Array;
  readonly hess: Float32Array;
}

type Constructor = new (options: object) => library.Criterion<'none'>;
const constructors = library as unknown as Record<string, Constructor>;

/** Loss, gradient and Hessian of each request at each logit. For a row, the logit is of its class and counts p_t alone. */
export function sampleCurves(requests: readonly CurveRequest[], logits: readonly Float32Array[]): Curve[] {
  return requests.map((request, index) => sample(request, logits[index]));
}

function sample({ loss, targets, options, target }: CurveRequest, x: Float32Array): Curve {
  const criterion = new constructors[loss]({ ...options, reduction: 'none' });
  const classes = Number(options.numClasses);
  // all other classes share one logit, chosen so that the sigmoid of x is the probability of the row's class
  if (targets === 'row') return firstOfRows(criterion, classes, Math.log(classes - 1), x, 0);
  if (targets === 'label') return firstOfRows(criterion, classes, 0, x, target === 1 ? 0 : 1);
  const all = new Float32Array(x.length).fill(target);
  return { loss: criterion.forward(x, all), ...criterion.gradHess(x, all) };
}

/** The first class of rows that have this label, whose logit is x and some more; the logits of the other classes are 0. */
function firstOfRows(
  criterion: library.Criterion<'none'>,
  classes: number,
  more: number,
  x: Float32Array,
  label: number,
) {
  const logits = new Float32Array(classes * x.length);
  for (let row = 0; row < x.length; row++) logits[row * classes] = x[row] + more;
  const labels = new Int32Array(x.length).fill(label);
  const { grad, hess } = criterion.gradHess(logits, labels);
  const losses = criterion.forward(logits, labels);
  const first = (values: Float32Array) => Float32Array.from(x, (_, row) => values[(row * values.length) / x.length]);
  return { loss: first(losses), grad: first(grad), hess: first(hess) };
}
