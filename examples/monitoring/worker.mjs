// One of the processes that answer requests: scores, and takes labels.
import { randomUUID } from 'node:crypto';
import Fastify from 'fastify';
import { focalPosterior } from 'focal-loss-wasm';
import { CalibrationMeter } from 'focal-loss-wasm/metrics';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { FEATURES } from '../onnx-scoring/data.mjs';
import { Tally } from './window.mjs';

const MOST_ROWS = 4096;

const features = {
  type: 'object',
  required: ['features'],
  properties: {
    features: {
      type: 'array',
      maxItems: MOST_ROWS,
      items: { type: 'array', minItems: FEATURES, maxItems: FEATURES, items: { type: 'number' } },
    },
  },
};
const labels = {
  type: 'object',
  required: ['ids', 'labels'],
  properties: {
    ids: { type: 'array', maxItems: MOST_ROWS, items: { type: 'string' } },
    // whatever JSON has: the loss says what is wrong with it
    labels: { type: 'array', maxItems: MOST_ROWS },
  },
};

/** @param primary `send(message)` and `ask(message)`, promises of what was sent and of an answer */
export async function startWorker(primary, { model, options, port, handOverSeconds }) {
  const session = await InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  const prefix = randomUUID();
  let made = 0;
  let mine = new Tally(options);
  let counted = 0;

  const server = Fastify({ bodyLimit: 4 * 1024 * 1024, ajv: { customOptions: { coerceTypes: false } } });
  server.setErrorHandler((error, _, reply) => {
    const { code, argument, index, statusCode = 500, message } = error;
    // what is wrong with an argument is told apart from what is wrong with us by its code
    const isArgument = code === 'FOCAL_LOSS_ARGUMENT';
    const status = isArgument ? 400 : statusCode;
    if (status === 400) primary.send({ refused: 1 });
    if (status >= 500) console.error(error);
    reply.code(status).send({ error: status >= 500 ? 'internal error' : message, code, argument, index });
  });

  server.post('/score', { schema: { body: features } }, async ({ body }) => {
    const rows = body.features.length;
    const input = new Tensor('float32', Float32Array.from(body.features.flat()), [rows, FEATURES]);
    const logits = rows === 0 ? new Float32Array(0) : (await session.run({ features: input })).logits.data;
    const probabilities = focalPosterior(logits, options);
    const unscored = probabilities.findIndex(Number.isNaN);
    if (unscored >= 0) {
      const message = `"features" expected numbers that the model has a score for, got none for row ${unscored}`;
      throw Object.assign(new RangeError(message), {
        statusCode: 400,
        code: 'NO_SCORE',
        argument: 'features',
        index: unscored,
      });
    }
    const ids = Array.from({ length: rows }, () => `${prefix}-${made++}`);
    // handed over before it is answered: a worker that dies takes no answered prediction with it
    await primary.send({ ids, logits: Float32Array.from(logits) });
    return { ids, probabilities: Array.from(probabilities) };
  });

  server.post('/labels', { schema: { body: labels } }, async ({ body }) => {
    // all labels are checked, as a meter does it, before any prediction is taken for one
    new CalibrationMeter({ bins: 1 }).update(new Float32Array(body.ids.length), body.labels);
    const { found, logits } = await primary.ask({ take: body.ids });
    const targets = Uint8Array.from(found, (index) => Number(body.labels[index]));
    mine.loss.update(logits, targets);
    mine.calibration.update(focalPosterior(logits, options), targets);
    counted += found.length;
    return { counted: found.length, unknown: body.ids.length - found.length };
  });

  const handOver = () => {
    if (counted === 0) return;
    const [tally, labels] = [mine, counted];
    mine = new Tally(options);
    counted = 0;
    return primary.send({ tally: tally.toJSON(), labels });
  };
  const timer = setInterval(handOver, 1000 * handOverSeconds);
  await server.listen({ port, host: '127.0.0.1' });

  return async () => {
    clearInterval(timer);
    await server.close();
    await handOver();
  };
}
