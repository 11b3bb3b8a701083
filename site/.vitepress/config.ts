import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type DefaultTheme, defineConfig } from 'vitepress';
import { addressesOf } from '../../scripts/links.mjs';
import { sources, titleOf } from '../scripts/pages.mjs';
import { generated, manifest, root } from '../scripts/paths.mjs';

/** In this order; what is new comes after them. */
const DOCS = [
  'start',
  'options',
  'migration',
  'moving-from',
  'command-line',
  'runtimes',
  'performance',
  'numerics',
  'abi',
  'architecture',
];
const PLAYGROUND = [
  { text: 'Curves', link: '/playground/curves' },
  { text: 'Your file', link: '/playground/file' },
  { text: 'Posterior', link: '/playground/posterior' },
  { text: 'This machine', link: '/playground/machine' },
];

const pages = [...sources()];
const rank = (page: string) => (DOCS.indexOf(page) + DOCS.length + 1) % (DOCS.length + 1);
const itemsOf = (folder: string): DefaultTheme.SidebarItem[] =>
  pages
    .filter(([, page]) => dirname(page) === folder)
    .map(([source, page]) => ({
      text: source === 'README.md' ? 'Start' : titleOf(source),
      link: `/${page.slice(0, -3)}`,
    }))
    .sort((a, b) => rank(a.link.slice(folder.length + 2)) - rank(b.link.slice(folder.length + 2)));

function api(): DefaultTheme.SidebarItem[] {
  const file = join(generated, 'api/typedoc-sidebar.json');
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : [];
}

/** The modules of the package, as its own manifest maps them, so that the site runs what is published. */
function packageAlias() {
  const entries = Object.entries(manifest.exports as Record<string, { import?: { default: string } }>);
  return entries
    .filter(([, entry]) => entry.import !== undefined)
    .map(([path, entry]) => ({
      find: new RegExp(`^${manifest.name}${path.slice(1)}$`),
      replacement: join(root, entry.import?.default ?? ''),
    }));
}

export default defineConfig({
  title: manifest.name,
  description: manifest.description,
  lang: 'en',
  base: process.env.SITE_BASE ?? '/',
  srcDir: '.pages',
  outDir: process.env.SITE_OUT ?? 'dist',
  cacheDir: '.cache',
  lastUpdated: false,
  head: [['link', { rel: 'icon', type: 'image/svg+xml', href: `${process.env.SITE_BASE ?? '/'}icon.svg` }]],
  markdown: { math: true, theme: { light: 'github-light', dark: 'github-dark' } },
  themeConfig: {
    logo: '/icon.svg',
    siteTitle: manifest.name,
    outline: [2, 3],
    search: { provider: 'local', options: { detailedView: true } },
    nav: [
      { text: 'Start', link: '/docs/start' },
      { text: 'Playground', link: '/playground/curves', activeMatch: '^/playground/' },
      { text: 'API', link: '/api/', activeMatch: '^/api/' },
    ],
    sidebar: {
      '/api/': [{ text: 'API reference', link: '/api/', items: api() }],
      '/': [
        { text: 'Playground', items: PLAYGROUND },
        { text: 'Documentation', items: itemsOf('docs') },
        { text: 'Examples', items: itemsOf('examples') },
      ],
    },
    socialLinks: [{ icon: 'github', link: addressesOf(manifest).page, ariaLabel: 'Source code' }],
    footer: { message: `${manifest.license} licence. Version ${manifest.version}.` },
  },
  vite: {
    resolve: { alias: packageAlias() },
    server: { fs: { allow: [root] } },
    worker: { format: 'es' },
    build: { target: 'es2022', chunkSizeWarningLimit: 1500 },
  },
});
