// The service as it runs, with four processes: what it counts, what it refuses, what it loses when something dies.
//   node --test test.mjs
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import autocannon from 'autocannon';
import { focalPosterior } from 'focal-loss-wasm';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { events, FEATURES } from '../onnx-scoring/data.mjs';
import { startService } from './service.mjs';
import { restore } from './state-file.mjs';
import { SlidingWindow, Tally } from './window.mjs';

const options = { gamma: 2, alpha: 0.75 };
const scratch = await mkdtemp(join(tmpdir(), 'focal-monitoring-'));
const services = [];
after(async () => {
  for (const service of services) await service.stop('SIGKILL');
  await rm(scratch, { recursive: true, force: true });
});

async function start(env, prefix = '') {
  const service = await startService(env, prefix);
  services.push(service);
  return service;
}

const session = await InferenceSession.create(fileURLToPath(new URL('../onnx-scoring/model.onnx', import.meta.url)));

/** Requests of different lengths, with the logits that they must get. */
async function requestsOf(count, seed) {
  const requests = [];
  for (let k = 0; k < count; k++) {
    const rows = 1 + ((k * 7) % 23);
    const { features, labels } = events(rows, seed + k);
    const { logits } = await session.run({ features: new Tensor('float32', features, [rows, FEATURES]) });
    const rowsOf = Array.from({ length: rows }, (_, row) => [
      ...features.subarray(row * FEATURES, (row + 1) * FEATURES),
    ]);
    requests.push({ features: rowsOf, labels: [...labels], targets: labels, logits: Float32Array.from(logits.data) });
  }
  return requests;
}

/** What one process would have. */
function expected(requests) {
  const tally = new Tally(options);
  for (const { logits, targets } of requests) {
    tally.loss.update(logits, targets);
    tally.calibration.update(focalPosterior(logits, options), targets);
  }
  return JSON.parse(JSON.stringify({ loss: tally.loss.compute(), calibration: tally.calibration.compute() }));
}

async function until(condition) {
  for (let tries = 0; tries < 600; tries++) {
    if (await condition()) return;
    await sleep(50);
  }
  throw new Error('it has not come to pass within thirty seconds');
}

const sum = (requests) => requests.reduce((total, { labels }) => total + labels.length, 0);

test('four processes together have the bits of one, and a label counts once', async () => {
  const received = [];
  const collector = createServer(async (request, response) => {
    received.push(await json(request));
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  }).listen(0, '127.0.0.1');
  await once(collector, 'listening');
  const service = await start({
    WORKERS: '4',
    HAND_OVER_SECONDS: '0.1',
    STATE: join(scratch, 'four.json'),
    OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: `http://127.0.0.1:${collector.address().port}/v1/metrics`,
    OTEL_SECONDS: '0.2',
  });
  const requests = await requestsOf(40, 1);
  const answers = await Promise.all(requests.map(({ features }) => service.post('/score', { features })));
  answers.forEach(({ probabilities }, k) => {
    assert.deepEqual(probabilities, [...focalPosterior(requests[k].logits, options)]);
  });
  const send = () =>
    Promise.all(answers.map(({ ids }, k) => service.post('/labels', { ids, labels: requests[k].labels })));
  const first = await send();
  assert.deepEqual(
    first.map(({ counted }) => counted),
    requests.map(({ labels }) => labels.length),
  );
  const again = await send();
  assert.equal(
    again.every(({ counted, unknown }, k) => counted === 0 && unknown === requests[k].labels.length),
    true,
  );
  const count = sum(requests);
  await until(async () => (await service.window()).counts.labels === count);
  const { loss, calibration, counts } = await service.window();
  assert.deepEqual({ loss, calibration }, expected(requests));
  assert.deepEqual([counts.predictions, counts.unknown, counts.lost], [count, count, 0]);

  const text = await service.prometheus();
  assert.match(text, new RegExp(`^focal_window_mean_loss ${loss.mean}$`, 'm'));
  assert.match(text, new RegExp(`^focal_window_labels\\{class="positive"\\} ${loss.positives}$`, 'm'));
  assert.match(text, new RegExp(`^focal_labels_total ${count}$`, 'm'));

  // a collector of OpenTelemetry is sent the same numbers
  const metrics = () => received.at(-1)?.resourceMetrics[0].scopeMetrics[0].metrics ?? [];
  const pointsOf = (name) =>
    metrics()
      .find((metric) => metric.name === name)
      ?.gauge?.dataPoints.map(({ asDouble, asInt }) => Number(asDouble ?? asInt));
  await until(() => pointsOf('focal_window_mean_loss')?.[0] === loss.mean);
  assert.deepEqual(pointsOf('focal_window_labels'), [loss.positives, loss.negatives]);

  // under load every request is answered, and every prediction counted
  const result = await autocannon({
    url: `${service.url}/score`,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ features: Array(8).fill(requests[0].features[0]) }),
    connections: 16,
    duration: 3,
  });
  assert.deepEqual([result.non2xx, result.errors, result.timeouts], [0, 0, 0]);
  assert.ok(result['2xx'] > 10);
  // those in flight at the end were answered as well
  const predicted = (await service.window()).counts.predictions - count;
  assert.ok(predicted >= 8 * result['2xx'], `${predicted} of ${8 * result['2xx']}`);
  console.log(`${Math.round(result.requests.average)} requests/s of 8 rows, p99 ${result.latency.p99} ms`);
  await service.stop();
  collector.close();
});

