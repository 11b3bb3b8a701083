// Writes what documents and the command line's help show of the losses:   npm run docs, after npm run build
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as library from 'focal-loss-wasm';
import { curves } from './curves.mjs';
import { formulaSection, lossOptions, optionHelp, optionSections } from './loss-options.mjs';
import { replaceSection } from './section.mjs';
import { load } from './typescript.mjs';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

const { LOSSES } = await load('losses/registry.ts');
writeFileSync(at('docs/curves.svg'), curves(LOSSES));
replaceSection(at('docs/options.md'), 'formulas of the family', formulaSection(LOSSES));
const losses = lossOptions(library);
for (const [name, lines] of Object.entries(optionSections(losses))) {
  replaceSection(at('docs/options.md'), name, lines);
}
writeFileSync(at('cli/src/option-help.ts'), optionHelp(losses));
