import { lossOf } from '../../../loss.mjs';

export const GET = () => new Response(`loss ${lossOf()}`);
