import { lossOf } from '../../../loss.mjs';

export const runtime = 'edge';

export function GET() {
  return new Response(`loss ${lossOf()}`);
}
