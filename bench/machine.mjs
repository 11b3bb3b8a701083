// What a figure was measured on.

import { readFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, platform } from 'node:os';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

export function machine() {
  return {
    date: new Date().toISOString().slice(0, 10),
    processor: cpus()[0]?.model.trim() || 'unknown',
    cores: availableParallelism(),
    platform: `${platform()}-${arch()}`,
    node: process.versions.node,
    v8: process.versions.v8,
    package: version,
  };
}

/** A machine as part of a file's name, so that figures of several stand beside each other. */
export function machineName({ processor, cores }) {
  return `${processor} ${cores}`
    .toLowerCase()
    .replace(/\((r|tm)\)|cpu|processor|@.*ghz/g, ' ')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}
