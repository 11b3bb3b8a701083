// The float64 entry's losses of hard targets against 60 digits: node test/sweep-float64.mjs [logits a gamma]   (after npm run build)
// Prints the worst of each gamma, and where. A minute or so for 300 logits.
import { Decimal as Base } from 'decimal.js';
import { FocalLoss } from '../dist/float64.js';

const Decimal = Base.clone({ precision: 60, minE: -9e15, maxE: 9e15 });
const GAMMAS = [0, 0.5, 1, 1.5, 2, 2.5, 3, 4, 5, 0.3, 1.7, 7.3, 10];
const ONE = new Decimal(1);
const count = Number(process.argv[2] ?? 300);

/** Every binary digit of a double below 2^53. */
function exact(value) {
  let [mantissa, exponent] = [value, 0];
  while (!Number.isSafeInteger(mantissa)) {
    const shift = Math.abs(mantissa) < 1 ? 52 : 1;
    [mantissa, exponent] = [mantissa * 2 ** shift, exponent - shift];
  }
  return new Decimal(mantissa).times(new Decimal(2).pow(exponent));
}

/** log(1 + e), e in (0, 1]. */
function log1p(e) {
  if (e.gt('1e-4')) return Decimal.ln(ONE.plus(e));
  let [sum, power] = [e, e];
  for (let k = 2; k < 16; k++) {
    power = power.times(e).neg();
    sum = sum.plus(power.div(k));
  }
  return sum;
}

/** What all gammas need of a logit whose sign is that of being wrong. */
function termsOf(u) {
  const x = exact(u);
  const e = Decimal.exp(x.abs().neg());
  const [large, small] = [ONE.div(ONE.plus(e)), e.div(ONE.plus(e))];
  const [q, p] = u > 0 ? [large, small] : [small, large];
  return { p, q, logQ: Decimal.ln(q), l: Decimal.max(x, 0).plus(log1p(e)) };
}

/** Logits of any size that matters, of either sign, the same each time. */
const logits = Float64Array.from({ length: count }, (_, k) => {
  const fraction = (k * 0.6180339887498949) % 1;
  return (k % 2 === 0 ? 1 : -1) * 10 ** (5.5 * fraction - 3) * (1 + k * 2 ** -20);
}).filter((u) => Math.abs(u) < 300);
const terms = Array.from(logits, termsOf);

for (const gamma of GAMMAS) {
  const criterion = new FocalLoss({ gamma, alpha: null, reduction: 'none' });
  const targets = new Uint8Array(logits.length); // 0: a positive logit is wrong
  const value = criterion.forward(logits, targets);
  const { grad, hess } = criterion.gradHess(logits, targets);
  const g = exact(gamma);
  let worst = { ulp: 0, at: 0, grad: 0, hess: 0 };
  terms.forEach(({ p, q, logQ, l }, k) => {
    const power = Decimal.exp(g.times(logQ));
    const truth = power.times(l);
    if (truth.lt(2 ** -1022)) return;
    const ulp = 2 ** (Math.floor(Math.log2(truth.toNumber())) - 52);
    const error = exact(value[k]).minus(truth).abs().div(ulp).toNumber();
    if (error > worst.ulp) worst = { ...worst, ulp: error, at: logits[k] };
    const slope = power.times(q.plus(g.times(p).times(l)));
    const bend = g.times(l).times(q.minus(g.times(p)));
    const curve = power.times(p).times(q.plus(g.times(2).times(q)).minus(bend));
    // of 1e-14 relative and 1e-15
    const share = (got, of) => exact(got).minus(of).abs().div(of.abs().times(1e-14).plus(1e-15)).toNumber();
    worst.grad = Math.max(worst.grad, share(grad[k], slope));
    worst.hess = Math.max(worst.hess, share(hess[k], curve));
  });
  const ofBound = `gradient ${worst.grad.toFixed(2)}, Hessian ${worst.hess.toFixed(2)} of their bound`;
  console.log(`gamma ${gamma}: worst ${worst.ulp.toFixed(2)} ulp at logit ${worst.at}, target 0; ${ofBound}`);
  if (!(worst.ulp <= 2 * (gamma + 4) && worst.grad <= 1 && worst.hess <= 1)) process.exitCode = 1;
}
