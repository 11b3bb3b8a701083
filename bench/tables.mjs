// The tables of README.md, each between its two marks, from results/: `npm run bench:tables`, after `npm run bench:peers`
// and `npm run bench:lines`.

import { fileURLToPath } from 'node:url';
import { replaceSection, table } from '../scripts/section.mjs';
import { peerResults } from './peers/results.mjs';
import { readLines } from './results.mjs';

const README = fileURLToPath(new URL('../README.md', import.meta.url));
const PEERS = {
  'focal-loss-wasm, workspace': '**this package**, in a `Workspace`',
  'focal-loss-wasm, ordinary arrays': '**this package**, ordinary arrays',
  'focal-loss-wasm, shared memory, all threads': '**this package**, shared memory, all threads',
  'torch.compile': 'torch.compile of torchvision',
  'torch.compile, all threads': 'torch.compile of torchvision, all threads',
  optax: 'optax, jit',
  'optax, all threads': 'optax, jit, all threads',
  'TensorFlow.js (wasm)': 'TensorFlow.js, wasm',
  'scalar JavaScript': 'a careful loop in JavaScript',
};
const isOurs = (name) => name.startsWith('focal-loss-wasm');
const COLUMNS = ['workspace', 'ordinary arrays', 'workspace, soft targets', "workspace, 'none' into out"];
const HEADS = ['sum, workspace', 'sum, ordinary arrays', 'soft targets', "`'none'` into `out`"];

replaceSection(
  README,
  'peers',
  peerResults().flatMap((each, k) => [...(k === 0 ? [] : ['']), ...peersTable(each)]),
);
replaceSection(README, 'lines', linesTable(readLines()));

/** This package, then the strongest peer first. */
function peersTable({ rows, processor, cores, node, versions }) {
  const find = (name, length) => rows.find((row) => row.name === name && row.length === length);
  const heads = [
    `${processor}, ${cores} cores, Node ${node}`,
    'loss, 65,536',
    'loss, 1,048,576',
    'loss and gradient, 1,048,576',
    'error of the sum, 1,048,576',
  ];
  const speed = (name) => find(name, 1_048_576)?.loss?.megaPerSecond;
  const measured = Object.keys(versions).filter((name) => speed(name) !== undefined);
  const peers = measured.filter((name) => !isOurs(name)).sort((a, b) => speed(b) - speed(a));
  const body = [...measured.filter(isOurs), ...peers].map((name) => {
    const [short, long] = [65_536, 1_048_576].map((length) => find(name, length));
    const figures = [short?.loss, long.loss, long.gradient].map((part) => part?.megaPerSecond.toFixed(0) ?? '');
    return [PEERS[name] ?? name, ...figures, long.error.toExponential(1)];
  });
  return table(heads, body);
}

function linesTable({ rows, lines }) {
  const find = (title, name) => rows.find((row) => row.title === title && row.name === name);
  const body = Object.keys(lines).map((line) => {
    const cells = COLUMNS.map((name) =>
      ['16,384 elements', '1,048,576 elements']
        .map((title) => `${find(title, name)[line].ratio.toFixed(1)}x`)
        .join(' / '),
    );
    return [line, ...cells, `${find('1 element', 'ordinary arrays')[line].nanoseconds.toFixed(0)} ns`];
  });
  return table(['Node', ...HEADS, 'one element, ordinary arrays'], body);
}
