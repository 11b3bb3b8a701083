// The process that the workers hand over to: it keeps predictions until their labels come, and the window.
import cluster from 'node:cluster';
import Fastify from 'fastify';
import { newCounts, openTelemetry, prometheus } from './metrics.mjs';
import { restore, save } from './state-file.mjs';
import { SlidingWindow, Tally } from './window.mjs';

const say = (text) => console.log(text);

export async function startPrimary({
  options,
  workers,
  metricsPort,
  statePath,
  saveSeconds,
  mostPending,
  otlp,
  ...times
}) {
  const window = new SlidingWindow(options, times);
  const counts = newCounts();
  /** Scores by id, oldest first. A service that must not forget them when it stops keeps them in its database. */
  const pending = new Map();
  /** Labels that a worker has taken scores for and not yet handed over. */
  const outstanding = new Map();
  await restore(statePath, window, say);

  const handle = (worker, { ids, logits, take, question, tally, labels, refused = 0 }) => {
    counts.refused += refused;
    if (ids !== undefined) remember(ids, logits);
    if (tally !== undefined) {
      window.add(Tally.fromJSON(options, tally));
      counts.labels += labels;
      outstanding.set(worker.id, outstanding.get(worker.id) - labels);
    }
    if (take !== undefined) {
      const answer = takeScores(take);
      outstanding.set(worker.id, (outstanding.get(worker.id) ?? 0) + answer.found.length);
      // it may have ended meanwhile, and its labels are lost then
      worker.send({ question, ...answer }, () => {});
    }
  };

  function remember(ids, logits) {
    counts.predictions += ids.length;
    ids.forEach((id, k) => {
      pending.set(id, logits[k]);
    });
    for (const id of pending.keys()) {
      if (pending.size <= mostPending) break;
      pending.delete(id);
      counts.forgotten++;
    }
  }

  /** A score is given away once, so that a label that is sent again is not counted again. */
  function takeScores(ids) {
    const found = [];
    const logits = [];
    ids.forEach((id, index) => {
      const logit = pending.get(id);
      if (logit === undefined) return;
      pending.delete(id);
      found.push(index);
      logits.push(logit);
    });
    counts.unknown += ids.length - found.length;
    return { found, logits: Float32Array.from(logits) };
  }

  let stopping = false;
  cluster.setupPrimary({ serialization: 'advanced' });
  cluster.on('message', handle);
  cluster.on('exit', (worker, code, signal) => {
    const lost = outstanding.get(worker.id) ?? 0;
    outstanding.delete(worker.id);
    if (stopping) return;
    counts.deaths++;
    counts.lost += lost;
    say(`worker ${worker.process.pid} ended (${signal ?? code}), with ${lost} labels; another one takes its place`);
    // not at once, since what ended it may end the next
    setTimeout(() => stopping || cluster.fork(), 200);
  });
  const listening = new Promise((resolve) => {
    let count = 0;
    cluster.on('listening', (_, { port }) => ++count === workers && resolve(port));
  });
  for (let k = 0; k < workers; k++) cluster.fork();
  const port = await listening;

  const registry = prometheus(window, counts, pending);
  const server = Fastify();
  server.get('/metrics', async (_, reply) => reply.type(registry.contentType).send(await registry.metrics()));
  server.get('/window', () => {
    window.expire();
    return { loss: window.total.loss.compute(), calibration: window.total.calibration.compute(), counts };
  });
  const metricsUrl = await server.listen({ port: metricsPort, host: '127.0.0.1' });
  const endTelemetry = otlp.url === undefined ? () => {} : openTelemetry(window, counts, otlp.url, otlp.seconds);

  // one save after another; one that fails leaves the last good one
  let saving = Promise.resolve();
  let failing = false;
  const saveNow = () => {
    saving = saving.then(async () => {
      try {
        await save(statePath, window);
        if (failing) say(`${statePath} is written again`);
        failing = false;
      } catch (error) {
        counts.unsaved++;
        if (!failing) say(`${statePath} is not written, and the last one stays: ${error.message}`);
        failing = true;
      }
    });
    return saving;
  };
  const timer = setInterval(saveNow, 1000 * saveSeconds);
  say(`listening on http://127.0.0.1:${port}, metrics on ${metricsUrl}/metrics`);

  return async () => {
    stopping = true;
    clearInterval(timer);
    const workers = Object.values(cluster.workers);
    const ended = workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve)));
    for (const worker of workers) worker.send({ stop: true });
    await Promise.all(ended);
    await saveNow();
    await endTelemetry();
    await server.close();
  };
}
