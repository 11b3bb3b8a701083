// The package runs here, off the page's thread.
import { expose } from 'comlink';
import * as curves from './curves.js';
import * as file from './file.js';
import * as machine from './machine.js';
import * as posterior from './posterior.js';

const engine = { ...curves, ...posterior, ...file, ...machine };
export type Engine = typeof engine;

expose(engine);
