export const HELP = `
Examples:
  focal-loss score predictions.parquet --by country --top 10
  focal-loss score logits.npy targets.npy --gamma 2 --alpha 0.75
  focal-loss calibrate logits.npy --gamma 2 --out probabilities.npy
  focal-loss report 'predictions/*.csv' --out report.html

The loss of an element is alpha_t (1 - p_t)^gamma times its cross entropy, where
p_t is the probability of its own class. Defaults: gamma 1.5, alpha 0.25; other
libraries (RetinaNet, torchvision) use gamma 2 and alpha 0.25.

focal-loss help score and the like tell more.

Exit codes: 0 done, 1 a fault in a file, 2 a fault in the command, 3 the loss is
above --fail-above.`;

const SOURCES = `
Sources:
  .npy .npz     arrays of floats, bool or integers; of .npz by the arrays' names
  .csv .tsv     text with any delimiter, with a header or without, also .gz, .zst
  .json .jsonl  objects, or one a line
  .parquet      any columns
Several sources are the parts of one data set. A column is named without regard
to case, by its position from 0, or is a SQL expression; usual names (logit,
probability, label, y_true, ...) need no option. Files are read in pieces, so
they may be larger than memory. Logits are rounded to float32. Rows count from 0.`;

export const SCORE_HELP = `
Examples:
  focal-loss score predictions.csv
      both columns are found by their names
  focal-loss score 'part-*.parquet' --probabilities p --targets "y = 'spam'"
      probabilities, and targets by an expression
  focal-loss score data.csv --by country,device --where 'year = 2024' --top 20
      every slice, and the 20 hardest rows
  focal-loss score data.csv --logits old --logits new
      two models side by side
  focal-loss score scores.csv --join labels.csv --on id
      targets from another file
  focal-loss score data.parquet --thresholds 0.1,0.5 --cost-miss 10 --cost-alarm 1 --trained-with 2,0.25
      where to act, and what it costs
  focal-loss score logits.npy targets.npy --loss softmax
      rows of classes, one label a row
${SOURCES}`;

export const CALIBRATE_HELP = `
Examples:
  focal-loss calibrate logits.npy --gamma 2 --alpha 0.25 --out probabilities.npy
      give the gamma and alpha that the model was trained with
  focal-loss calibrate predictions.csv --gamma 2
      with targets, how good the scores were before and after
${SOURCES}`;

export const REPORT_HELP = `
Examples:
  focal-loss report predictions.parquet --out report.html --by country
  focal-loss report data.csv --logits old --logits new --gamma 0,1,2,5 --out report.html
${SOURCES}`;

export const MERGE_HELP = `
Examples:
  focal-loss score 'data/*.parquet' --shard 1/2 --state 1.json
  focal-loss score 'data/*.parquet' --shard 2/2 --state 2.json
  focal-loss merge 1.json 2.json
      the same bits as one run over all of it`;
