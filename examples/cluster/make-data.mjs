// Writes scores and labels of a rare class to try the cluster with; the same on every machine.
//   node make-data.mjs DIRECTORY [FILES=4] [ROWS=2000000]
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { npy } from './npy.mjs';

const [directory, files = '4', rows = '2000000'] = process.argv.slice(2);
await mkdir(directory, { recursive: true });
for (let file = 0; file < Number(files); file++) {
  const random = xorshift(file + 1);
  const logits = new Float32Array(Number(rows));
  const targets = new Uint8Array(Number(rows));
  for (let row = 0; row < logits.length; row++) {
    targets[row] = random() < 0.02 ? 1 : 0;
    logits[row] = 4 * (random() + random() + random() - 1.5) + (targets[row] === 1 ? 1 : -3);
  }
  const name = join(directory, `part-${String(file).padStart(4, '0')}`);
  await writeFile(`${name}.logits.npy`, npy(logits));
  await writeFile(`${name}.targets.npy`, npy(targets));
}

/** Numbers in [0, 1). */
function xorshift(seed) {
  let state = seed * 2_654_435_761;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
