// Writes what documents show of the losses:   npm run docs
import { writeFileSync } from 'node:fs';
import { curves } from './curves.mjs';
import { load } from './typescript.mjs';

const { LOSSES } = await load('losses/registry.ts');
writeFileSync(new URL('../docs/curves.svg', import.meta.url), curves(LOSSES));
