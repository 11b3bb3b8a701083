// What the programs share: their options, and the loop that trains a model with a loss of the library.
import { parseArgs } from 'node:util';
import { FOLDER, PIXELS } from './data.mjs';
import { LinearModel, random, shuffle } from './model.mjs';

const BATCH = 128;
const RATE = 0.005;

/** Command line options: those of every program, and a program's own. */
export function options(own = {}) {
  const { values } = parseArgs({
    options: {
      data: { type: 'string', default: FOLDER },
      small: { type: 'boolean', default: false },
      ...own,
    },
  });
  // --small: a quarter of the training images, for CI
  return { ...values, images: values.small ? 15000 : 60000 };
}

/**
 * Ten epochs of minibatches in a fixed order, at a rate that falls linearly to 0. Targets have as many numbers for each image
 * as the criterion wants: a label, or one for each output.
 * @returns {{ model: LinearModel, losses: number[] }} the mean loss of each epoch
 */
export function train({ images, targets, criterion, outputs, epochs = 10, seed = 1 }) {
  const model = new LinearModel(PIXELS, outputs);
  const next = random(seed);
  const order = Array.from({ length: images.length / PIXELS }, (_, row) => row);
  const width = targets.length / order.length;
  const batches = Math.floor(order.length / BATCH);
  const batch = new Uint8Array(BATCH * width);
  const gradOut = new Float32Array(BATCH * outputs);
  const losses = [];
  for (let epoch = 0; epoch < epochs; epoch++) {
    shuffle(order, next);
    let sum = 0;
    for (let i = 0; i < batches; i++) {
      const rows = order.slice(i * BATCH, (i + 1) * BATCH);
      rows.forEach((row, j) => {
        batch.set(targets.subarray(row * width, (row + 1) * width), j * width);
      });
      const { value, grad } = criterion.valueAndGrad(model.logits(images, rows), batch, { gradOut });
      model.step(images, rows, grad, RATE * (1 - (epoch * batches + i) / (epochs * batches)));
      sum += value;
    }
    losses.push(sum / batches);
  }
  return { model, losses };
}

/** Prints what is expected; the process exits with 1 where it is not so. */
export function check(what, holds) {
  console.log(`${holds ? 'ok    ' : 'FAILED'} ${what}`);
  if (!holds) process.exitCode = 1;
}

/** Numbers under headings, one line a row. */
export function table(headings, rows) {
  const lines = [headings, ...rows].map(([label, ...cells]) => {
    const texts = cells.map((cell) => (typeof cell === 'number' ? cell.toFixed(4) : cell));
    return label.padEnd(28) + texts.map((text) => text.padStart(17)).join('');
  });
  console.log(`${lines.join('\n')}\n`);
}

/** The heading over the best of a row's numbers: the smallest of an error, the largest of all else. */
export function best(headings, name, values) {
  const wanted = name.startsWith('ECE') ? Math.min(...values) : Math.max(...values);
  return headings.filter((_, i) => values[i] === wanted).join(', ');
}
