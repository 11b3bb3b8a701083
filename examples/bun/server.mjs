// POST { "logits": [...], "targets": [...] } answers { "loss" }.      bun server.mjs
import { FocalLoss } from 'focal-loss-wasm';

const criterion = new FocalLoss({ gamma: 2, alpha: 0.25 });

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: process.env.PORT ?? 3000,
  async fetch(request) {
    try {
      const { logits, targets } = await request.json();
      return Response.json({ loss: criterion.forward(logits, targets) });
    } catch (error) {
      return Response.json({ error: error.message }, { status: 400 });
    }
  },
});
console.log(`listening on ${server.url}`);
