// Where things are, and what the root's manifest says of the package.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const site = fileURLToPath(new URL('..', import.meta.url));
export const root = join(site, '..');
/** What VitePress reads: made from the documents by pages.mjs and api.mjs, never edited. */
export const generated = join(site, '.pages');
export const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
