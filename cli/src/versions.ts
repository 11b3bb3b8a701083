declare const __VERSION__: string;

export const VERSION = typeof __VERSION__ === 'undefined' ? 'dev' : __VERSION__;

/** What computed a result. */
export const VERSIONS = { 'focal-loss-cli': VERSION, node: process.versions.node };
