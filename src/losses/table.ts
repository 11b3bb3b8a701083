// Every loss by name: what a thread, or a state in a file, knows a loss by.

import type { Definition } from '../engine/definition.js';
import { BCE } from './bce-with-logits-loss.js';
import { FOCAL } from './focal-loss.js';
import { ONE_HOT } from './one-hot-focal-loss.js';
import { SOFTMAX } from './softmax-focal-loss.js';

export const DEFINITIONS: Readonly<Record<string, Definition>> = Object.fromEntries(
  [BCE, FOCAL, ONE_HOT, SOFTMAX].map((definition) => [definition.name, definition]),
);
