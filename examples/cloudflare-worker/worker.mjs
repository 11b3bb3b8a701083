// POST { "logits": [...], "targets": [...] } answers { "loss", "grad" }.      npx wrangler dev
import { FocalLoss } from 'focal-loss-wasm';

const criterion = new FocalLoss({ gamma: 2, alpha: 0.25 });

export default {
  async fetch(request) {
    try {
      const { logits, targets } = await request.json();
      const { value, grad } = criterion.valueAndGrad(logits, targets);
      return Response.json({ loss: value, grad: [...grad] });
    } catch (error) {
      return Response.json({ error: error.message }, { status: 400 });
    }
  },
};
