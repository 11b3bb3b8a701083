'use client';

import { useEffect } from 'react';
import { lossOf } from '../loss.mjs';

export default function Page() {
  useEffect(() => console.log(`loss ${lossOf()}`), []);
  return <p>{lossOf()}</p>;
}
