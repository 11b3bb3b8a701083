// The options of every loss as they are described once: what an option does in the doc comments of src/losses, its default and
// its rule by the library itself. Documents and the command line's help are made of this.
import { readdirSync, readFileSync } from 'node:fs';
import { table } from './section.mjs';

const FOLDER = new URL('../src/losses/', import.meta.url);
const INTERFACE = /export interface (\w+)(?:<[^{]*?>)?(?:\s+extends\s+([^{]+?))?\s*\{(.*?)\n?\}\n/gs;
const MEMBER = /\/\*\*((?:(?!\*\/).)*)\*\/\s*readonly (\w+)\??: ([^;]+);/gs;

/**
 * Each class with its options in the order in which they act: `text` is what one does, `told` its default in words, `accepts` what
 * it may be, `fallback` its default, which is undefined where there is none.
 */
export function lossOptions(library) {
  const interfaces = readInterfaces();
  return Object.entries(library)
    .filter(([name]) => interfaces.has(`${name}Options`))
    .map(([name, Loss]) => {
      const needsClasses = isRequired(Loss);
      const required = needsClasses ? { numClasses: 2 } : {};
      const { options, reduction } = new Loss(required);
      const values = { ...options, reduction, ...(needsClasses && { numClasses: undefined, background: undefined }) };
      const members = [...membersOf(interfaces, `${name}Options`).values()];
      return {
        name,
        needsClasses,
        options: members.map(({ key, comment, type }) =>
          described(key, comment, type, values[key], ruleOf(Loss, required, key)),
        ),
      };
    });
}

/** "What it does; what it may be, and more. Default such." in its parts, of which the library knows two as well. */
function described(key, comment, type, fallback, rule) {
  const told = comment.match(/Default:? (.+?)\.(?= |$)/)?.[1] ?? (key === 'numClasses' ? 'required' : 'none');
  const known = shown(fallback);
  if (fallback !== undefined && told.split(/[:,] /)[0] !== known) {
    throw new Error(`the documentation of "${key}" has the default ${told}, the library ${known}`);
  }
  const [head] = rule.split(', or');
  const accepted = comment.match(new RegExp(`; (${head.replace(/[[\]().^$|?*+]/g, '\\$&')}.*?)(?=\\. |\\.$)`))?.[1];
  const text = comment
    .replace(/\s*Default:? .+?\.(?= |$)/, '')
    .replace(`; ${accepted}`, '')
    .replace(/\.$/, '');
  const isNullable = type.includes('null') && !/null/.test(accepted ?? rule);
  return {
    key,
    text,
    told: told.replace(/^(null|true|false)\b.*/, '`$1`'),
    accepts: (accepted ?? choices(rule)) + (isNullable ? ', or `null`' : ''),
    rule,
    fallback,
  };
}

function shown(value) {
  return typeof value === 'string' ? `\`'${value}'\`` : String(value);
}

function choices(rule) {
  return rule.replaceAll(/'\w+'/g, (choice) => `\`${choice}\``);
}

/** The tables of docs/options.md by the names of their sections. */
export function optionSections(losses) {
  const find = (name) => losses.find((loss) => loss.name === name);
  const focal = find('FocalLoss');
  const heads = ['option', 'default', 'what it does', 'accepts'];
  const row = ({ key, told, text, accepts }) => [`\`${key}\``, told, text, accepts];
  const same = (a, b) => b !== undefined && row(a).join() === row(b).join();
  const beside = (loss) => {
    const isShared = (option) =>
      same(
        option,
        focal.options.find(({ key }) => key === option.key),
      );
    const shared = loss.options.filter(isShared).map(({ key }) => `\`${key}\``);
    return [
      ...table(heads, loss.options.filter((option) => !isShared(option)).map(row)),
      '',
      `As \`FocalLoss\` has them: ${shared.join(', ')}.`,
    ];
  };
  const plain = ['FocalLoss', 'BCEWithLogitsLoss'];
  const family = losses.filter(({ name, needsClasses }) => !needsClasses && !plain.includes(name));
  const everyOne = (key) => family.every(({ options }) => options.some((option) => option.key === key));
  const common = family[0].options.filter(({ key }) => everyOne(key));
  const own = family.flatMap(({ name, options }) =>
    options
      .filter((option) => !common.some((other) => same(option, other)))
      .map((option) => [`\`${name}\``, ...row(option)]),
  );
  return {
    'options of FocalLoss': table(heads, focal.options.map(row)),
    'options of SoftmaxFocalLoss': beside(find('SoftmaxFocalLoss')),
    'options of OneHotFocalLoss': beside(find('OneHotFocalLoss')),
    'options of the family': [
      ...table(['loss', ...heads], own),
      '',
      `All of them have ${common.map(({ key }) => `\`${key}\``).join(', ')} as well, as \`FocalLoss\` has them.`,
    ],
  };
}

