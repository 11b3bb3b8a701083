// The results of `npm run bench:peers`, of each machine that they were measured on.

import { readdirSync, readFileSync } from 'node:fs';

const FOLDER = new URL('../results/', import.meta.url);

/** Those with the most peers first; of as many, those of the most cores. */
export function peerResults() {
  const names = readdirSync(FOLDER).filter((name) => /^peers-.*\.json$/.test(name));
  const all = names.map((name) => JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8')));
  const peers = ({ versions }) => Object.keys(versions).length;
  return all.sort((a, b) => peers(b) - peers(a) || b.cores - a.cores);
}
