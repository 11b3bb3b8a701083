import { lossOf } from '../../loss.mjs';

export default defineEventHandler(() => `loss ${lossOf()}`);
