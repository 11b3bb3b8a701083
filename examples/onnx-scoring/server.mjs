// A scoring service. POST { "features": [[8 numbers], ...], "labels": [0 or 1, ...] } answers { "logits", "probabilities",
// "loss", "losses", "hardest" }.      PORT=3000 node server.mjs
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { createScorer } from './scorer.mjs';

const scorer = await createScorer(new URL('model.onnx', import.meta.url));

const server = createServer(async (request, response) => {
  const answer = (status, body) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  try {
    const { features, labels } = await json(request);
    const { logits, probabilities, loss, losses, hardest } = await scorer.score(features, labels);
    answer(200, { logits: [...logits], probabilities: [...probabilities], loss, losses: [...losses], hardest });
  } catch (error) {
    answer(400, { error: error.message });
  }
});
server.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
