// The API reference, from the doc comments of the declarations that the package publishes: what is internal is not there.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Application } from 'typedoc';
import { generated, manifest, root, site } from './paths.mjs';

/** The modules of the package that TypeScript can import, with the declarations of each. */
function modules() {
  const found = new Map();
  for (const [path, { import: esm }] of Object.entries(manifest.exports)) {
    const types = esm?.types;
    // "./inline" is ".", for tools that cannot import a binary
    if (types === undefined || path === './inline' || !existsSync(join(root, types))) continue;
    found.set(path, join(root, types));
  }
  return found;
}

const nameOf = (module) => (module === 'index' ? manifest.name : `${manifest.name}/${module.replace(/\/index$/, '')}`);

/** Writes the reference; `registry` is the module of losses/registry.ts, which has the formula of each loss. */
export async function writeApi(registry) {
  const entries = modules();
  const out = join(generated, 'api');
  const application = await Application.bootstrapWithPlugins({
    plugin: ['typedoc-plugin-markdown', 'typedoc-vitepress-theme'],
    entryPoints: [...entries.values()],
    tsconfig: join(site, 'tsconfig.api.json'),
    readme: 'none',
    name: `${manifest.name} ${manifest.version}`,
    disableSources: true,
    excludeExternals: false,
    hideBreadcrumbs: true,
    hidePageHeader: true,
    parametersFormat: 'table',
    interfacePropertiesFormat: 'table',
    typeDeclarationFormat: 'table',
    useCodeBlocks: true,
    docsRoot: generated,
    out,
    logLevel: 'Warn',
    validation: { notExported: false, invalidLink: true, rewrittenLink: false, notDocumented: false },
  });
  const project = await application.convert();
  if (project === undefined) throw new Error('the declarations do not compile');
  for (const module of project.children) {
    module.name = nameOf(module.name);
    for (const reflection of module.children) addFormula(reflection, registry);
  }
  await application.generateOutputs(project);
  if (application.logger.hasErrors()) throw new Error('the API reference has errors');
  const sidebar = join(out, 'typedoc-sidebar.json');
  const items = byModule(JSON.parse(readFileSync(sidebar, 'utf8')));
  writeFileSync(sidebar, JSON.stringify(items, undefined, 2));
  writeFileSync(join(out, 'index.md'), indexOf(project, items));
}

/** A class of a loss has its formula below what its doc comment says, which editors show as it is. */
function addFormula({ name, comment }, { LOSSES, ROW_LOSSES }) {
  const entry = [...LOSSES, ...ROW_LOSSES].find((each) => each.name === name);
  if (entry === undefined || comment === undefined) return;
  const symbols = 'What the symbols are stands [below the curves](/playground/curves#the-losses).';
  comment.summary.push({ kind: 'text', text: `\n\n$$\n${entry.formula}\n$$\n\n${symbols}` });
}

/** The modules side by side under the names that they are imported by; the package's own is the first. */
function byModule(items) {
  const own = items.find(({ link }) => link !== undefined);
  const others = items.flatMap(({ link, items: nested }) => (link === undefined ? nested : []));
  return [own, ...others.map((item) => ({ ...item, text: `${manifest.name}/${item.text}` }))];
}

/** What each module is for, in the first sentence of its comment. */
function indexOf(project, items) {
  const lines = items.map(({ text, link }) => {
    const { comment } = project.children.find(({ name }) => name === text);
    const said = comment.summary.map((part) => part.text).join('');
    return `| [\`${text}\`](${link}) | ${/^[\s\S]*?[.:](?=\s|$)/.exec(said)[0].replaceAll(/\s+/g, ' ').replace(/:$/, '.')} |`;
  });
  return `# API reference\n\nVersion ${manifest.version}.\n\n| import | |\n| --- | --- |\n${lines.join('\n')}\n`;
}
