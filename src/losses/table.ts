// Every loss by name: what a thread, or a state in a file, knows a loss by.

import type { Definition } from '../engine/definition.js';
import { ASYMMETRIC } from './asymmetric-loss.js';
import { BCE } from './bce-with-logits-loss.js';
import { FOCAL } from './focal-loss.js';
import { HEATMAP } from './heatmap-focal-loss.js';
import { ONE_HOT } from './one-hot-focal-loss.js';
import { QUALITY } from './quality-focal-loss.js';
import { SOFTMAX } from './softmax-focal-loss.js';
import { VARIFOCAL } from './varifocal-loss.js';

export const DEFINITIONS: Readonly<Record<string, Definition>> = Object.fromEntries(
  [BCE, FOCAL, ONE_HOT, SOFTMAX, QUALITY, VARIFOCAL, ASYMMETRIC, HEATMAP].map((definition) => [
    definition.name,
    definition,
  ]),
);
