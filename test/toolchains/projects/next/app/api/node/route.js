import { lossOf } from '../../../loss.mjs';

export const dynamic = 'force-dynamic';

export function GET() {
  return new Response(`loss ${lossOf()}`);
}
