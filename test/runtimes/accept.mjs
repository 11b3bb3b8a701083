// Takes the bits of dist/ in this Node as those that every runtime is held to.   node test/runtimes/accept.mjs
import * as library from '../../dist/index.js';
import { accept } from './report.mjs';
import { digest } from './workload.mjs';

accept(digest(library));
