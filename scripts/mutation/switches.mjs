// One source with all its mutants: each changed place asks a number of the instance which of its forms is meant.

/** An instance's number: the mutant that is on, or -1. */
export const SWITCH = 'mutantThatIsOn';
/** The address of a byte a place, which says whether it was come by. */
export const SEEN = 'placesSeen';

/** What every source can call. `stay` is whether none of the mutants from `first` on is on. */
export function switchboard(places) {
  return `
    export let ${SWITCH}: i32 = -1;
    export const ${SEEN}: usize = memory.data(${(places + 63) & ~63}, 16);
    // @ts-ignore: decorator
    @global @inline function stay(place: i32, first: i32, count: i32): bool {
      store<u8>(${SEEN} + place, 1);
      return <u32>(${SWITCH} - first) >= <u32>count;
    }
    // @ts-ignore: decorator
    @global @inline function isOn(mutant: i32): bool {
      return ${SWITCH} == mutant;
    }
    // @ts-ignore: decorator
    @global @inline function come(place: i32): bool {
      store<u8>(${SEEN} + place, 1);
      return true;
    }
  `;
}

/**
 * A source whose mutants can be switched.
 * @param mutants of one file, each with its `id`, numbered in their order
 * @param {{ left: Set<number>, place: (mutants: object[]) => number, seenOnly: boolean }} options `left`: lines to leave as they
 *   are; `place`: the number of a place; `seenOnly`: only say where a call comes by
 * @returns `text` and the mutants that are in it
 */
export function switchable(source, mutants, { left, place, seenOnly = false }) {
  const lines = source.split('\n');
  const inside = [];
  const byLine = new Map();
  for (const mutant of mutants) byLine.set(mutant.line, [...(byLine.get(mutant.line) ?? []), mutant]);
  for (const [number, all] of byLine) {
    if (left.has(number)) continue;
    const at = number - 1;
    const changed = all.map((mutant) => ({ mutant, line: withoutComment(mutant.changed) }));
    const made = switchLine(withoutComment(lines[at]), changed, isWhole(lines, at), (variants) => {
      const ids = variants.map(({ mutant }) => mutant.id);
      const number = place(variants.map(({ mutant }) => mutant));
      inside.push(...variants.map(({ mutant }) => mutant));
      const tests = ids.map((id) => `isOn(${id})`);
      const isRow = Math.max(...ids) - Math.min(...ids) === ids.length - 1; // not of a loop, whose parts have each their own
      const stay = isRow
        ? `stay(${number}, ${Math.min(...ids)}, ${ids.length})`
        : `(come(${number}) && !(${tests.join(' || ')}))`;
      return { none: seenOnly ? `come(${number})` : stay, tests, seenOnly };
    });
    if (made !== undefined) lines[at] = made;
  }
  return { text: lines.join('\n'), inside };
}

/** Whether the line is a statement by itself, which nothing before or after it belongs to. */
function isWhole(lines, at) {
  const before = withoutComment(lines[at - 1] ?? '').trim();
  const after = (lines[at + 1] ?? '').trim();
  const line = withoutComment(lines[at]).trim();
  const starts = before === '' || /(^\/\/.*|^\/?\*.*|[;{}]|^case \w+:)$/.test(before);
  return (
    starts &&
    line.endsWith(';') &&
    isBalanced(line) &&
    !/^else\b/.test(after) &&
    !/^(else|\}|const|let|default)/.test(line)
  );
}

function isBalanced(line) {
  let depth = 0;
  for (const letter of line) {
    if ('({['.includes(letter)) depth++;
    else if (')}]'.includes(letter)) depth--;
    if (depth < 0) return false;
  }
  return depth === 0;
}

function withoutComment(line) {
  const end = line.indexOf(' //');
  return end < 0 ? line : line.slice(0, end).trimEnd();
}

