// The tables of README.md, each between its two marks, from results/: `npm run bench:tables`, after `npm run bench:peers`
// and `npm run bench:lines`.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { replaceSection, table } from '../scripts/section.mjs';

const README = fileURLToPath(new URL('../README.md', import.meta.url));
const results = (name) => JSON.parse(readFileSync(new URL(`results/${name}.json`, import.meta.url), 'utf8'));
const PEERS = [
  ['focal-loss-wasm, workspace', '**this package**, in a `Workspace`'],
  ['focal-loss-wasm, ordinary arrays', '**this package**, ordinary arrays'],
  ['torchvision', 'torchvision'],
  ['onnxruntime-node', 'onnxruntime-node'],
  ['TensorFlow.js (wasm)', 'TensorFlow.js, wasm'],
  ['onnxruntime-web', 'onnxruntime-web'],
  ['scalar JavaScript', 'a careful loop in JavaScript'],
];
const COLUMNS = ['workspace', 'ordinary arrays', 'workspace, soft targets', "workspace, 'none' into out"];
const HEADS = ['sum, workspace', 'sum, ordinary arrays', 'soft targets', "`'none'` into `out`"];

replaceSection(README, 'peers', peersTable(results('peers')));
replaceSection(README, 'lines', linesTable(results('lines')));

function peersTable({ rows }) {
  const find = (name, length) => rows.find((row) => row.name === name && row.length === length);
  const heads = ['', 'loss, 65,536', 'loss, 1,048,576', 'loss and gradient, 1,048,576', 'error of the sum, 1,048,576'];
  const body = PEERS.filter(([name]) => find(name, 1_048_576)?.loss !== undefined).map(([name, title]) => {
    const [short, long] = [65_536, 1_048_576].map((length) => find(name, length));
    const figures = [short.loss, long.loss, long.gradient].map((part) => part?.megaPerSecond.toFixed(0) ?? '');
    return [title, ...figures, long.error.toExponential(1)];
  });
  return table(heads, body);
}

function linesTable({ rows, versions }) {
  const find = (title, name) => rows.find((row) => row.title === title && row.name === name);
  const body = versions.map(({ node }) => {
    const [line] = node.split('.');
    const cells = COLUMNS.map((name) =>
      ['16,384 elements', '1,048,576 elements']
        .map((title) => `${find(title, name)[line].ratio.toFixed(1)}x`)
        .join(' / '),
    );
    return [line, ...cells, `${find('1 element', 'ordinary arrays')[line].nanoseconds.toFixed(0)} ns`];
  });
  return table(['Node', ...HEADS, 'one element, ordinary arrays'], body);
}
