// focal-loss-wasm/float64: as accurate as double precision allows, and otherwise the same library.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { LOSSES, type LossEntry, type Numbers, ROW_LOSSES } from '../losses/registry.js';
import * as single from '../src/index.js';
import { errorOf as errorIn, truthOf } from './oracle-family.js';
import { sharesLoss } from './oracle-shares.js';
import { softmaxPosterior } from './oracle-softmax.js';
import { errorOf, firstDifference, hardTargets, random, SEGMENT, someLogits, sum64 } from './support.js';
import { DOUBLE, SINGLE } from './widths.js';

const { library } = DOUBLE;
// biome-ignore lint/suspicious/noExplicitAny: losses are looked up by their names
const classes = library as any;
const make = (entry: LossEntry, options: object) => new classes[entry.name]({ ...entry.fixed, ...options });
const doubles = (length: number, next: (k: number) => number) =>
  Float64Array.from({ length }, (_, k) => next(k)) as unknown as Float32Array;

/** What the kernel's header promises of float64: `@bound64 A gamma + B ulp`. */
const header = readFileSync(new URL('../assembly/losses/focal-hard.ts', import.meta.url), 'utf8');
const [, perGamma, fixed] = /@bound64 ([\d.]+) gamma \+ ([\d.]+) ulp/.exec(header) ?? expect.fail('no bound');

/** Logits of either sign and any size that matters, some of them the worst that a sweep has found. */
const LOGITS = [-700.3, -88.1, -1.1, -1e-9, 0.31, 0.9948247217461139, 34.21549505003424, 690];

test.each([0, 0.5, 1, 1.5, 2, 2.5, 3.5, 5, 0.3, 1.7, 7.3, 10])(
  'gamma %d: hard targets are within the bound of the kernel',
  (gamma) => {
    const options = { gamma, alpha: 1, posWeight: 1, polyEpsilon: 0, labelSmoothing: 0 };
    const criterion = new library.FocalLoss({ gamma, alpha: null, reduction: 'none' });
    const logits = doubles(LOGITS.length, (k) => LOGITS[k]);
    const positives = new Uint8Array(LOGITS.length).fill(1);
    const value = criterion.forward(logits, positives);
    const { grad, hess } = criterion.gradHess(logits, positives);
    LOGITS.forEach((x, k) => {
      const truth = truthOf('Focal', x, 1, options);
      // a unit in the last place is at most 2^-52 of a number
      const bound = 2 * (Number(perGamma) * gamma + Number(fixed));
      if (truth.value.gt(1e-290)) expect(errorIn(value[k], truth.value), `value at ${x}`).toBeLessThan(bound);
      // 1e-14 relative and 1e-15
      expect(errorIn(grad[k], truth.grad, 0.1), `gradient at ${x}`).toBeLessThan(90);
      expect(errorIn(hess[k], truth.hess, 0.1), `Hessian at ${x}`).toBeLessThan(90);
    });
  },
);

test('what a smoothed target leaves of 1 counts where it is less than half a unit of it', () => {
  const labelSmoothing = 1e-17;
  const rest = labelSmoothing / 2;
  for (const gamma of [0, 2])
    for (const [positive, negative] of [
      [Uint8Array.of(1), Uint8Array.of(0)],
      [Float64Array.of(1), Float64Array.of(0)],
    ]) {
      const loss = new library.FocalLoss({ gamma, alpha: null, labelSmoothing });
      // |p - y| is the rest, and so is what the other class has of the cross entropy
      const expected = rest ** gamma * rest * 100;
      expect(loss.forward([100], positive) / expected, `gamma ${gamma}, target 1`).toBeCloseTo(1, 12);
      expect(loss.forward([-100], negative) / expected, `gamma ${gamma}, target 0`).toBeCloseTo(1, 12);
    }
});

test('so it does in derivatives, in whatever lane', () => {
  const labelSmoothing = 1e-17;
  const loss = new library.FocalLoss({ gamma: 0, alpha: null, labelSmoothing, reduction: 'none' });
  const logits = doubles(8, () => 100);
  const targets = new Uint8Array(8).fill(1);
  const outputs = [loss.valueAndGrad(logits, targets).grad, loss.gradHess(logits, targets).grad];
  for (const grad of outputs) for (const slope of grad) expect(slope / (labelSmoothing / 2)).toBeCloseTo(1, 12);
  for (const value of loss.forward(logits, targets)) expect(value / (50 * labelSmoothing)).toBeCloseTo(1, 12);
});

