import { type Command, InvalidArgumentError, Option } from 'commander';
import { toNumber } from './columns.js';
import { UsageError } from './errors.js';

export type Reduction = 'mean' | 'sum' | 'none';

export interface LossOptions {
  readonly gamma: number;
  readonly alpha: number | null;
  readonly posWeight: number;
}

/** As Commander gives them, for which null would be a missing value. */
export interface CommonFlags {
  readonly gamma: number;
  readonly alpha: number | 'none';
  readonly posWeight: number;
  readonly logitsColumn?: string;
  readonly out?: string;
  readonly json?: boolean;
}

export interface ScoreFlags extends CommonFlags {
  readonly reduction: Reduction;
  readonly targetsColumn?: string;
  readonly top?: number;
}

function number(text: string): number {
  const value = toNumber(text);
  if (value === undefined) throw new InvalidArgumentError('Expected a number.');
  return value;
}

function numberOrNone(text: string): number | 'none' {
  return text === 'none' ? text : number(text);
}

function wholeNumber(text: string): number {
  const value = toNumber(text);
  if (value === undefined || !Number.isSafeInteger(value) || value < 1) {
    throw new InvalidArgumentError('Expected a whole number of at least 1.');
  }
  return value;
}

function outputFile(text: string): string {
  if (!/\.(npy|csv)$/i.test(text)) throw new InvalidArgumentError('Expected a name that ends with .npy or .csv.');
  return text;
}

export function lossOptions({ gamma, alpha, posWeight }: CommonFlags): LossOptions {
  return { gamma, alpha: alpha === 'none' ? null : alpha, posWeight };
}

export function addLossOptions(command: Command): Command {
  return command
    .option('--gamma <number>', 'exponent of the modulating factor (1 - p_t)^gamma, 0 or more', number, 1.5)
    .addOption(
      new Option('--alpha <number|none>', 'weight of positives, in [0, 1]; negatives get 1 - alpha; none: no weights')
        .argParser(numberOrNone)
        .default(0.25),
    )
    .option('--pos-weight <number>', 'factor of the cross entropy of positives, 0 or more', number, 1);
}

export function addColumnOption(command: Command, role: 'logits' | 'targets', usual: string): Command {
  return command.option(
    `--${role}-column <column>`,
    `name, or index from 0, of the column of ${role} in a .csv or .parquet file; otherwise ${usual}, or the only one`,
  );
}

export function addOutputOptions(command: Command, holds: string): Command {
  return command
    .option('--out <file>', `write ${holds} to a .npy (float32) or .csv file`, outputFile)
    .option('--json', 'print one JSON object; a number that is not finite is null in it');
}

export function addScoreOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--reduction <how>', 'what "loss" is; with none there is no single one (null in JSON): use --out')
        .choices(['mean', 'sum', 'none'])
        .default('mean'),
    )
    .option('--top <k>', 'list the k elements of the largest loss', wholeNumber);
}

/** Lets the library check the values of options, and has its complaints name the option as typed. */
export function checked<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    const found = error instanceof Error ? /^"(gamma|alpha|posWeight)" (.*)/.exec(error.message) : null;
    if (found === null) throw error;
    const flag = found[1] === 'posWeight' ? '--pos-weight' : `--${found[1]}`;
    throw new UsageError(`${flag} ${found[2].replaceAll('null', 'none')}`);
  }
}
