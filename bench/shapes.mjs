// What other shapes and types cost beside the plain ones, in one interleaved run each: planes of classes beside rows, labels
// beside one-hot bytes, half floats beside float32.   npm run bench:shapes
import { writeFileSync } from 'node:fs';
import { FocalLoss, OneHotFocalLoss, SoftmaxFocalLoss } from 'focal-loss-wasm';
import { generator } from './inputs.mjs';
import { interleave } from './interleave.mjs';
import { machine } from './machine.mjs';
import { round } from './round.mjs';

const SECONDS = 4;
const SIDE = 256;
const PIXELS = SIDE * SIDE;

const run = machine();
console.log(`${run.processor}, ${run.cores} cores, Node ${run.node}, ${run.date}`);
const wave = (length) => Float32Array.from({ length }, (_, i) => 6 * Math.sin(12.9898 * i));
const random = generator(0x51ed270b);
/** Labels that no processor foresees. */
const labelsOf = (length, numClasses) => Int32Array.from({ length }, () => Math.floor(random() * numClasses));
const rows = [];

/** Prints how many times as fast as the last case each other one is. */
async function compare(title, cases) {
  const times = await interleave(
    Object.entries(cases).map(([name, each]) => ({ name, run: each })),
    { seconds: SECONDS },
  );
  const names = Object.keys(cases);
  const base = times[names.at(-1)];
  for (const name of names.slice(0, -1)) {
    const ratio = base / times[name];
    console.log(`  ${`${title}: ${name} beside ${names.at(-1)}`.padEnd(72)} ${ratio.toFixed(2)}`);
    rows.push({ name: `${title}: ${name}`, beside: names.at(-1), ratio: round(ratio) });
  }
}

for (const numClasses of [2, 4, 10, 21]) {
  const [x, gradOut] = [wave(PIXELS * numClasses), new Float32Array(PIXELS * numClasses)];
  const y = labelsOf(PIXELS, numClasses);
  const options = { numClasses, gamma: 2, reduction: 'sum' };
  const planes = new SoftmaxFocalLoss({ ...options, classAxis: 1 });
  const byRow = new SoftmaxFocalLoss(options);
  const tensor = { data: x, dims: [1, numClasses, SIDE, SIDE] };
  const labels = { data: y, dims: [1, SIDE, SIDE] };
  const title = `softmax of ${numClasses} classes, ${SIDE} x ${SIDE}`;
  await compare(title, { planes: () => planes.forward(tensor, labels), rows: () => byRow.forward(x, y) });
  await compare(`${title}, with gradient`, {
    planes: () => planes.valueAndGrad(tensor, labels, { gradOut }),
    rows: () => byRow.valueAndGrad(x, y, { gradOut }),
  });
}

for (const numClasses of [80, 10]) {
  const count = Math.round((80 * 16_384) / numClasses);
  const x = wave(numClasses * count);
  // one row in ten has a class, as the anchors of a detector
  const labels = labelsOf(count, numClasses).map((label) => (random() < 0.1 ? label : numClasses));
  const made = () => {
    const bytes = new Uint8Array(x.length);
    for (let row = 0; row < count; row++) if (labels[row] < numClasses) bytes[row * numClasses + labels[row]] = 1;
    return bytes;
  };
  const bytes = made();
  const oneHot = new OneHotFocalLoss({ numClasses, gamma: 2, reduction: 'sum' });
  const plain = new FocalLoss({ gamma: 2, reduction: 'sum' });
  const byLabel = () => oneHot.forward(x, labels);
  await compare(`${numClasses} sigmoids a row`, {
    labels: byLabel,
    'one-hot bytes at hand': () => plain.forward(x, bytes),
  });
  await compare(`${numClasses} sigmoids a row`, {
    labels: byLabel,
    'one-hot bytes made': () => plain.forward(x, made()),
  });
}

{
  const length = 1 << 20;
  const x = wave(length);
  const y = Uint8Array.from({ length }, (_, i) => Number(i % 5 === 0));
  // 1.5 and its neighbours, whose bits are at hand without a conversion
  const halves = Uint16Array.from({ length }, (_, i) => 0x3e00 + ((7 * i) % 512));
  const criterion = new FocalLoss({ gamma: 2, reduction: 'sum' });
  const tensor = { data: halves, dims: [length], type: 'float16' };
  await compare('1,048,576 logits', {
    float16: () => criterion.forward(tensor, y),
    float32: () => criterion.forward(x, y),
  });
}

const file = new URL(`results/shapes-${run.node.split('.')[0]}.json`, import.meta.url);
writeFileSync(file, `${JSON.stringify({ ...run, rows }, null, 2)}\n`);
