import * as tf from '@tensorflow/tfjs';
import { FocalLoss } from 'focal-loss-wasm';

/**
 * The mean focal loss as a function that TensorFlow.js can differentiate.
 *
 * @param options those of FocalLoss
 * @returns (logits: tf.Tensor, targets: tf.Tensor) => tf.Scalar
 */
export function focalLoss(options) {
  const criterion = new FocalLoss(options);
  return (logits, targets) => {
    const y = targets.dataSync();
    return tf.customGrad((x) => {
      const { value, grad } = criterion.valueAndGrad(x.dataSync(), y);
      return { value: tf.scalar(value), gradFunc: (upstream) => tf.mul(upstream, tf.tensor(grad, x.shape)) };
    })(logits);
  };
}