test('positives are counted whatever the number of targets', () => {
  for (let length = 1; length < 12; length++)
    for (let from = 0; from < 4; from++) {
      const targets = doubles(length, (k) => [1, 0.5, 0.75, 0.25][(k + from) % 4]);
      const positives = targets.filter((y) => y > 0.5).length;
      if (positives === 0) continue;
      const logits = doubles(length, (k) => k - 3);
      const sum = new library.FocalLoss({ gamma: 2, reduction: 'sum' }).forward(logits, targets);
      const perPositive = new library.FocalLoss({ gamma: 2, normalizer: 'positives' }).forward(logits, targets);
      expect(sum / perPositive, `${length} targets from ${from}`).toBeCloseTo(positives, 12);
    }
});

test('ignored bytes are of no loss where others are smoothed', () => {
  const options = { gamma: 2, labelSmoothing: 0.1, reduction: 'none' } as const;
  const logits = [0.5, -2, 3, 1, -1];
  const loss = new library.FocalLoss({ ...options, ignoreIndex: 255 });
  const kept = new library.FocalLoss(options).gradHess(logits, [0, 1, 0, 1, 1]);
  const { grad, hess } = loss.gradHess(logits, Uint8Array.of(0, 1, 255, 1, 255));
  expect([...loss.forward(logits, Uint8Array.of(255, 255, 255, 255, 255))]).toEqual([0, 0, 0, 0, 0]);
  expect([...grad]).toEqual([kept.grad[0], kept.grad[1], 0, kept.grad[3], 0]);
  expect([...hess]).toEqual([kept.hess[0], kept.hess[1], 0, kept.hess[3], 0]);
});

test('the largest logit of a row is found in whatever class it is', () => {
  for (const numClasses of [2, 3, 4, 5, 8, 9, 15, 17, 33, 40, 70]) {
    const logits = doubles(numClasses * numClasses, (k) => (k % (numClasses + 1) === 0 ? 2000 : 0));
    const targets = Int32Array.from({ length: numClasses }, (_, r) => (r % 2 === 0 ? r : (r + 1) % numClasses));
    const loss = new library.SoftmaxFocalLoss({ numClasses, gamma: 2, reduction: 'none' });
    const expected = Array.from(targets, (label, r) => (label === r ? 0 : 2000));
    expect([...loss.forward(logits, targets)]).toEqual(expected);
    const { grad, hess } = loss.gradHess(logits, targets);
    targets.forEach((label, r) => {
      expect(grad[r * numClasses + r]).toBeCloseTo(label === r ? 0 : 1, 12);
      expect(hess[r * numClasses + r]).toBeCloseTo(0, 12);
    });
    const posterior = library.softmaxFocalPosterior(logits, { numClasses, gamma: 2 });
    expect(posterior.every((p, k) => (k % (numClasses + 1) === 0 ? p === 1 : p >= 0 && p < 1e-100))).toBe(true);
  }
});

/** The defaults of a loss, and others for each seed. */
function optionsOf({ options }: LossEntry, seed: number): Numbers {
  const next = random(seed);
  return Object.fromEntries(
    Object.entries(options).map(([key, o]) => [key, seed === 0 ? o.fallback : o.min + (o.max - o.min) * next()]),
  );
}

