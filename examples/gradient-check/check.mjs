// Checks derivatives that somebody wrote by hand against differences of the loss itself: node check.mjs
import { FocalLoss } from 'focal-loss-wasm/float64';

const OPTIONS = { gamma: 2, alpha: 0.25 };

/** A gradient written down by hand, as code reviews meet it: the factor (1 - p_t)^gamma is taken for a constant. */
function handWritten(x, y) {
  const p = 1 / (1 + Math.exp(-x));
  const [pt, sign, alpha] = y === 1 ? [p, -1, OPTIONS.alpha] : [1 - p, 1, 1 - OPTIONS.alpha];
  return alpha * sign * (1 - pt) ** (OPTIONS.gamma + 1);
}

/** The same with what the factor adds. */
function corrected(x, y) {
  const p = 1 / (1 + Math.exp(-x));
  const [pt, sign, alpha] = y === 1 ? [p, -1, OPTIONS.alpha] : [1 - p, 1, 1 - OPTIONS.alpha];
  const ofFactor = OPTIONS.gamma * pt * Math.log(pt) * (1 - pt) ** OPTIONS.gamma;
  return alpha * sign * ((1 - pt) ** (OPTIONS.gamma + 1) - ofFactor);
}

/** The largest distance of a gradient from central differences with steps of 1e-6, and where. */
function check(gradient) {
  const h = 1e-6;
  const criterion = new FocalLoss({ ...OPTIONS, reduction: 'none' });
  const logits = Float64Array.from({ length: 201 }, (_, k) => (k - 100) / 10);
  let worst = { distance: 0 };
  for (const y of [0, 1]) {
    const targets = new Uint8Array(logits.length).fill(y);
    const [up, down] = [h, -h].map((step) =>
      criterion.forward(
        logits.map((x) => x + step),
        targets,
      ),
    );
    logits.forEach((x, k) => {
      const difference = (up[k] - down[k]) / (x + h - (x - h));
      const distance = Math.abs(gradient(x, y) - difference);
      if (!(distance <= worst.distance)) worst = { distance, x, y, difference };
    });
  }
  return worst;
}

let failed = false;
for (const [gradient, isRight] of [
  [handWritten, false],
  [corrected, true],
  [(x, y) => new FocalLoss({ ...OPTIONS, reduction: 'none' }).valueAndGrad([x], [y]).grad[0], true],
]) {
  const { distance, x, y, difference } = check(gradient);
  const passes = distance <= 1e-7;
  const name = gradient.name || 'valueAndGrad';
  console.log(
    passes
      ? `${name}: within ${distance.toExponential(1)} of the differences`
      : `${name}: wrong by ${distance.toFixed(3)} at logit ${x}, target ${y}, where the slope is ${difference.toFixed(3)}`,
  );
  failed ||= passes !== isRight;
}
if (failed) process.exitCode = 1;
