// Writes binary.json, softmax.json and posteriors.json beside this file: node test/vectors/generate.mjs
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const cases = fileURLToPath(new URL('./cases.ts', import.meta.url));
const bundle = await build({ entryPoints: [cases], bundle: true, format: 'esm', platform: 'node', write: false });
const { FILES } = await import(`data:text/javascript;base64,${Buffer.from(bundle.outputFiles[0].text).toString('base64')}`);

for (const [name, groups] of Object.entries(FILES)) {
  const text = groups().map(({ rows, ...head }) => {
    const lines = rows.map((row) => JSON.stringify(row()));
    return `${JSON.stringify(head).slice(0, -1)},"rows":[\n${lines.join(',\n')}]}`;
  });
  writeFileSync(new URL(`./${name}.json`, import.meta.url), `[${text.join(',\n')}]\n`);
}