describe.each(LOSSES.map((entry) => [entry.title, entry] as const))('%s', (title, entry) => {
  const targetsOf = entry.soft ? [0, 1, 1 - 2 ** -40, 0.3] : [0, 1];

  test('has the value, the gradient and the Hessian of its formula to the bounds of float32, a 2^29th of them', () => {
    const next = random(title.length);
    for (const seed of [0, 1]) {
      const options = optionsOf(entry, seed);
      const scale = Math.max(1, options.posWeight ?? 1, Math.abs(options.polyEpsilon ?? 0));
      for (const y of targetsOf) {
        // not next to where the quality focal loss is 0: there a double of p is too little
        const logits = doubles(1, () => (next() < 0.5 ? -1 : 1) * (1 + 10 * next() ** 2));
        const targets = doubles(1, () => y);
        const value = make(entry, { ...options, reduction: 'none' }).forward(logits, targets);
        const { grad, hess } = make(entry, options).gradHess(logits, targets);
        logits.forEach((x, k) => {
          const truth = truthOf(title, x, y, options);
          const where = `${JSON.stringify(options)} at x ${x} y ${y}`;
          const allowed = { relative: entry.bound.relative * 2 ** 24, gradient: entry.bound.gradient * 2 ** 24 };
          const least = (entry.bound.absolute / entry.bound.relative) * scale;
          expect(errorIn(value[k], truth.value, least), where).toBeLessThan(allowed.relative);
          expect(errorIn(grad[k], truth.grad, 4 * least), where).toBeLessThan(allowed.gradient);
          expect(errorIn(hess[k], truth.hess, 4 * least), where).toBeLessThan(allowed.gradient);
        });
      }
    }
  });

  test('passes a gradient check with steps of 1e-6 at 1e-7, and one of the Hessian', () => {
    const next = random(7 + title.length);
    const h = 1e-6;
    for (const seed of [0, 1, 2, 3]) {
      const options = optionsOf(entry, seed);
      const criterion = make(entry, { ...options, reduction: 'none' });
      for (const y of targetsOf) {
        const kinks = entry.kinks?.(y, options) ?? [];
        const logits = doubles(200, () => 30 * (next() - 0.5));
        const targets = doubles(200, () => y);
        const [up, down] = [h, -h].map((step) =>
          criterion.valueAndGrad(
            logits.map((x) => x + step),
            targets,
          ),
        );
        const { grad, hess } = criterion.gradHess(logits, targets);
        logits.forEach((x, k) => {
          if (kinks.some((kink) => Math.abs(x - kink) < 1e-2)) return;
          const step = x + h - (x - h);
          const size = 1 + Math.abs(grad[k]) + Math.abs(up.value[k]) + Math.abs(hess[k]);
          const first = (up.value[k] - down.value[k]) / step;
          const second = (up.grad[k] - down.grad[k]) / step;
          if (!(Math.abs(first - grad[k]) <= 1e-7 * size && Math.abs(second - hess[k]) <= 1e-7 * size)) {
            const got = `${grad[k]}, ${hess[k]}, not ${first}, ${second}`;
            expect.fail(`${JSON.stringify(options)} at x ${x} y ${y}: ${got}`);
          }
        });
      }
    }
  });
});

