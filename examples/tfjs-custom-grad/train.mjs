// Trains a small network on rare positives, and compares the gradient with the one that TensorFlow.js derives by itself.
import * as tf from '@tensorflow/tfjs';
import { focalLoss } from './focal-loss.mjs';

const OPTIONS = { gamma: 2, alpha: 0.75 };
const loss = focalLoss(OPTIONS);

// two features; the positives, 5 % of the rows, lie in a disc
const points = tf.randomUniform([2000, 2], -1, 1, 'float32', 7);
const targets = tf.cast(tf.less(tf.sum(tf.square(tf.sub(points, [0.2, 0.3])), 1, true), 0.064), 'float32');

const weights = (shape, seed) => tf.variable(tf.randomNormal(shape, 0, 0.7, 'float32', seed));
const [w1, b1, w2, b2] = [weights([2, 32], 1), weights([32], 2), weights([32, 1], 3), tf.variable(tf.zeros([1]))];
const predict = () => tf.add(tf.matMul(tf.relu(tf.add(tf.matMul(points, w1), b1)), w2), b2);

const optimizer = tf.train.adam(0.02);
for (let step = 0; step <= 200; step++) {
  const value = optimizer.minimize(() => loss(predict(), targets), true);
  if (step % 50 === 0) console.log(`step ${step}: loss ${value.dataSync()[0].toFixed(5)}`);
  value.dispose();
}

/** The same loss in operations of TensorFlow.js, which round at each step. */
function composed(logits) {
  const wrong = tf.mul(tf.sub(1, tf.mul(targets, 2)), logits);
  const alpha = tf.add(1 - OPTIONS.alpha, tf.mul(targets, 2 * OPTIONS.alpha - 1));
  return tf.mean(tf.mul(tf.mul(alpha, tf.square(tf.sigmoid(wrong))), tf.softplus(wrong)));
}
const logits = predict();
const [ours, theirs] = [(x) => loss(x, targets), composed].map((f) => tf.grad(f)(logits));
const largest = (tensor) => tf.max(tf.abs(tensor)).dataSync()[0].toExponential(1);
console.log(`gradients differ by at most ${largest(tf.sub(ours, theirs))}, and are at most ${largest(theirs)}`);
