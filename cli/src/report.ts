import { resolve } from 'node:path';
import type { Run } from './context.js';
import { UsageError } from './errors.js';
import { evaluate } from './evaluate.js';
import { checkFlags, warnOfNothing, warnOfSoft } from './flags.js';
import { type LossFlags, lossOptions } from './losses.js';
import type { TrainedWith } from './model-scores.js';
import { openInput } from './open.js';
import { type InputFlags, inputRequest, type ThresholdFlags } from './options.js';
import { openOutput } from './output.js';
import { skippedText } from './policy.js';
import { Progress } from './progress.js';
import { page } from './report/page.js';
import { sectionsOf } from './report/sections.js';
import { modelResult } from './result.js';
import { collectHardest, costsOf } from './score.js';
import { whole } from './text.js';
import { Hardest } from './topk.js';
import { VERSION } from './versions.js';

export interface ReportFlags extends InputFlags, LossFlags, ThresholdFlags {
  readonly top: number;
  readonly out: string;
  readonly force?: boolean;
  readonly title?: string;
}

/** Runs `focal-loss report`, and gives its exit code. */
export async function report(sources: readonly string[], flags: ReportFlags, run: Run): Promise<number> {
  checkFlags(flags);
  if (!/\.html?$/i.test(flags.out) && !flags.out.startsWith('/dev/')) {
    throw new UsageError(`--out expected a name that ends with .html, got ${flags.out}`);
  }
  const options = lossOptions(flags);
  const request = inputRequest(sources, flags, 'needed', true);
  const input = await openInput(request, run.scratch, run.signal);
  const progress = new Progress(run.stderr);
  try {
    const file = await openOutput(flags.out, { force: flags.force === true, inputs: input.files, option: '--out' });
    try {
      const { table } = input;
      const tops = table.models.map(() => new Hardest(flags.top));
      const { models, skipped, rows } = await evaluate({
        table,
        settings: { loss: flags.loss, options },
        rows: request.rows,
        ignoreIndex: flags.ignoreIndex,
        nulls: flags.null,
        nan: flags.nan,
        joined: flags.join,
        elementwise: true,
        signal: run.signal,
        onProgress: (share) => progress.report(share),
        warn: run.warn,
        onBlock(evaluated) {
          for (const [m, top] of tops.entries()) collectHardest(top, evaluated, m);
        },
      });
      progress.stop();
      const settings = {
        reduction: 'mean' as const,
        thresholds: flags.thresholds,
        costs: costsOf(flags),
        trainedWith: flags.trainedWith,
      };
      warnOfSoft(models[0], flags, run);
      if (rows === 0 && flags.shard === undefined) warnOfNothing(input.table.name, flags, run);
      const results = models.map((model, m) => modelResult(model, settings, models.length > 1, tops[m].examples));
      const sections = sectionsOf(models, results, {
        costs: costsOf(flags),
        trainedWith: flags.trainedWith ?? trainingOf(flags),
        scoredWith: flags.trainedWith,
      });
      const left = skippedText(skipped);
      const lead = [
        `${whole(rows)} rows of ${input.names.slice(0, 5).join(', ')}${input.names.length > 5 ? ` and ${input.names.length - 5} more` : ''}${left && `; left out: ${left}`}.`,
        `focal-loss ${VERSION}.`,
      ];
      await file.write(Buffer.from(page(flags.title ?? 'Predictions by focal loss', lead, sections)));
      await file.commit();
      run.stdout.write(`the report is in ${resolve(flags.out)}\n`);
      return 0;
    } finally {
      await file.discard();
    }
  } finally {
    progress.stop();
    await input.close();
  }
}

/** Unless it is said, a model was trained with the loss that it is scored with. */
function trainingOf({ gamma, alpha, posWeight }: ReportFlags): TrainedWith {
  return { gamma: gamma?.[0] ?? 1.5, alpha: alpha === 'none' ? null : (alpha ?? 0.25), posWeight: posWeight ?? 1 };
}