describe('a softmax', () => {
  test.each([
    [3, 'linear', {}],
    [3, 'split', { polyEpsilon: 0.5 }],
    [2, 'crossEntropy', { labelSmoothing: 0.1 }],
  ] as const)('of %d classes, %s %j: labels and shares', (numClasses, softTargets, more) => {
    const next = random(numClasses);
    const gamma = 1.7;
    const logits = doubles(2 * numClasses, () => 8 * (next() - 0.5));
    const labels = Int32Array.of(1, 0);
    const raw = doubles(2 * numClasses, () => next());
    const rowOf = (array: ArrayLike<number>, r: number) =>
      Array.from(array).slice(r * numClasses, (r + 1) * numClasses);
    const shares = raw.map((share, k) => share / sum64(rowOf(raw, Math.floor(k / numClasses))));
    const criterion = new library.SoftmaxFocalLoss({ numClasses, gamma, softTargets, reduction: 'none', ...more });
    for (const targets of [labels, shares]) {
      const { value, grad } = criterion.valueAndGrad(logits, targets);
      labels.forEach((label, r) => {
        const hot = Array.from({ length: numClasses }, (_, k) => (label === k ? 1 : 0));
        const options = { gamma, meaning: softTargets, ...more };
        const truth = sharesLoss(rowOf(logits, r), targets === labels ? hot : rowOf(shares, r), options);
        expect(Math.abs(value[r] / truth.loss - 1)).toBeLessThan(4e-15);
        truth.grad.forEach((slope, j) => {
          expect(Math.abs(grad[r * numClasses + j] - slope)).toBeLessThan(1e-14 * Math.abs(slope) + 1e-15);
        });
      });
    }
  });

  // side by side, one by one, longer than a block; by labels and by shares
  test.each([2, 33, 170])(
    'of %d classes: values are those of the definition in float64, and so are differences',
    (n) => {
      const next = random(n);
      const options = { numClasses: n, gamma: 2.2, alpha: 1, labelSmoothing: 0, polyEpsilon: 0 };
      const logits = doubles(3 * n, () => 8 * (next() - 0.5));
      const labels = Int32Array.of(1, 0, n - 1);
      const shares = doubles(3 * n, (k) => (k % n === labels[Math.floor(k / n)] ? 1 : 0));
      const criterion = new library.SoftmaxFocalLoss({ numClasses: n, gamma: 2.2, reduction: 'none' });
      const [byLabel, byShare] = [labels, shares].map((targets) => criterion.valueAndGrad(logits, targets));
      const [up, down] = [1e-6, -1e-6].map((h) =>
        criterion.forward(
          logits.map((z, k) => (k % n === 1 ? z + h : z)),
          labels,
        ),
      );
      labels.forEach((label, r) => {
        const [expected] = ROW_LOSSES[0].values([...logits.subarray(r * n, (r + 1) * n)], label, options);
        expect(Math.abs(byLabel.value[r] / expected - 1)).toBeLessThan(1e-13);
        expect(Math.abs(byShare.value[r] / expected - 1)).toBeLessThan(1e-13);
        expect(Math.abs((up[r] - down[r]) / 2e-6 - byLabel.grad[r * n + 1])).toBeLessThan(1e-7);
      });
      byLabel.grad.forEach((slope, k) => {
        if (!(Math.abs(slope - byShare.grad[k]) <= 1e-14)) expect.fail(`${k}: ${slope}, ${byShare.grad[k]}`);
      });
    },
  );

  test('gives planes the bits of rows, and posteriors that are right', () => {
    for (const [numClasses, rows] of [
      [2, 7],
      [5, 16],
      [40, 7],
    ]) {
      const next = random(numClasses);
      const logits = doubles(rows * numClasses, () => 6 * (next() - 0.5));
      const planes = doubles(logits.length, (k) => logits[(k % rows) * numClasses + Math.floor(k / rows)]);
      const labels = Int32Array.from({ length: rows }, (_, r) => (r * 3 + 1) % numClasses);
      const tensor = { data: planes, dims: [1, numClasses, rows] };
      for (const options of [{}, { labelSmoothing: 0.1 }]) {
        const byRow = new library.SoftmaxFocalLoss({ numClasses, gamma: 2.2, reduction: 'none', ...options });
        const byPlane = new library.SoftmaxFocalLoss({ ...byRow.options, classAxis: 1, reduction: 'none' } as never);
        const [a, b] = [byRow.valueAndGrad(logits, labels), byPlane.valueAndGrad(tensor, labels)];
        expect(firstDifference(a.value as never, b.value as never)).toBe(-1);
        const back = doubles(logits.length, (k) => b.grad[(k % numClasses) * rows + Math.floor(k / numClasses)]);
        expect(Math.max(...back.map((slope, k) => Math.abs(slope - a.grad[k])))).toBeLessThan(1e-15);
      }
      const posterior = library.softmaxFocalPosterior(logits, { numClasses, gamma: 2.2 });
      expect(Math.abs(sum64(posterior.subarray(0, numClasses)) - 1)).toBeLessThan(1e-14);
      if (numClasses > 2) continue; // the decimals take seconds
      const truth = softmaxPosterior([...logits.subarray(0, numClasses)], { gamma: 2.2 });
      truth.forEach((p, j) => {
        expect(errorIn(posterior[j], p), `class ${j}`).toBeLessThan(40);
      });
    }
  });
});

test('a posterior and a logit undo each other to 1e-14', () => {
  const probabilities = doubles(99, (k) => (k + 1) / 100);
  for (const gamma of [0, 0.5, 2, 3.3]) {
    const back = library.focalPosterior(library.focalLogit(probabilities, { gamma }), { gamma });
    probabilities.forEach((p, k) => {
      expect(Math.abs(back[k] / p - 1)).toBeLessThan(1e-14);
    });
  }
});