/** The formulas of the family as documents show them: TeX that Markdown leaves alone, its cases in words. */
export function formulaSection(entries) {
  const family = entries.filter(({ name }) => !['BCEWithLogitsLoss', 'FocalLoss'].includes(name));
  const rows = family.map(({ name, formula }) => {
    const cases = formula
      .replaceAll(String.raw`\,`, ' ')
      .replace(/\|([^|]*)\|/, String.raw`\lvert $1\rvert`)
      .split(String.raw`,\qquad `)
      .map((one) => {
        const [, value, condition] = /^(.*?)(?:\\ \(([^()]*)\))?$/.exec(one);
        const math = `$${value.replaceAll(String.raw`\ `, ' ')}$`;
        return condition === undefined ? math : `${math} where $${condition}$`;
      });
    return [`\`${name}\``, cases.join('; ')];
  });
  return table(['loss', "an element's loss"], rows);
}

/** cli/src/option-help.ts: of each option that the command line has a flag for, what it does in a line, and what it may be. */
export function optionHelp(losses) {
  const focal = losses.find(({ name }) => name === 'FocalLoss');
  // FocalLoss's say what they are about, others may differ from loss to loss
  const flags = new Map();
  for (const { key, text, rule } of [focal, ...losses].flatMap(({ options }) => options)) {
    if (TOLD_OTHERWISE.includes(key)) continue;
    const flag = flags.get(key) ?? { texts: new Set(), rule };
    if (flag.texts.size === 0 || !focal.options.some((option) => option.key === key)) flag.texts.add(firstClause(text));
    flags.set(key, flag);
  }
  const entries = [...flags].map(([key, { texts, rule }]) => {
    const text = [...texts].join('; ');
    return `  ${key}: {\n    text: ${quoted(text)},\n    takes: ${quoted(takes(rule))},\n  },\n`;
  });
  const head = '// Written by "npm run docs" from the library\'s doc comments and checks.';
  return `${head}\nexport const OPTION_HELP = {\n${entries.join('')}} as const;\n`;
}

/** Options that the command line says by its own: the kind of its columns, and what it computes. */
const TOLD_OTHERWISE = 'fromLogits numClasses classAxis classWeight reduction normalizer hessian lossFcn'.split(' ');

function firstClause(text) {
  const [clause] = text.replaceAll('`', '').split(/[;.](?= |$)/);
  return clause.replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase());
}

/** A number, an integer, a number or none, or one of the words that the rule lists. */
function takes(rule) {
  const words = rule
    .match(/^one of (.*)/)?.[1]
    .replaceAll("'", '')
    .replaceAll(', ', '|');
  if (words !== undefined) return words;
  if (rule.startsWith('an integer')) return 'integer';
  return /null/.test(rule) ? 'number|none' : 'number';
}

function quoted(text) {
  return text.includes("'") ? JSON.stringify(text) : `'${text}'`;
}

/** Interfaces by name: what each extends, and its own members. */
function readInterfaces() {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith('.ts'));
  const source = files.map((name) => readFileSync(new URL(name, FOLDER), 'utf8')).join('\n');
  return new Map(
    [...source.matchAll(INTERFACE)].map(([, name, bases = '', body]) => {
      const members = [...body.matchAll(MEMBER)].map(([, comment, key, type]) => ({
        key,
        type,
        comment: textOf(comment),
      }));
      return [name, { bases: bases.split(',').map((base) => base.trim().replace(/<.*>/, '')), members }];
    }),
  );
}

/** Members by key: those of what is extended first, with an interface's own documentation where it has one. */
function membersOf(interfaces, name) {
  const { bases, members } = interfaces.get(name) ?? { bases: [], members: [] };
  const inherited = bases.flatMap((base) => [...membersOf(interfaces, base).values()]);
  return new Map([...inherited, ...members].map((member) => [member.key, member]));
}

function textOf(comment) {
  return comment
    .split('\n')
    .map((line) => line.replace(/^\s*\*? ?/, '').trim())
    .join(' ')
    .trim();
}

function isRequired(Loss) {
  try {
    new Loss();
    return false;
  } catch ({ argument }) {
    return argument === 'numClasses';
  }
}

/** What a value must be, as the error about another one says it. */
function ruleOf(Loss, required, key) {
  try {
    new Loss({ ...required, [key]: Symbol() });
  } catch ({ message }) {
    return message.match(/^"\w+" expected (.*), got a symbol/)[1];
  }
  throw new Error(`${Loss.name} takes anything as ${key}`);
}
