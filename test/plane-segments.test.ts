// Softmax over planes of classes through the library: planes are staged as many segments at once as there is room for.
import { describe, expect, test } from 'vitest';
import { SoftmaxFocalLoss, softmaxFocalPosterior } from '../src/index.js';
import { firstDifference, random } from './support.js';

interface Shape {
  readonly classes: number;
  readonly images: number;
  readonly pixels: number;
}

/** Half floats that are exact, as their bits, one in each row's class and pixel. */
function example({ classes, images, pixels }: Shape) {
  const next = random(3);
  const rows = images * pixels;
  const halves = Uint16Array.from({ length: rows * classes }, () => 0x3c00 + Math.floor(2048 * next()));
  const numbers = Float32Array.from(halves, (bits) => (1 + (bits & 1023) / 1024) * 2 ** ((bits >> 10) - 15));
  const labels = Int32Array.from({ length: rows }, () => Math.floor(next() * classes));
  return { halves, numbers, labels };
}

/** [images, pixels, classes] as [images, classes, pixels]. */
function toPlanes<T extends Float32Array | Uint16Array>(rows: T, { classes, images, pixels }: Shape): T {
  const planes = rows.slice() as T;
  for (let n = 0; n < images; n++)
    for (let p = 0; p < pixels; p++)
      for (let c = 0; c < classes; c++) planes[(n * classes + c) * pixels + p] = rows[(n * pixels + p) * classes + c];
  return planes;
}

describe.each([
  { classes: 2, images: 2, pixels: 60_000 },
  { classes: 3, images: 1, pixels: 70_001 },
  { classes: 21, images: 3, pixels: 3000 },
  { classes: 21, images: 170, pixels: 49 },
  { classes: 30, images: 1, pixels: 546 },
  { classes: 5, images: 1, pixels: 2 },
])('%o', (shape) => {
  const { classes, images, pixels } = shape;
  const { halves, numbers, labels } = example(shape);
  const dims = [images, classes, pixels];
  const tensor = { data: toPlanes(numbers, shape), dims };
  const half = { data: toPlanes(halves, shape), dims, type: 'float16' } as const;
  const classWeight = Array.from({ length: classes }, (_, c) => (c + 1) / classes);

  test.each([{}, { classWeight }])('the bits of rows, in value, gradient and Hessian, from both types: %o', (given) => {
    const options = { ...given, numClasses: classes, gamma: 2, reduction: 'none' } as const;
    const rows = new SoftmaxFocalLoss(options);
    const planes = new SoftmaxFocalLoss({ ...options, classAxis: 1 });
    const { value, grad } = rows.valueAndGrad(numbers, labels);
    const { hess } = rows.gradHess(numbers, labels);
    for (const data of [tensor, half]) {
      expect(firstDifference(planes.forward(data, labels), value)).toBe(-1);
      const got = planes.valueAndGrad(data, labels);
      expect(firstDifference(got.value, value)).toBe(-1);
      expect(firstDifference(got.grad, toPlanes(grad, shape))).toBe(-1);
      expect(firstDifference(planes.gradHess(data, labels).hess, toPlanes(hess, shape))).toBe(-1);
    }
  });

  test.each([null, classWeight])('posteriors are those of rows: alpha %o', (alpha) => {
    const options = { numClasses: classes, gamma: 2, alpha };
    const expected = toPlanes(softmaxFocalPosterior(numbers, options), shape);
    for (const data of [tensor, half])
      expect(firstDifference(softmaxFocalPosterior(data, { ...options, classAxis: 1 }), expected)).toBe(-1);
  });
});
