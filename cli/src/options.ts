import { type Command, InvalidArgumentError, Option } from 'commander';
import { defaultsOf, flagOf, isRows, LOSS_NAMES, type LossFlags } from './losses.js';
import type { TrainedWith } from './model-scores.js';
import type { InputRequest } from './open.js';
import { OPTION_HELP } from './option-help.js';
import * as parse from './parsers.js';
import type { NaNPolicy, NullPolicy } from './policy.js';
import { recordFormat } from './records.js';
import { FORMATS, type Format } from './sources.js';

/** Options as Commander gives them. */
export interface InputFlags {
  readonly logits?: string[];
  readonly probabilities?: string[];
  readonly targets?: string;
  readonly weight?: string;
  readonly id?: string;
  readonly classes?: string[];
  readonly positiveLabel?: string;
  readonly by?: string[];
  readonly where?: string;
  readonly join?: string;
  readonly on?: string;
  readonly sql?: string;
  readonly null: NullPolicy;
  readonly nan: NaNPolicy;
  readonly format?: Format;
  readonly delimiter?: string;
  readonly header?: boolean;
  readonly memory?: string;
  readonly shard?: { readonly index: number; readonly count: number };
}

export interface OutFlags {
  readonly out?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

export interface ThresholdFlags {
  readonly thresholds?: number[];
  readonly costMiss?: number;
  readonly costAlarm?: number;
  readonly trainedWith?: TrainedWith;
}

export interface ScoreFlags extends InputFlags, OutFlags, LossFlags, ThresholdFlags {
  readonly reduction: 'mean' | 'sum' | 'none';
  readonly top?: number;
  readonly failAbove?: number;
  readonly state?: string;
}

export function addInputOptions(command: Command, slices = true): Command {
  command
    .option('--logits <column>', "logits before the sigmoid; once for each model; 'logit_*' for classes", parse.collect)
    .option('--probabilities <column>', 'probabilities in place of logits', parse.collect);
  command
    .option('--targets <column>', 'targets: 0 or 1, in between, or a class', parse.nonEmpty)
    .option('--weight <column>', 'a weight for each row', parse.nonEmpty)
    .option('--id <column>', 'what names a row in lists and in --out', parse.nonEmpty)
    .option('--classes <names>', 'the labels of classes in their order, as in cat,dog', parse.items)
    .option('--positive-label <label>', 'the label that counts as 1; every other is 0');
  if (slices) command.option('--by <columns>', 'results for each value of these columns as well', parse.columns);
  command
    .option('--where <sql>', 'only the rows for which this holds', parse.nonEmpty)
    .option('--join <file>', 'further columns from another file ...', parse.nonEmpty)
    .option('--on <id>', '... for rows of the same id', parse.nonEmpty)
    .option('--sql <query>', "a query in place of sources: SELECT ... FROM 'file'", parse.nonEmpty)
    .addOption(new Option('--null <what>', 'a row with a missing value').choices(['error', 'skip']).default('error'))
    .addOption(new Option('--nan <what>', 'a row with NaN').choices(['error', 'skip', 'keep']).default('error'))
    .addOption(new Option('--format <format>', 'what the sources hold, where names do not say').choices(FORMATS))
    .option('--delimiter <character>', 'between the cells of text; otherwise it is found', parse.delimiter)
    .option('--header', 'the first line of text names the columns')
    .option('--no-header', 'the first line of text is a row')
    .option(
      '--memory <size>',
      'what the engine that reads files may take (default: 192MB, and 512MB for text)',
      parse.nonEmpty,
    );
  // Commander makes a negated option true by default; here nothing is known
  command.setOptionValue('header', undefined);
  return command;
}

/** A flag for each option that a loss of the library has. */
export function addLossOptions(command: Command): Command {
  command.addOption(new Option('--loss <loss>', 'which loss').choices(LOSS_NAMES).default('focal'));
  for (const [key, { text, takes }] of Object.entries(OPTION_HELP)) {
    const { value, parser, choices } = VALUES[key] ?? flagValue(takes);
    const option = new Option(`${flagOf(key)} <${value}>`, `${text}${defaultsText(key)}`);
    command.addOption(choices === undefined ? option.argParser(parser) : option.choices(choices));
  }
  return command;
}

interface FlagValue {
  readonly value: string;
  readonly parser: (text: string) => unknown;
  readonly choices?: readonly string[];
}

/** Flags that take other things than their option: several gammas for as many losses, a label that data can have. */
const VALUES: Readonly<Record<string, FlagValue>> = {
  gamma: { value: 'numbers', parser: parse.numbers },
  ignoreIndex: { value: 'label', parser: parse.integer },
};

function flagValue(takes: string): FlagValue {
  if (takes === 'number') return { value: takes, parser: parse.number };
  if (takes === 'integer') return { value: 'label', parser: parse.integer };
  if (takes === 'number|none') return { value: takes, parser: parse.numberOrNone };
  return { value: 'meaning', parser: String, choices: takes.split('|') };
}

/** " (default: 1.5; varifocal 2)": what focal has, and others that differ; of an option that focal does not have, what others have. */
function defaultsText(key: string): string {
  const defaults = defaultsOf(key);
  const own = defaults.find(([name]) => name === 'focal');
  const others = defaults.filter(([name, value]) => name !== 'bce' && value !== own?.[1]);
  const texts = others.map(([name, value]) => (key === 'background' ? name : `${name} ${value ?? 'none'}`));
  const several = key === 'gamma' ? '; several as in 0,1,2,5' : '';
  const told = [
    ...(own === undefined ? [] : [`default: ${own[1] ?? 'none'}`]),
    ...(texts.length === 0 ? [] : [texts.join(', ')]),
  ];
  return told.length === 0 ? several : `${several} (${told.join('; ')})`;
}

export function addThresholdOptions(command: Command): Command {
  return command
    .option('--thresholds <numbers>', 'precision, recall and F1 at these probabilities', parse.probabilities)
    .option('--cost-miss <number>', 'what a missed positive costs; gives the cheapest threshold', parse.cost)
    .option('--cost-alarm <number>', 'what a false alarm costs', parse.cost)
    .option(
      '--trained-with <gamma,alpha>',
      'scores are of a model so trained: turn them into probabilities',
      parse.trainedWith,
    );
}

export function addOutputOptions(command: Command, holds: string): Command {
  return command
    .option('--out <file>', `write ${holds} to a .npy, .csv or .parquet file; - for standard output`, outFile)
    .option('--force', 'replace files that exist')
    .option('--json', 'print one JSON object; "NaN" and "Infinity" are text in it');
}

function outFile(text: string): string {
  if (text.startsWith('/dev/') || recordFormat(text) !== undefined) return text;
  throw new InvalidArgumentError('Expected a name that ends with .npy, .csv or .parquet, or -.');
}

/** What the options say about the input. */
export function inputRequest(
  sources: readonly string[],
  flags: InputFlags & { readonly loss?: LossFlags['loss'] },
  wanted: InputRequest['wanted'],
  ids: boolean,
): InputRequest {
  return {
    sources,
    models: flags.logits ?? flags.probabilities ?? [],
    probabilities: flags.logits === undefined && flags.probabilities !== undefined,
    rows: isRows(flags.loss ?? 'focal'),
    targets: flags.targets,
    wanted,
    weight: flags.weight,
    id: flags.id,
    ids,
    by: flags.by ?? [],
    where: flags.where,
    classes: flags.classes,
    positiveLabel: flags.positiveLabel,
    sql: flags.sql,
    join: flags.join,
    on: flags.on,
    format: flags.format,
    dialect: { delimiter: flags.delimiter, header: flags.header },
    memory: flags.memory,
    shard: flags.shard,
  };
}
