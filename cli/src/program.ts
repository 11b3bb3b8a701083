import { Command, CommanderError, Option } from 'commander';
import type { CalibrateFlags } from './calibrate.js';
import type { Run } from './context.js';
import { CALIBRATE_HELP, HELP, MERGE_HELP, REPORT_HELP, SCORE_HELP } from './help.js';
import type { MergeFlags } from './merge.js';
import { addInputOptions, addLossOptions, addOutputOptions, addThresholdOptions, type ScoreFlags } from './options.js';
import * as parse from './parsers.js';
import type { ReportFlags } from './report.js';
import { VERSION } from './versions.js';

const SOURCES = 'files, quoted patterns, folders or URLs that hold the data set together; - with --format';

/** Gives a command its options, and what it does; its exit code is told to `done`. */
type Define = (command: Command, run: Run, done: (code: number) => void) => void;

const COMMANDS: readonly { readonly name: string; readonly summary: string; readonly define: Define }[] = [
  {
    name: 'score',
    summary: 'the loss of predictions, by class and slice, and the hardest of them',
    define: defineScore,
  },
  {
    name: 'calibrate',
    summary: 'the probabilities behind the scores of a model trained with focal loss',
    define: defineCalibrate,
  },
  { name: 'report', summary: 'one page of plots', define: defineReport },
  { name: 'merge', summary: 'adds up the states of shards', define: defineMerge },
];

/**
 * The commands; each is loaded when it runs. Where `argv` begins with one of them the others get no options: nobody asks for
 * them, and they would take as long as a small file does.
 */
export function program(argv: readonly string[], run: Run, done: (code: number) => void): Command {
  const { stdout } = run;
  const root = new Command('focal-loss')
    .description(
      'Scores predictions with focal loss, and turns the scores of a model trained with it into probabilities.',
    )
    .exitOverride()
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => run.stderr.write(text),
      outputError: () => {},
      getOutHelpWidth: () => run.width,
      getOutHasColors: () => false,
    })
    .version(VERSION, '-V, --version', 'show the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command')
    .addHelpText('after', HELP);
  root.addOption(new Option('-v').hideHelp());
  root.on('option:v', () => {
    stdout.write(`${VERSION}\n`);
    throw new CommanderError(0, 'commander.version', VERSION);
  });

  const isNamed = COMMANDS.some(({ name }) => name === argv[0]);
  for (const { name, summary, define } of COMMANDS) {
    const command = root.command(name).summary(summary);
    if (!isNamed || name === argv[0]) define(command, run, done);
  }
  return root;
}

function defineScore(command: Command, run: Run, done: (code: number) => void): void {
  command
    .description('Prints the loss of predictions, its share by class, how good they are, and the hardest of them.')
    .argument('[SOURCE...]', `${SOURCES}; of .npy files logits, then targets`);
  addInputOptions(command);
  addLossOptions(command);
  addScoreOptions(command);
  addThresholdOptions(command);
  addOutputOptions(command, "each element's index, id, score, probability, target and loss").addHelpText(
    'after',
    SCORE_HELP,
  );
  command.action(async (sources: string[], flags: ScoreFlags) => {
    const { score } = await import('./score.js');
    done(await score(sources, flags, run));
  });
}

function defineCalibrate(command: Command, run: Run, done: (code: number) => void): void {
  command
    .description(
      'Computes the probability behind each score of a model that was trained with focal loss; with targets also how good they were before and after.',
    )
    .argument('[SOURCE...]', SOURCES);
  addInputOptions(command, false);
  addTraining(command);
  addOutputOptions(command, 'the probabilities').addHelpText('after', CALIBRATE_HELP);
  command.action(async (sources: string[], flags: CalibrateFlags) => {
    const { calibrate } = await import('./calibrate.js');
    done(await calibrate(sources, flags, run));
  });
}

function defineReport(command: Command, run: Run, done: (code: number) => void): void {
  command
    .description('Writes one HTML file of tables and plots, which needs no network.')
    .argument('[SOURCE...]', SOURCES);
  addInputOptions(command);
  addLossOptions(command);
  addThresholdOptions(command);
  command
    .option('--top <k>', 'the hardest rows to list', parse.wholeNumber, 20)
    .requiredOption('--out <file>', 'the page to write, as in report.html', parse.nonEmpty)
    .option('--force', 'replace a file that exists')
    .option('--title <text>', 'the heading of the page')
    .addHelpText('after', REPORT_HELP);
  command.action(async (sources: string[], flags: ReportFlags) => {
    const { report } = await import('./report.js');
    done(await report(sources, flags, run));
  });
}

function defineMerge(command: Command, run: Run, done: (code: number) => void): void {
  command
    .description('Adds up the states that score --state has written for shards, and prints what score prints.')
    .argument('<STATE...>', 'states of shards that were scored with the same options');
  addReduction(command);
  addThresholdOptions(command);
  command
    .option('--fail-above <loss>', 'exit with 3 where the loss is above', parse.limit)
    .option('--state <file>', 'write the state of all of them')
    .option('--force', 'replace a file that exists')
    .option('--json', 'print one JSON object')
    .addHelpText('after', MERGE_HELP);
  command.action(async (files: string[], flags: MergeFlags) => {
    const { merge } = await import('./merge.js');
    done(await merge(files, flags, run));
  });
}

function addReduction(command: Command): Command {
  return command.addOption(
    new Option('--reduction <how>', 'what "loss" is; with none there is no single one')
      .choices(['mean', 'sum', 'none'])
      .default('mean'),
  );
}

function addScoreOptions(command: Command): Command {
  return addReduction(command)
    .option('--top <k>', 'list the k elements of the largest loss', parse.wholeNumber)
    .option('--fail-above <loss>', 'exit with 3 where the loss is above', parse.limit)
    .option('--shard <i/n>', 'only this part of the sources: by file, then by row group', parse.shard)
    .option('--state <file>', 'write what was added up, for merge');
}

function addTraining(command: Command): Command {
  return command
    .option('--gamma <number>', 'that the model was trained with', parse.number, 1.5)
    .addOption(new Option('--alpha <number|none>', 'likewise').argParser(parse.numberOrNone).default(0.25))
    .option('--pos-weight <number>', 'likewise', parse.number, 1)
    .option('--ignore-index <label>', 'targets that are left out', parse.integer);
}
