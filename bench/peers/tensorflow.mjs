// TensorFlow.js on its WebAssembly backend, one thread; inputs are tensors that it already holds.

import { setThreadsCount, version_wasm as version } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
// for the gradients of the core's functions, which it registers
import '@tensorflow/tfjs-layers';

export async function open({ alpha }) {
  setThreadsCount(1);
  await tf.setBackend('wasm');
  await tf.ready();

  function focalLoss(x, y) {
    const p = tf.sigmoid(x);
    const entropy = tf.sub(tf.softplus(x), tf.mul(x, y));
    // 1 - p_t = p + y - 2 p y
    const q = tf.sub(tf.add(p, y), tf.mul(p, tf.add(y, y)));
    const factor = tf.mul(tf.add(tf.mul(y, 2 * alpha - 1), 1 - alpha), tf.square(q));
    return tf.sum(tf.mul(factor, entropy));
  }

  return {
    name: 'TensorFlow.js (wasm)',
    version,
    prepare({ logits, floats }) {
      const x = tf.tensor1d(logits);
      const y = tf.tensor1d(floats);
      const derivative = tf.valueAndGrad((z) => focalLoss(z, y));
      return {
        loss: () => tf.tidy(() => focalLoss(x, y).dataSync()[0]),
        gradient: () => {
          let result;
          // not returned from within: it would look through every element for tensors
          tf.tidy(() => {
            const { value, grad } = derivative(x);
            result = { value: value.dataSync()[0], grad: grad.dataSync() };
          });
          return result;
        },
        release: () => tf.dispose([x, y]),
      };
    },
    close() {},
  };
}
