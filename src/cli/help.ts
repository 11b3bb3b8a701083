export const HELP = `
Examples:
  focal-loss score logits.npy targets.npy --gamma 2 --alpha 0.75
  focal-loss score predictions.csv --top 10
  focal-loss calibrate logits.npy --gamma 2 --out probabilities.npy

focal-loss score --help and focal-loss calibrate --help tell more.

Exit codes: 0 done, 1 a fault in a file, 2 a fault in the command.`;

const FILES = `
Files:
  .npy      float16, float32, float64, bool or integers; any shape, element by
            element
  .csv      with a header or without: a first line of numbers only is a row
  .parquet  a flat column of numbers or booleans
Files are read in pieces, so they may be larger than memory. Logits are rounded
to float32. Rows of .npy and .parquet files count from 0, as "index" does; lines
of .csv files count from 1. --out writes a temporary file beside the one named,
and renames it when it is whole.`;

export const SCORE_HELP = `
Examples:
  focal-loss score logits.npy targets.npy
      the mean loss, with gamma 1.5 and alpha 0.25
  focal-loss score logits.npy targets.npy --gamma 2 --alpha none --reduction sum
      the sum, without class weights
  focal-loss score data.csv --logits-column score --targets-column hit --top 20
      both columns of one file, and the 20 hardest rows
  focal-loss score scores.csv --logits-column 1 --targets-column 2
      the same without a header: columns by index, from 0
  focal-loss score logits.parquet targets.npy --out losses.npy --json
      each element's loss in a file, and the totals as JSON
${FILES}`;

export const CALIBRATE_HELP = `
Focal loss does not train a model to give probabilities: at gamma 2 and alpha
0.25 a true probability of 0.9 becomes a score of 0.6. Give the gamma, alpha and
pos-weight of the training to get the probability back.

Examples:
  focal-loss calibrate logits.npy --gamma 2 --alpha 0.25
      a summary, and what some scores stand for
  focal-loss calibrate data.parquet --logits-column score --out p.csv
      each element's probability in a file
${FILES}`;
