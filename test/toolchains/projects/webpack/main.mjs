import { lossOf } from './loss.mjs';

console.log(`loss ${lossOf()}`);
