// Bundles into one file:      npx esbuild handler.mjs --bundle --platform=node --format=esm --outfile=index.mjs
import { FocalLoss } from 'focal-loss-wasm';

const criterion = new FocalLoss({ gamma: 2, alpha: 0.25 });

export const handler = async ({ body }) => {
  try {
    const { logits, targets } = JSON.parse(body);
    return { statusCode: 200, body: JSON.stringify({ loss: criterion.forward(logits, targets) }) };
  } catch (error) {
    return { statusCode: 400, body: JSON.stringify({ error: error.message }) };
  }
};
