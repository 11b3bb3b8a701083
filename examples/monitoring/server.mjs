// A scoring service of several processes that watches its own loss and calibration.
//   node server.mjs      PORT=3000 METRICS_PORT=9464 WORKERS=4 SLOT_SECONDS=60 SLOTS=60 STATE=window.json
//   OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=http://localhost:4318/v1/metrics sends to a collector as well.
import cluster from 'node:cluster';
import { fileURLToPath } from 'node:url';
import { startPrimary } from './primary.mjs';
import { startWorker } from './worker.mjs';

const { env } = process;
const number = (name, otherwise) => Number(env[name] ?? otherwise);
/** What examples/onnx-scoring/make-model.mjs trains its model with. */
const options = { gamma: 2, alpha: 0.75 };

if (cluster.isPrimary) {
  const stop = await startPrimary({
    options,
    workers: number('WORKERS', 4),
    metricsPort: number('METRICS_PORT', 9464),
    slotSeconds: number('SLOT_SECONDS', 60),
    slots: number('SLOTS', 60),
    mostPending: number('MOST_PENDING', 1_000_000),
    statePath: env.STATE ?? 'window.json',
    saveSeconds: number('SAVE_SECONDS', 10),
    otlp: { url: env.OTEL_EXPORTER_OTLP_METRICS_ENDPOINT, seconds: number('OTEL_SECONDS', 60) },
  });
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, async () => {
      await stop();
      process.exit(0);
    });
  }
} else {
  const questions = new Map();
  let asked = 0;
  const send = (message) =>
    new Promise((resolve, reject) => {
      process.send(message, (error) => (error === null ? resolve() : reject(error)));
    });
  const ask = (message) =>
    new Promise((resolve, reject) => {
      questions.set(++asked, resolve);
      send({ ...message, question: asked }).catch(reject);
    });
  // the primary ends them; a terminal's Ctrl-C reaches all
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => {});
  const started = startWorker(
    { send, ask },
    {
      options,
      model: fileURLToPath(new URL('../onnx-scoring/model.onnx', import.meta.url)),
      port: number('PORT', 3000),
      handOverSeconds: number('HAND_OVER_SECONDS', 1),
    },
  );
  // before it has started, since a message that nobody listens for is lost, and one may ask it to stop
  process.on('message', async ({ stop: isEnd, question, ...answer }) => {
    questions.get(question)?.(answer);
    questions.delete(question);
    if (isEnd) {
      const stop = await started;
      await stop();
      process.exit(0);
    }
  });
  await started;
}
