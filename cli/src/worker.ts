// One thread of a large input: scores its share of the blocks, and gives the state of its meters.
import { parentPort, workerData } from 'node:worker_threads';
import { UsageError } from './errors.js';
import { evaluate } from './evaluate.js';
import { openInput } from './open.js';
import type { Task, Told } from './parallel.js';
import { Scratch } from './scratch.js';

const { input, evaluation } = workerData as Task;
const tell = (told: Told) => parentPort?.postMessage(told);
let told: Told;
try {
  told = await work();
} catch (error) {
  told = {
    kind: 'error',
    usage: error instanceof UsageError,
    message: error instanceof Error ? error.message : String(error),
  };
}
tell(told);

async function work(): Promise<Told> {
  const scratch = new Scratch();
  const opened = await openInput(input, scratch);
  try {
    const { models, skipped, rows } = await evaluate({
      ...evaluation,
      table: opened.table,
      onProgress() {},
      warn: (message) => tell({ kind: 'warning', message }),
    });
    return { kind: 'done', models: models.map((model) => model.toJSON()), skipped, rows };
  } finally {
    await opened.close();
    await scratch.clear();
  }
}