describe('numbers', () => {
  const n = SEGMENT + 77;
  const logits = someLogits(n);
  const hard = hardTargets(n);
  const criterion = new library.FocalLoss({ gamma: 2, reduction: 'none' });

  test('of any kind keep their value: a double is not that of float32, and a float32 is itself', () => {
    const expected = criterion.forward(Float64Array.from(logits), hard);
    expect(expected).toBeInstanceOf(Float64Array);
    expect(firstDifference(criterion.forward(logits, hard), expected)).toBe(-1);
    expect(firstDifference(criterion.forward([...logits], hard), expected)).toBe(-1);
    const fine = Float64Array.from(logits, (x) => x * (1 + 2 ** -40));
    expect(firstDifference(criterion.forward(fine, hard), expected)).toBe(0);
    for (const type of ['float16', 'bfloat16']) {
      const bits = Uint16Array.of(0x3c00, 0x0001, 0x8001, 0xc000, 0x7bff, 0x3555, 0x0400, 0x3e00, 0xb800);
      const ofHalves = criterion.forward({ data: bits, dims: [9], type } as never, new Uint8Array(9));
      const decoded = Array.from(bits, (half) => {
        if (type === 'bfloat16') return new Float32Array(Uint32Array.of(half << 16).buffer)[0];
        const [sign, exponent, fraction] = [half & 0x8000 ? -1 : 1, (half >> 10) & 31, half & 1023];
        return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
      });
      expect(firstDifference(ofHalves, criterion.forward(decoded, new Uint8Array(9)))).toBe(-1);
    }
  });

  test('in a workspace are read and written where they are', () => {
    const workspace = new library.Workspace(24 * n);
    const [x, out] = [workspace.float64(n), workspace.float64(n)];
    const y = workspace.uint8(n);
    x.set(logits);
    y.set(hard);
    const got = criterion.forward(x, y, { out: out as never });
    expect(got).toBe(out);
    expect(firstDifference(got, criterion.forward(Float64Array.from(logits), hard))).toBe(-1);
    expect(x.every((value, k) => value === logits[k])).toBe(true);
  });

  test('of results go into Float64Arrays alone', () => {
    const { message } = errorOf(() => criterion.forward([1], [1], { out: new Float32Array(1) }));
    expect(message).toBe('"out" expected a Float64Array, got a Float32Array of length 1');
  });

  test('that are targets are ignored and checked as doubles', () => {
    const skipping = new library.FocalLoss({ ignoreIndex: -1, reduction: 'none' });
    const targets = Float64Array.of(1, -1, 0.25, 0);
    const plain = new library.FocalLoss({ reduction: 'none' });
    const workspace = new library.Workspace(64);
    const inside = workspace.float64(4);
    inside.set(targets);
    const expected = plain.forward([1, 2, 3, 4], [1, 0, 0.25, 0]).map((loss, k) => (k === 1 ? 0 : loss));
    for (const given of [targets, [...targets], inside, Float32Array.from(targets)]) {
      expect(firstDifference(skipping.forward([1, 2, 3, 4], given), expected)).toBe(-1);
    }
    const above = [0, 1 + 2 ** -52, 1];
    expect(errorOf(() => plain.forward([1, 2, 3], above))).toMatchObject({ argument: 'targets', index: 1 });
    const peaks = new library.LossMeter(new library.HeatmapFocalLoss());
    peaks.update([1, 2, 3], [1, 1 - 2 ** -53, 1 - 2 ** -30]);
    expect(peaks.compute().positives).toBe(1);
  });

  test('that are probabilities are those of float64, to either end', () => {
    const given = { fromLogits: false, gamma: 0, alpha: null, reduction: 'none' } as const;
    const p = Float64Array.of(1e-300, 1e-12, 0.3, 1 - 2 ** -50);
    const losses = new library.FocalLoss(given).forward(p, [0, 0, 0, 1]);
    p.forEach((value, k) => {
      const expected = k === 3 ? -Math.log1p(value - 1) : -Math.log1p(-value);
      expect(Math.abs(losses[k] - expected)).toBeLessThanOrEqual(8e-16 * expected);
    });
  });
});

test('a sum is that of its losses to 1e-14, whatever their number', () => {
  const n = 300_000;
  const logits = doubles(n, (k) => 8 * Math.sin(k));
  const hard = hardTargets(n);
  const exact = sum64(new library.FocalLoss({ gamma: 2, reduction: 'none' }).forward(logits, hard));
  const sum = new library.FocalLoss({ gamma: 2, reduction: 'sum' }).forward(logits, hard);
  expect(Math.abs(sum / exact - 1)).toBeLessThan(1e-14);
});

test('it exports what the core entry does', () => {
  expect(Object.keys(library).sort()).toEqual(Object.keys(single).sort());
});

test('a loss of one entry is no loss of the other', () => {
  const { message } = errorOf(() => new single.LossMeter(new library.FocalLoss() as never));
  expect(message).toMatch(/; this one is of another copy or entry of focal-loss-wasm: import both from the same$/);
});

test('weights that float32 cannot hold are weights of double precision, and an error elsewhere', () => {
  const [wide, narrow] = [DOUBLE, SINGLE].map(({ library }) => new library.BCEWithLogitsLoss({ reduction: 'sum' }));
  expect(wide.forward([0], [1], { weight: [1e200] }) / (1e200 * Math.LN2)).toBeCloseTo(1, 14);
  expect(() => narrow.forward([0], [1], { weight: [1e200] })).toThrow(
    '"weight" expected a number that float32 can hold at index 0, got 1e+200',
  );
});