// its disk is full from the start, and its workers hand over only when they are asked to stop
let full;
const path = join(scratch, 'full.json');
const empty = JSON.stringify(new SlidingWindow(options, { slotSeconds: 60, slots: 60 }));

test('a full disk costs no state and no answer', async () => {
  await writeFile(path, empty);
  full = await start({ WORKERS: '2', HAND_OVER_SECONDS: '3600', STATE: path, SAVE_SECONDS: '0.1' }, 'ulimit -f 0;');
  await until(async () => (await full.window()).counts.unsaved > 1);
  assert.match(full.log(), /full\.json is not written, and the last one stays: EFBIG/);
  assert.equal((await full.post('/score', { features: [] })).status, 200);
  assert.equal(await readFile(path, 'utf8'), empty);
});

test('bad input is answered with 400 and a code, and takes no prediction from its label', async () => {
  const service = full;
  const [{ features }] = await requestsOf(1, 9);
  const { ids } = await service.post('/score', { features });
  for (const [path, body, code, message] of [
    ['/labels', { ids, labels: [7] }, 'FOCAL_LOSS_ARGUMENT', '"targets" expected 0 or 1 at index 0, got 7'],
    ['/labels', { ids, labels: [0.5] }, 'FOCAL_LOSS_ARGUMENT', '"targets" expected 0 or 1 at index 0, got 0.5'],
    ['/labels', { ids, labels: ['1'] }, 'FOCAL_LOSS_ARGUMENT', '"targets" expected '],
    ['/labels', { ids, labels: [0, 1] }, 'FOCAL_LOSS_ARGUMENT', '"targets" expected length 1'],
    ['/labels', { ids: [1], labels: [1] }, 'FST_ERR_VALIDATION', 'body/ids/0 must be string'],
    ['/score', { features: [[1]] }, 'FST_ERR_VALIDATION', 'body/features/0 must NOT have fewer than 8 items'],
    ['/score', { features: [Array(8).fill('1')] }, 'FST_ERR_VALIDATION', 'body/features/0/0 must be number'],
    [
      '/score',
      { features: [[1e39, -1e39, 0, 0, 0, 0, 0, 0]] },
      'NO_SCORE',
      '"features" expected numbers that the model',
    ],
    ['/score', '{"features": [[1', 'FST_ERR_CTP_INVALID_JSON_BODY', ''],
  ]) {
    const answer = await service.post(path, body);
    assert.deepEqual([answer.status, answer.code], [400, code], JSON.stringify([body, answer]));
    assert.ok(answer.error.startsWith(message), answer.error);
  }
  assert.equal((await service.post('/labels', { ids, labels: [1] })).counted, 1);
  await until(async () => (await service.window()).counts.refused === 9);
});

