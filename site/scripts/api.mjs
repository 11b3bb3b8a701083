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

export async function writeApi() {
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
  for (const module of project.children) module.name = nameOf(module.name);
  await application.generateOutputs(project);
  if (application.logger.hasErrors()) throw new Error('the API reference has errors');
  const sidebar = join(out, 'typedoc-sidebar.json');
  const items = JSON.parse(readFileSync(sidebar, 'utf8'));
  writeFileSync(sidebar, JSON.stringify(items, undefined, 2));
}