test('targets in a workspace are left out where they are ignored', () => {
  const workspace = new library.Workspace(3 * 8 * 100);
  const [x, y] = [workspace.float64(50), workspace.float64(50)];
  y.forEach((_, k) => {
    [x[k], y[k]] = [k / 7 - 3, [0, 0.5, 1, -7.25][k % 4]];
  });
  const criterion = new library.FocalLoss({ ignoreIndex: -7.25, reduction: 'none' });
  const losses = criterion.forward(x, y);
  expect(firstDifference(losses, criterion.forward([...x], [...y]))).toBe(-1);
  expect([...losses].map((loss) => loss === 0)).toEqual([...y].map((target) => target < 0));
});

test('what lies behind an even number of targets is not counted', () => {
  const workspace = new library.Workspace(65_536);
  const [logits, targets] = [workspace.float64(2), workspace.float64(4)];
  logits.set([1, -1]);
  targets.set([0.25, 0.75, 1, 3]);
  const loss = new library.FocalLoss({ gamma: 2, normalizer: 'positives' });
  expect(loss.forward(logits, targets.subarray(0, 2))).toBe(loss.forward([1, -1], [0.25, 0.75]));
});

test('ignored bytes are of no loss among more than a block', () => {
  const loss = new library.FocalLoss({ gamma: 2, labelSmoothing: 0.1, ignoreIndex: 2, reduction: 'sum' });
  const logits = doubles(333, (k) => (k % 9) - 4);
  expect(loss.forward(logits, new Uint8Array(333).fill(2))).toBe(0);
});

test('a row of many classes keeps its digits however far from 0 its logits are', () => {
  const classes = 40;
  const near = doubles(3 * classes, (k) => ((k * 29) % 64) / 16 - 2);
  const labels = Int32Array.of(3, 17, 39);
  for (const gamma of [0, 2])
    for (const offset of [990, -990]) {
      const loss = new library.SoftmaxFocalLoss({ numClasses: classes, gamma, reduction: 'none' });
      const expected = loss.forward(near, labels);
      const far = loss.forward(
        near.map((z) => z + offset),
        labels,
      );
      for (let r = 0; r < 3; r++) expect(Math.abs(far[r] / expected[r] - 1), `${offset}, row ${r}`).toBeLessThan(1e-14);
    }
});

test('a class whose logit is -Infinity has no part in a row of many', () => {
  const logits = doubles(40, (k) => (k === 7 ? Number.NEGATIVE_INFINITY : k / 10));
  const loss = new library.SoftmaxFocalLoss({ numClasses: 40, gamma: 2, reduction: 'none' });
  const { value, grad } = loss.valueAndGrad(logits, [3]);
  const { value: other } = loss.valueAndGrad(
    logits.map((z) => (Number.isFinite(z) ? z : -700)),
    [3],
  );
  expect([value[0] / other[0], grad[7]]).toEqual([1, 0]);
  expect(library.softmaxFocalPosterior(logits, { numClasses: 40, gamma: 2 })[7]).toBe(0);
});

test("Poly-1's second derivative by a probability is held at 1e-12 of its distance from the target", () => {
  const loss = new library.FocalLoss({ gamma: 1, alpha: null, fromLogits: false, polyEpsilon: 1, reduction: 'none' });
  for (const distance of [2 ** -40, 2 ** -41, 2 ** -42]) {
    // epsilon gamma (gamma + 1) c^(gamma - 1), of which one c is what it is and the other held, beside q^g (1 / p^2 + ...)
    const { hess } = loss.gradHess([1 - distance], [1]);
    const focal = new library.FocalLoss({ gamma: 1, alpha: null, fromLogits: false, reduction: 'none' });
    const rest = focal.gradHess([1 - distance], [1]).hess[0];
    expect(hess[0] - rest, `${distance}`).toBeCloseTo((2 * distance) / Math.max(distance, 1e-12), 9);
  }
});

test('a margin up to the smallest normal number is none', () => {
  const wrong = (margin: number) =>
    new library.AsymmetricLoss({ gammaPositive: 0, gammaNegative: 1, margin, reduction: 'sum' }).forward(
      [Infinity],
      [0],
    );
  expect(wrong(2 ** -1022 * (1 + 2 ** -52))).toBeCloseTo(1022 * Math.LN2, 10);
  expect(wrong(1e-300)).toBeCloseTo(300 * Math.LN10, 10);
  for (const none of [2 ** -1022, 2.2e-308, 0]) expect(wrong(none)).toBe(Number.POSITIVE_INFINITY);
});