test('a worker that is killed loses the labels that it had not handed over, and the count says how many', async () => {
  const service = full;
  const requests = await requestsOf(30, 50);
  const answers = await Promise.all(requests.map(({ features }) => service.post('/score', { features })));
  const label = (k) => service.post('/labels', { ids: answers[k].ids, labels: requests[k].labels });
  await Promise.all(requests.slice(0, 15).map((_, k) => label(k)));
  const { counts: before } = await service.window();
  for (const pid of await service.workers()) process.kill(pid, 'SIGKILL');
  await until(async () => (await service.window()).counts.deaths === 2);
  const { counts, loss } = await service.window();
  // one more of the test before
  assert.deepEqual([counts.lost, counts.labels, loss.count], [sum(requests.slice(0, 15)) + 1, 0, 0]);
  assert.equal(counts.predictions, before.predictions);

  // others have taken their places, and what was predicted before still finds its label
  await until(async () => (await service.post('/score', { features: [] }).catch(() => ({}))).status === 200);
  assert.equal((await label(20)).counted, requests[20].labels.length);
  await service.stop();
  assert.equal(await readFile(path, 'utf8'), empty);
});

test('the window slides: what is too old leaves no trace', async () => {
  let now = 1e12;
  const window = new SlidingWindow(options, { slotSeconds: 10, slots: 6, now: () => now });
  const batches = await requestsOf(40, 80);
  const times = [];
  batches.forEach((request, k) => {
    now += 1000 * ((k * 5) % 17);
    times.push(now);
    const tally = new Tally(options);
    tally.loss.update(request.logits, request.targets);
    tally.calibration.update(focalPosterior(request.logits, options), request.targets);
    window.add(tally);
    const oldest = Math.floor(now / 10_000) * 10_000 - 50_000;
    const inside = batches.slice(0, k + 1).filter((_, at) => times[at] >= oldest);
    const { loss, calibration } = window.total;
    assert.deepEqual(
      JSON.parse(JSON.stringify({ loss: loss.compute(), calibration: calibration.compute() })),
      expected(inside),
    );
  });
  const copy = new SlidingWindow(options, { slotSeconds: 10, slots: 6, now: () => now });
  copy.restore(JSON.parse(JSON.stringify(window)));
  assert.deepEqual(copy.total.toJSON(), window.total.toJSON());
  now += 60_000;
  copy.expire();
  assert.deepEqual(copy.total.toJSON(), new Tally(options).toJSON());
});

test('a state goes on after a restart; one that is half-written, or of other options, is put aside', async () => {
  const path = join(scratch, 'kept.json');
  const service = await start({ WORKERS: '1', HAND_OVER_SECONDS: '3600', STATE: path });
  const [{ features, labels }] = await requestsOf(1, 5);
  const { ids } = await service.post('/score', { features });
  await service.post('/labels', { ids, labels });
  // asked to stop, the worker hands over
  await service.stop();
  const good = await readFile(path, 'utf8');
  const restored = async (text) => {
    await writeFile(path, text);
    const lines = [];
    const window = new SlidingWindow(options, { slotSeconds: 60, slots: 60 });
    await restore(path, window, (line) => lines.push(line));
    return [window.total.loss.compute().count, lines.join()];
  };
  assert.deepEqual(await restored(good), [1, `the window goes on with 1 labels of ${path}`]);

  for (const [text, reason] of [
    [good.slice(0, good.length / 2), /JSON/],
    [good.replace('"gamma":2', '"gamma":5'), /"json\.options\.gamma" expected 2 \(the criterion's\), got 5/],
    [good.replace('{"version":1', '{"version":9'), /"version" expected 1, got 9/],
    [good.replace(/"(positives|negatives)":1,/, '"$1":0,'), /expected no terms where the count is 0/],
  ]) {
    const [count, line] = await restored(text);
    assert.equal(count, 0);
    assert.match(line, reason);
    const aside = (await readdir(scratch)).find((name) => /^kept\.json\.\d+\.refused$/.test(name));
    assert.equal(await readFile(join(scratch, aside), 'utf8'), text);
    await rm(join(scratch, aside));
  }
});
