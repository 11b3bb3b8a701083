// Takes the bits of dist/ in this Node as those that every runtime is held to.   node test/runtimes/accept.mjs
import * as double from '../../dist/float64.js';
import * as library from '../../dist/index.js';
import { accept } from './report.mjs';
import { digest } from './workload.mjs';

accept(digest(library), digest(double, 'float64').hash);
