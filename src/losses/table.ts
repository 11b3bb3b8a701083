// Every loss by name: what a thread knows a loss by.

import type { Definition } from '../engine/definition.js';
import { DEFINITION } from '../internal.js';
import * as losses from './index.js';

type LossClass = { readonly prototype: { readonly [DEFINITION]: Definition } };

export const DEFINITIONS: Readonly<Record<string, Definition>> = Object.fromEntries(
  Object.entries(losses)
    .filter(([, value]) => DEFINITION in (value.prototype ?? {}))
    .map(([name, value]) => [name, (value as unknown as LossClass).prototype[DEFINITION]]),
);
