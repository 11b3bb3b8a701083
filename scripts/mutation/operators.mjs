// What a mutant of the kernel's source changes: one place of one line.

/** Calls that take each other's place. */
const EXCHANGED = {
  add: 'sub',
  sub: 'add',
  mul: 'add',
  div: 'mul',
  and: 'or',
  or: 'and',
  xor: 'or',
  andNot: 'and',
  smaller: 'larger',
  larger: 'smaller',
  mulAdd: 'mulSub',
  wordsLow: 'wordsHigh',
  wordsHigh: 'wordsLow',
  signsLow: 'signsHigh',
  signsHigh: 'signsLow',
};

const OPERATORS = {
  '<': '<=',
  '<=': '<',
  '>': '>=',
  '>=': '>',
  '==': '!=',
  '!=': '==',
  '+': '-',
  '-': '+',
  '*': '+',
  '&': '|',
  '|': '&',
  '<<': '>>',
  '>>': '<<',
  '&&': '||',
  '||': '&&',
};

/** The kinds of mutants, each a pattern and what takes the place of its first group. */
const KINDS = [
  {
    kind: 'coefficient',
    pattern: /(?<![\w.])(-?\d+\.\d+(?:e[-+]?\d+)?|-?\d+e[-+]?\d+)(?![\w.])/g,
    to: (v) => nudged(v),
  },
  { kind: 'bits', pattern: /\b(0x[0-9a-fA-F]{3,})\b/g, to: (v) => `0x${(BigInt(v) ^ 0x100n).toString(16)}` },
  {
    kind: 'call',
    pattern: new RegExp(`(?<![\\w.])(${Object.keys(EXCHANGED).join('|')})(?=[(<])`, 'g'),
    to: (v, source) => (knows(source, EXCHANGED[v]) ? EXCHANGED[v] : v),
  },
  { kind: 'operator', pattern: / (<=|>=|==|!=|<<|>>|&&|\|\||[<>+\-*&|]) /g, to: (v) => OPERATORS[v] },
  { kind: 'offset', pattern: /\b(V[0-3])\b(?=>\()/g, to: (v, source) => otherOffset(v, source) },
  {
    kind: 'integer',
    // but not of what stands for no object, for an array that a stage does not read, or for one byte of a lane
    pattern: /(?<!\bchangetype<\w+>\(|\beach(?:Tile|Vector|Pair)<.*|\bi8x16\.shuffle\(.*)(?<![\w.<])(\d+)(?![\w.>])/g,
    to: (v) => String(Number(v) + 1),
  },
  {
    kind: 'lanes',
    pattern: /\bi8x16\.shuffle\(\w+, \w+, ((?:\d+, )+\d+)\)/g,
    to: (v) =>
      v
        .split(', ')
        .map((byte) => Number(byte) ^ 8)
        .join(', '),
  },
  { kind: 'order', pattern: /\bchoose\(([\w.]+, [\w.]+)(?=, )/g, to: (v) => v.split(', ').reverse().join(', ') },
  { kind: 'store', pattern: /^\s*((?:put<[^;]*|v128\.store[^;]*|store<[^;]*);)/g, to: () => ';' },
];

/** What a file does not import cannot take the place of anything. */
function knows(source, name) {
  return new RegExp(`\\b${name}\\b`).test(source);
}

function otherOffset(offset, source) {
  return ['V0', 'V1', 'V2', 'V3'].find((other) => other !== offset && knows(source, other)) ?? offset;
}

function nudged(literal) {
  const value = Number(literal);
  return value === 0 ? '1.0' : String(value * (1 + 2 ** -9));
}

/** Comments, imports, declarations of types and decorators are as they are. */
function isCode(line) {
  const code = line.trim();
  return !/^(\/\/|\/\*|\*|import\b|export (enum|\*|\{)|@|\}? from )/.test(code) && !/ERROR\(|^\w+,$/.test(code);
}

/** A source with a mutant in it. */
export function mutated(source, { line, changed }) {
  const lines = source.split('\n');
  lines[line - 1] = changed;
  return lines.join('\n');
}

/** Every mutant of a file: { file, line, kind, before, after, changed }, the last being the whole line. */
export function mutantsOf(file, source) {
  const lines = source.split('\n');
  const found = [];
  let inImport = false;
  lines.forEach((line, index) => {
    if (/^import \{$/.test(line)) inImport = true;
    const skipped = inImport || !isCode(line);
    if (/^\} from /.test(line)) inImport = false;
    if (skipped) return;
    const end = line.indexOf('//');
    const code = end < 0 ? line : line.slice(0, end);
    for (const { kind, pattern, to } of KINDS) {
      for (const match of code.matchAll(pattern)) {
        const from = match[1];
        const at = match.index + match[0].indexOf(from);
        const changed = line.slice(0, at) + to(from, source) + line.slice(at + from.length);
        if (changed === line) continue;
        found.push({ file, line: index + 1, kind, before: line.trim(), after: changed.trim(), changed });
      }
    }
  });
  return found;
}
