import * as library from 'focal-loss-wasm';
import { LOSSES, type LossKind, type OptionValues } from '../shared/losses.js';

export interface CurveRequest {
  readonly loss: string;
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

/** The losses and options that this build of the package has. */
export function availableLosses(): LossKind[] {
  return LOSSES.filter(({ id }) => id in library).map((loss) => {
    const taken = (option: { name: string; value: unknown }) => {
      try {
        return new constructors[loss.id]({ numClasses: 2, [option.name]: option.value });
      } catch {
        return undefined;
      }
    };
    const options = loss.options.filter((option) => taken(option) !== undefined);
    return { ...loss, options: loss.id === 'BCEWithLogitsLoss' ? loss.options : options };
  });
}

/** Loss, gradient and Hessian of each request at each logit. For a row, the logit is of its class and counts p_t alone. */
export function sampleCurves(requests: readonly CurveRequest[], logits: readonly Float32Array[]): Curve[] {
  return requests.map((request, index) => sample(request, logits[index]));
}

function sample({ loss, options, target }: CurveRequest, x: Float32Array): Curve {
  const criterion = new constructors[loss]({ ...options, reduction: 'none' });
  if (typeof options.numClasses === 'number') return sampleRows(criterion, options.numClasses, x);
  const targets = new Float32Array(x.length).fill(target);
  return { loss: criterion.forward(x, targets), ...criterion.gradHess(x, targets) };
}

/** All other classes share one logit, chosen so that the sigmoid of x is the probability of the row's class. */
function sampleRows(criterion: library.Criterion<'none'>, classes: number, x: Float32Array): Curve {
  const logits = new Float32Array(classes * x.length);
  for (let row = 0; row < x.length; row++) logits[row * classes] = x[row] + Math.log(classes - 1);
  const labels = new Int32Array(x.length);
  const { grad, hess } = criterion.gradHess(logits, labels);
  const own = (values: Float32Array) => Float32Array.from(x, (_, row) => values[row * classes]);
  return { loss: criterion.forward(logits, labels), grad: own(grad), hess: own(hess) };
}
