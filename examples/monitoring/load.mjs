// What the service can do in ten seconds, and what it holds in memory after a while of steady requests.
//   node load.mjs [--seconds 600] [--rate 50] [--connections 16] [--rows 8] [--workers 4]

import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import autocannon from 'autocannon';
import { events, FEATURES } from '../onnx-scoring/data.mjs';
import { memoryOf, startService } from './service.mjs';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '600' },
    rate: { type: 'string', default: '50' },
    connections: { type: 'string', default: '16' },
    rows: { type: 'string', default: '8' },
    workers: { type: 'string', default: '4' },
  },
});
const rows = Number(values.rows);
const { features, labels } = events(rows, 1);
const body = JSON.stringify({
  features: Array.from({ length: rows }, (_, row) => [...features.subarray(row * FEATURES, (row + 1) * FEATURES)]),
});
// predictions that are never labelled fill their room, and then stay as many
const service = await startService({
  WORKERS: values.workers,
  SLOT_SECONDS: '10',
  SLOTS: '6',
  MOST_PENDING: '100000',
  STATE: join(tmpdir(), `focal-load-${process.pid}.json`),
});
const pids = [service.child.pid, ...(await service.workers())];
const load = (seconds, rate) =>
  autocannon({
    url: `${service.url}/score`,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
    connections: Number(values.connections),
    duration: seconds,
    ...(rate && { overallRate: rate }),
  });

const report = (name, { requests, latency, non2xx, errors }) => {
  const { p50, p99 } = latency;
  console.log(
    `${name}: ${Math.round(requests.average)} requests/s of ${rows} rows, p50 ${p50} ms, p99 ${p99} ms, ${non2xx + errors} without an answer`,
  );
};

report('as fast as it can', await load(10));
const before = await memoryOf(pids);
let labelled = 0;
let over = false;
const running = Promise.resolve(load(Number(values.seconds), Number(values.rate))).finally(() => {
  over = true;
});
while (!over) {
  const { ids } = await service.post('/score', body);
  labelled += (await service.post('/labels', { ids, labels: [...labels] })).counted ?? 0;
  await sleep(100);
}
report('steadily', await running);
await sleep(2000);
const { counts, loss } = await service.window();
const memory = `memory of all processes ${before.toFixed(0)} MiB, after ${values.seconds} s ${(await memoryOf(pids)).toFixed(0)} MiB`;
console.log(`${memory}; ${labelled} labels were sent, ${counts.labels} counted, ${loss.count} of them in the window`);
await service.stop();
