import { lossOf } from '../../loss.mjs';

export const dynamic = 'force-dynamic';

export default function Page() {
  return <p>{`loss ${lossOf()}`}</p>;
}
