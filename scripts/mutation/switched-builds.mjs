// What is compiled of the kernel with mutants: of a file with all that can be switched, and of one mutant by itself.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { BUILDS, compile } from './builds.mjs';
import { mutated } from './operators.mjs';
import { kernelSources, mutantsOfFile, sourceText } from './sources.mjs';
import { switchable, switchboard } from './switches.mjs';

const root = new URL('../..', import.meta.url).pathname;
const SWITCHBOARD = 'assembly/switchboard.ts';
const entries = [SWITCHBOARD];

export class SwitchedBuilds {
  /** The builds without a mutant: { binary, reads } by name. */
  originals = {};
  /** Places of all files, as many as a thread has room for. */
  places = 0;
  #switched = new Map();

  /** Compiles the originals, and kernels that say where they come by: returns their binaries, and of each place the mutants. */
  async survey() {
    const at = [];
    const given = new Map();
    for (const file of kernelSources()) {
      const place = (mutants) => at.push(mutants) - 1;
      const options = { left: new Set(), place, seenOnly: true };
      given.set(file, switchable(sourceText(file), mutantsOfFile(file), options).text);
    }
    this.places = (at.length + 63) & ~63;
    given.set(SWITCHBOARD, switchboard(this.places));
    const binaries = {};
    for (const build of Object.keys(BUILDS)) {
      this.originals[build] = await compileOrThrow(build);
      binaries[build] = (await compileOrThrow(build, given, { entries })).binary;
    }
    return { at, binaries };
  }

  /** The builds of a file with its mutants in it. */
  async switched(file) {
    if (!this.#switched.has(file)) {
      const { ids, builds } = await this.#compileSwitched(file);
      const kernels = Object.fromEntries(Object.keys(BUILDS).map((build) => [build, build]));
      for (const [build] of builds) kernels[build] = `${build} ${file}`;
      const binaries = builds.map(([build, binary]) => [`${build} ${file}`, binary]);
      this.#switched.set(file, { inside: new Set(ids), kernels, binaries });
    }
    return this.#switched.get(file);
  }

  /** As many mutants as can be switched, by number; kept from run to run as long as the sources are the same. */
  async #compileSwitched(file) {
    const { kept, board } = this.#keep(file);
    if (existsSync(kept)) return deserialize(readFileSync(kept));
    const own = mutantsOfFile(file);
    // in a kernel with switches their data is the last, and not its own
    const left = new Set(own.filter(({ before }) => before.includes('__heap_base')).map(({ line }) => line));
    for (;;) {
      let count = 0;
      const { text, inside } = switchable(sourceText(file), own, { left, place: () => count++ });
      const { builds, failed } = await this.#compileAll(file, new Map([[file, text], board]));
      if (failed === undefined) {
        const result = { ids: inside.map(({ id }) => id), builds };
        writeFileSync(kept, serialize(result));
        return result;
      }
      const before = left.size;
      for (const place of failed.lines) if (place.file === file) left.add(place.line);
      // an error that names no line of the file: nothing of it is switched
      if (left.size === before) for (const { line } of own) left.add(line);
    }
  }

  async #compileAll(file, given) {
    const builds = [];
    for (const [build, { reads }] of Object.entries(this.originals)) {
      if (!reads.has(file)) continue;
      const result = await compile(build, given, { entries });
      if (result.binary === undefined) return { failed: result };
      builds.push([build, result.binary]);
    }
    return { builds };
  }

  #keep(file) {
    const board = [SWITCHBOARD, switchboard(this.places)];
    const hash = createHash('sha256').update(file).update(board[1]).update(sourceText('scripts/mutation/switches.mjs'));
    for (const source of [...kernelSources(), 'src/abi.ts', 'scripts/mutation/operators.mjs'])
      hash.update(sourceText(source));
    return { board, kept: join(root, `build/mutation/switched-${hash.digest('hex').slice(0, 16)}.bin`) };
  }

  async isEqual(mutant) {
    return (await this.differing(mutant, 1))?.length === 0;
  }

  /** The builds that a mutant changes, `most` at most: [name, binary]; undefined where none compiles. */
  async differing(mutant, most = Infinity) {
    const { file } = mutant;
    const given = new Map([[file, mutated(sourceText(file), mutant)]]);
    const differing = [];
    let count = 0;
    for (const [build, { binary: original, reads }] of Object.entries(this.originals)) {
      if (!reads.has(file) || differing.length === most) continue;
      const { binary } = await compile(build, given);
      if (binary === undefined) continue;
      count++;
      if (Buffer.compare(binary, original) !== 0) differing.push([build, binary]);
    }
    return count === 0 ? undefined : differing;
  }
}

async function compileOrThrow(...args) {
  const result = await compile(...args);
  if (result.binary === undefined) throw new Error(result.error);
  return result;
}
