// Every loss, with its function and the type of its options: a line a loss.

export * from './asymmetric-loss.js';
export * from './bce-with-logits-loss.js';
export * from './focal-loss.js';
export * from './heatmap-focal-loss.js';
export * from './one-hot-focal-loss.js';
export * from './quality-focal-loss.js';
export * from './softmax-focal-loss.js';
export * from './varifocal-loss.js';
