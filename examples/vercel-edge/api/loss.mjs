// POST { "logits": [...], "targets": [...] } to /api/loss answers { "loss" }.      npx vercel dev
import { FocalLoss } from 'focal-loss-wasm';

export const config = { runtime: 'edge' };

const criterion = new FocalLoss({ gamma: 2, alpha: 0.25 });

export default async function handler(request) {
  try {
    const { logits, targets } = await request.json();
    return Response.json({ loss: criterion.forward(logits, targets) });
  } catch (error) {
    return Response.json({ error: error.message }, { status: 400 });
  }
}
