import { Command, CommanderError } from 'commander';
import { calibrate, calibrationCurve } from './calibrate.js';
import { DataError, UsageError } from './errors.js';
import { CALIBRATE_HELP, HELP, SCORE_HELP } from './help.js';
import { checkOutput, openLogits, openPair } from './open.js';
import {
  addColumnOption,
  addLossOptions,
  addOutputOptions,
  addScoreOptions,
  type CommonFlags,
  checked,
  lossOptions,
  type ScoreFlags,
} from './options.js';
import { createOutput, type Output } from './output.js';
import { Progress, type Stream } from './progress.js';
import { calibrationText, json, scoreText } from './report.js';
import { createMeter, score } from './score.js';
import { checkShapes, type Table } from './table.js';

declare const __VERSION__: string;

export interface Streams {
  readonly stdout: Stream;
  readonly stderr: Stream;
  /** Stops the work, as Ctrl-C does. */
  readonly signal?: AbortSignal;
}

/** Runs the command line `argv`, without the program's name, and gives its exit code. */
export async function run(argv: readonly string[], streams: Streams): Promise<number> {
  const complain = (message: string) => streams.stderr.write(`focal-loss: ${message.replace(/\s*\n\s*/g, ' ')}\n`);
  try {
    if (argv.length === 0) throw new UsageError('expected a command, score or calibrate; see focal-loss --help');
    await program(streams, complain).parseAsync(argv, { from: 'user' });
    return 0;
  } catch (error) {
    if (streams.signal?.aborted) return 130;
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    if (error instanceof CommanderError || error instanceof UsageError) {
      complain(error.message.replace(/^error: /, ''));
      return 2;
    }
    complain(error instanceof DataError ? error.message : `internal error: ${(error as Error)?.stack ?? error}`);
    return 1;
  }
}

function program(streams: Streams, warn: (message: string) => void): Command {
  const { stdout, stderr } = streams;
  const root = new Command('focal-loss')
    .description(
      'Scores predictions with focal loss, and turns the scores of a model trained with it into probabilities.',
    )
    .exitOverride()
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      outputError: () => {},
      getOutHelpWidth: () => stdout.columns ?? 80,
      getOutHasColors: () => false,
    })
    .version(typeof __VERSION__ === 'undefined' ? 'dev' : __VERSION__, '--version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand(false)
    .addHelpText('after', HELP);

  const scoring = root
    .command('score')
    .summary('the loss of predictions, by class, and the hardest of them')
    .description('Prints the focal loss of predictions, its share by class, and the hardest elements.')
    .argument('<LOGITS>', '.npy, .csv or .parquet file of logits, before the sigmoid')
    .argument('[TARGETS]', 'file of targets, 0 or 1 or in between; left out where LOGITS holds both');
  addLossOptions(scoring);
  addScoreOptions(scoring);
  addColumnOption(scoring, 'logits', '"logits" or "logit"');
  addColumnOption(scoring, 'targets', '"targets", "target", "labels" or "label"');
  addOutputOptions(scoring, "each element's loss").addHelpText('after', SCORE_HELP);
  scoring.action(async (logitsFile: string, targetsFile: string | undefined, flags: ScoreFlags) => {
    const options = { ...lossOptions(flags), reduction: flags.reduction, top: flags.top };
    checked(() => createMeter(lossOptions(flags)));
    const open = () => openPair(logitsFile, targetsFile, flags);
    const result = await work(streams, open, flags.out, 'loss', (tables, output, onProgress) => {
      checkShapes(tables[0], tables[tables.length - 1]);
      return score({ tables, options, output, onProgress, warn, signal: streams.signal });
    });
    stdout.write(flags.json ? json(result) : scoreText(result, options));
  });

  const calibrating = root
    .command('calibrate')
    .summary('the class probabilities behind the logits of a model trained with focal loss')
    .description('Computes the class probability behind each logit of a model that was trained with focal loss.')
    .argument('<LOGITS>', '.npy, .csv or .parquet file of logits, before the sigmoid');
  addLossOptions(calibrating);
  addColumnOption(calibrating, 'logits', '"logits" or "logit"');
  addOutputOptions(calibrating, 'the probabilities').addHelpText('after', CALIBRATE_HELP);
  calibrating.action(async (logitsFile: string, flags: CommonFlags) => {
    const options = lossOptions(flags);
    const curve = checked(() => calibrationCurve(options));
    const open = async () => [await openLogits(logitsFile, flags.logitsColumn)];
    const result = await work(streams, open, flags.out, 'probability', ([table], output, onProgress) =>
      calibrate({ table, options, output, onProgress, warn, signal: streams.signal }),
    );
    stdout.write(flags.json ? json(result) : calibrationText(result, curve, options));
  });
  return root;
}

/** Opens the files and the output around `step`; afterwards the output is whole under its name, or gone. */
async function work<Result extends { readonly count: number }>(
  { stderr }: Streams,
  open: () => Promise<Table[]>,
  out: string | undefined,
  column: string,
  step: (tables: Table[], output: Output | undefined, onProgress: (share: number) => void) => Promise<Result>,
): Promise<Result> {
  const tables = await open();
  const progress = new Progress(stderr);
  let output: Output | undefined;
  try {
    if (out !== undefined) {
      await checkOutput(out, tables);
      output = await createOutput(out, column, tables[0].shape);
    }
    const result = await step(tables, output, (share) => progress.report(share));
    await output?.commit(result.count);
    return result;
  } finally {
    progress.stop();
    await output?.discard();
    for (const table of tables) await table.close();
  }
}
