// ONNX Runtime, native or WebAssembly, one thread.

import { readFileSync } from 'node:fs';
import { focalModel } from './onnx.mjs';

const OPTIONS = {
  executionMode: 'sequential',
  graphOptimizationLevel: 'all',
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
};

/** @param name `onnxruntime-node` or `onnxruntime-web` */
export async function open(name, { alpha }) {
  const { default: runtime } = await import(name);
  if (name === 'onnxruntime-web') runtime.env.wasm.numThreads = 1;
  const session = (gradient) => runtime.InferenceSession.create(focalModel(alpha, gradient), OPTIONS);
  const loss = await session(false);
  const both = await session(true);
  const { version } = JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url), 'utf8'));
  return {
    name,
    version,
    prepare({ logits, floats }) {
      const feeds = {
        logits: new runtime.Tensor('float32', logits, [logits.length]),
        targets: new runtime.Tensor('float32', floats, [floats.length]),
      };
      return {
        asynchronous: true,
        loss: async () => (await loss.run(feeds)).loss.data[0],
        gradient: async () => {
          const { loss: value, grad } = await both.run(feeds);
          return { value: value.data[0], grad: grad.data };
        },
        release() {},
      };
    },
    close: () => Promise.all([loss.release(), both.release()]),
  };
}