/** The forms of a line in which one part of it, an expression or a statement, can be any of several. */
const SHAPES = [
  /^(?<head>\s+(?:const|let) \w+(?:: [\w<>]+)? = )(?<expression>.+)(?<tail>;)$/,
  /^(?<head>\s+return )(?<expression>.+)(?<tail>;)$/,
  /^(?<head>\s+(?:\} else )?(?:if|while) \()(?<expression>.+)(?<tail>\) \{)$/,
];
const LOOP = /^(\s+for \()([^;]*)(; )([^;]*)(; )([^;]*?)(\) )(\{|[^{]*;)$/;
const CASE = /^(?<head>\s+case \w+: )(?<statement>.+;)(?<tail>)$/;

/** @param join numbers a group of variants of one part */
function switchLine(line, variants, whole, join) {
  if (!/^\s/.test(line)) return undefined;
  const loop = LOOP.exec(line);
  if (loop !== null) return switchLoop(loop, variants, join);
  for (const shape of [...SHAPES, ...(whole ? [CASE] : [])]) {
    const parts = shape.exec(line)?.groups;
    if (parts === undefined) continue;
    const { head, statement, tail } = parts;
    const made = variants.map((variant) => ({ ...variant, parts: shape.exec(variant.line)?.groups }));
    if (made.some((variant) => variant.parts?.head !== head || variant.parts.tail !== tail)) return undefined;
    const [kind, switchPart] =
      statement === undefined ? ['expression', switchExpression] : ['statement', switchStatement];
    const each = made.map((variant) => ({ ...variant, part: variant.parts[kind] }));
    return head + switchPart(parts[kind], each, join) + tail;
  }
  if (!whole || /^\s+(case|default)\b/.test(line)) return undefined;
  return switchStatement(
    line,
    variants.map((v) => ({ ...v, part: v.line })),
    join,
  );
}

function switchExpression(expression, variants, join) {
  const { none, tests, seenOnly } = join(variants);
  if (seenOnly) return `(${none}, ${expression})`;
  const others = variants.slice(0, -1).map(({ part }, k) => `${tests[k]} ? (${part}) : `);
  return `${none} ? (${expression}) : ${others.join('')}(${variants.at(-1).part})`;
}

function switchStatement(statement, variants, join) {
  const { none, tests, seenOnly } = join(variants);
  if (seenOnly) return `{ ${none}; ${statement.trim()} }`;
  const others = variants.slice(0, -1).map(({ part }, k) => ` else if (${tests[k]}) { ${part.trim()} }`);
  return `if (${none}) { ${statement.trim()} }${others.join('')} else { ${variants.at(-1).part.trim()} }`;
}

const FIRST = 2;
const CONDITION = 4;
const STEP = 6;
const BODY = 8;

function switchLoop(loop, variants, join) {
  const parts = loop.slice(1);
  const of = new Map([FIRST, CONDITION, STEP, BODY].map((k) => [k, []]));
  for (const variant of variants) {
    const others = LOOP.exec(variant.line)?.slice(1);
    const changed = others?.flatMap((part, k) => (part === parts[k] ? [] : [k + 1]));
    if (changed?.length !== 1 || !of.has(changed[0])) return undefined;
    of.get(changed[0]).push({ ...variant, part: others[changed[0] - 1] });
  }
  const made = [...parts];
  for (const [at, group] of of) {
    if (group.length === 0) continue;
    const part = parts[at - 1];
    if (at === BODY) made[at - 1] = switchStatement(part, group, join);
    else if (at === CONDITION) made[at - 1] = switchExpression(part, group, join);
    else {
      const shape = at === FIRST ? /^(let \w+(?:: \w+)? = )([^,]+)$/ : /^(\w+ [-+*]?= )([^,]+)$/;
      const [, head, value] = shape.exec(part) ?? [];
      if (head !== undefined && group.every((variant) => shape.exec(variant.part)?.[1] === head)) {
        made[at - 1] =
          head +
          switchExpression(
            value,
            group.map((v) => ({ ...v, part: shape.exec(v.part)[2] })),
            join,
          );
      } else if (at === STEP) {
        made[at - 1] = switchExpression(part, group, join);
      } else return undefined;
    }
  }
  return made.join('');
}
