// What the engine is given to run: read from the kernel's text, so that a slip of the compiler or of ours is seen.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

interface Loop {
  function: string;
  lines: string[];
}

const text = readFileSync(new URL('../build/kernel.wat', import.meta.url), 'utf8');

/** Loops that hold no other loop, with the function they are in. */
function innermostLoops(source: string): Loop[] {
  const loops: Loop[] = [];
  let current = '';
  const open: { indent: number; lines: string[]; inner: boolean }[] = [];
  for (const line of source.split('\n')) {
    const indent = line.length - line.trimStart().length;
    const code = line.trim();
    const name = /^\(func (\S+)/.exec(code);
    if (name && indent === 1) current = name[1];
    for (const loop of open) loop.lines.push(code);
    if (code.startsWith('loop ') || code === 'loop') {
      for (const loop of open) loop.inner = false;
      open.push({ indent, lines: [], inner: true });
    }
    const last = open[open.length - 1];
    if (code === 'end' && last && indent === last.indent) {
      open.pop();
      if (last.inner) loops.push({ function: current, lines: last.lines.slice(0, -1) });
    }
  }
  return loops;
}

const loops = innermostLoops(text);
/** The loops that do the arithmetic: those with vectors of float32. */
const vectorLoops = loops.filter((loop) => loop.lines.some((line) => /^f32x4\./.test(line)));
const describeLoop = (loop: Loop, fault: string) => `${loop.function}: ${fault}`;

test('the kernel has the loops that this reads', () => {
  const names = vectorLoops.map((loop) => loop.function).join('\n');
  for (const stage of [
    'exponential/Reduce',
    'exponential/Quotient',
    'focal-hard/HardTerms',
    'focal-soft/PlainTerms',
    'logarithm/AddEntropy',
  ])
    expect(names).toContain(stage);
  expect(vectorLoops.length).toBeGreaterThan(40);
});

test('inside a vector loop nothing is called', () => {
  const faults = vectorLoops.flatMap((loop) =>
    loop.lines
      .filter((line) => /^(call|call_indirect|return_call)\b/.test(line))
      .map((line) => describeLoop(loop, line)),
  );
  expect(faults).toEqual([]);
});

test('inside a vector loop nothing branches but its own back edge', () => {
  const searches = (loop: Loop) => loop.lines.includes('v128.any_true'); // they end where they have found it
  const faults = vectorLoops
    .filter((loop) => !searches(loop))
    .flatMap((loop) => {
      const branches = loop.lines.filter((line) => /^(br|br_if|br_table|if|else|return|unreachable)\b/.test(line));
      // the compiler writes a loop as `if condition ... br back end`, or as `br_if back` at its end
      const backEdges = branches.filter((line) => /^br(_if)? /.test(line)).length;
      const conditions = branches.filter((line) => /^if\b/.test(line)).length;
      const others = branches.length - backEdges - conditions;
      return backEdges === 1 && conditions <= 1 && others === 0 ? [] : [describeLoop(loop, branches.join('; '))];
    });
  expect(faults).toEqual([]);
});

test('inside a vector loop nothing grows, fills or copies memory', () => {
  const faults = vectorLoops.flatMap((loop) =>
    loop.lines.filter((line) => /^memory\./.test(line)).map((line) => describeLoop(loop, line)),
  );
  expect(faults).toEqual([]);
});

// Loads and stores a tile of four vectors needs: inputs and slots of four vectors each, coefficients once.
const MEMORY: [stage: string, loads: number, stores: number][] = [
  ['math/exponential/Reduce', 4 + 6, 2 * 4],
  ['math/exponential/Quotient', 2 * 4 + 3, 3 * 4],
  // logits, D, N and correction by vector, targets once, two constants and one parameter
  ['losses/focal-hard/HardTerms<assembly/elements/derivative/ValueOnly>', 4 * 4 + 4, 4 * 4],
  // ratio, hinge, modulation and divisor by vector, four coefficients
  ['math/logarithm/AddEntropy<assembly/math/logarithm/Divided>', 4 * 4 + 4, 2 * 4],
  // ratio and hinge by vector, four coefficients
  ['math/logarithm/AddEntropy<assembly/math/logarithm/Logged>', 2 * 4 + 4, 2 * 4],
  // scale, remainder, hinge and logarithm by vector, five coefficients, three parameters
  ['math/power/HardPowerSplit', 4 * 4 + 8, 2 * 4],
];

test.each(MEMORY)('%s touches the memory it must and no more', (stage, loads, stores) => {
  const found = vectorLoops.filter((loop) => loop.function.endsWith(`/stage/eachTile<assembly/${stage}>`));
  expect(found.length).toBe(1);
  const count = (pattern: RegExp) => found[0].lines.filter((line) => pattern.test(line)).length;
  expect({ loads: count(/^v128\.load/), stores: count(/^v128\.store/) }).toEqual({ loads, stores });
});

test('the total of a sum stays in a register: two vectors a step, modulation and entropy each', () => {
  const sums = vectorLoops.filter((loop) => loop.lines.includes('f64x2.promote_low_f32x4'));
  expect(sums.length).toBeGreaterThanOrEqual(5);
  for (const loop of sums) {
    // the two losses are stored so that an engine may compute them as one vector
    const stores = loop.lines.filter((line) => line.startsWith('v128.store'));
    expect([0, 2]).toContain(stores.length);
    expect(loop.lines.filter((line) => line.startsWith('v128.load')).length).toBeLessThanOrEqual(4);
  }
});

test('the slot of a load or store is part of the instruction, not a sum made at every use', () => {
  const faults = vectorLoops
    .filter((loop) => /stage\/each|sumPower/.test(loop.function))
    .flatMap(({ lines, function: name }) =>
      lines.flatMap((line, i) => {
        const constant = Number(/^i32\.const (\d+)$/.exec(line)?.[1] ?? 0);
        return constant >= 256 && lines[i + 1] === 'i32.add' ? [`${name}: ${line}`] : [];
      }),
    );
  expect(faults).toEqual([]);
});

test('no relaxed instruction: the same bits everywhere', () => {
  expect(text.match(/relaxed/g)).toBeNull();
});

test('nothing is imported', () => {
  expect(text.match(/\(import /g)).toBeNull();
});

test("no function of the compiler's library: every line of the binary is this project's", () => {
  expect(text.match(/\(func \$~lib\S*/g)).toBeNull();
});
