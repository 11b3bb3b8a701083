import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { BCEWithLogitsLoss, FocalLoss, sigmoidFocalLoss } from '../src/index.js';
import { Decimal, exact, float32FromBits, SMALLEST_NORMAL, ulpDistance } from './oracle.js';
import type { BinaryGroup } from './vectors/cases.js';

const groups = JSON.parse(readFileSync(new URL('./vectors/binary.json', import.meta.url), 'utf8')) as BinaryGroup[];
const BOUNDED_IN_ULPS = [0, 0.5, 1, 1.5, 2, 2.5, 3, 4, 5];

/** Why a loss is not good enough, or '' */
function lossFault(actual: number, truth: Decimal, gamma: number): string {
  if (!(actual >= 0)) return 'NaN or negative';
  if (!truth.isFinite()) return actual === truth.toNumber() ? '' : 'finite';
  const error = exact(actual).minus(truth).abs();
  if (truth.lt(SMALLEST_NORMAL)) return error.lte(SMALLEST_NORMAL) ? '' : 'far from a truth below every normal number';
  if (BOUNDED_IN_ULPS.includes(gamma)) {
    const ulp = ulpDistance(actual, truth);
    return ulp <= 2 * (gamma + 2) ? '' : `${ulp.toFixed(2)} ulp`;
  }
  return error.div(truth).lte(2e-6) ? '' : `relative error ${error.div(truth).toExponential(2)}`;
}

function slopeFault(actual: number, truth: Decimal): string {
  if (!Number.isFinite(actual)) return 'not finite';
  const error = exact(actual).minus(truth).abs();
  return error.lte(truth.abs().times(2e-6).plus(2e-7)) ? '' : `error ${error.toExponential(2)}`;
}

function check(group: BinaryGroup, targets: (hard: number[]) => Float32Array | Uint8Array): string[] {
  const { weight, ...options } = group.options;
  const logits = Float32Array.from(group.rows, ([bits]) => float32FromBits(Number.parseInt(bits, 16)));
  const labels = targets(group.rows.map(([, y]) => y));
  const call = weight === undefined ? {} : { weight: new Float32Array(logits.length).fill(weight) };
  const criterion = new FocalLoss({ ...options, reduction: 'none' });
  const loss = criterion.forward(logits, labels, call);
  const both = criterion.valueAndGrad(logits, labels, call);
  const { grad, hess } = criterion.gradHess(logits, labels, call);
  const faults: string[] = [];
  group.rows.forEach(([bits, y, value, slope, curvature], k) => {
    const report = (what: string, fault: string, got: number, want: string) => {
      if (fault) faults.push(`${JSON.stringify(group.options)} 0x${bits} y ${y} ${what}: ${fault}, ${got} not ${want}`);
    };
    const truth = new Decimal(value);
    report('loss', lossFault(loss[k], truth, options.gamma), loss[k], value);
    report('valueAndGrad.value', lossFault(both.value[k], truth, options.gamma), both.value[k], value);
    if (slope !== null) {
      report('grad', slopeFault(grad[k], new Decimal(slope)), grad[k], slope);
      report('valueAndGrad.grad', slopeFault(both.grad[k], new Decimal(slope)), both.grad[k], slope);
    }
    if (curvature !== null) report('hess', slopeFault(hess[k], new Decimal(curvature)), hess[k], curvature);
  });
  return faults;
}

const isHard = (group: BinaryGroup) => group.rows.every(([, y]) => y === 0 || y === 1);

test('every vector, targets as floats', () => {
  expect(groups.flatMap((group) => check(group, Float32Array.from.bind(Float32Array))).slice(0, 20)).toEqual([]);
});

test('every vector of hard targets, as bytes', () => {
  expect(
    groups
      .filter(isHard)
      .flatMap((group) => check(group, Uint8Array.from.bind(Uint8Array)))
      .slice(0, 20),
  ).toEqual([]);
});

test('the vectors cross gamma, alpha, posWeight, soft targets and probabilities', () => {
  const seen = (key: keyof BinaryGroup['options']) => new Set(groups.map(({ options }) => options[key]));
  expect(seen('gamma').size).toBe(13);
  expect(seen('alpha')).toEqual(new Set([null, 0.25, 0.75, 0, 1]));
  expect(seen('posWeight')).toEqual(new Set([undefined, 1, 3, 0.5]));
  expect(groups.filter((group) => !isHard(group)).length).toBeGreaterThan(13);
  expect(groups.filter(({ options }) => options.fromLogits === false).length).toBe(4);
});

test('the defaults are gamma 1.5, alpha 0.25, mean, posWeight 1', () => {
  const logits = Float32Array.of(-2, 0.5, 3);
  const targets = Uint8Array.of(1, 0, 1);
  const spelled = { gamma: 1.5, alpha: 0.25, reduction: 'mean', posWeight: 1 } as const;
  const expected = new FocalLoss(spelled).forward(logits, targets);
  expect(new FocalLoss().forward(logits, targets)).toBe(expected);
  expect(sigmoidFocalLoss(logits, targets)).toBe(expected);
  expect(new FocalLoss({ lossFcn: new BCEWithLogitsLoss() }).forward(logits, targets)).toBe(expected);
});
