#!/usr/bin/env bash
# A job array scores the shards, on any number of nodes; when all are done their states are merged.
#   ./slurm.sh 'data/*.parquet' 16 STATES [options of focal-loss score]      waits, and prints the totals
set -euo pipefail
source=$1 shards=$2 states=$3
shift 3
mkdir -p "$states"
# a shard that failed ends this with an error: submitted again, all states are replaced
sbatch --wait --array="1-$shards" --output="$states/%a.log" --wrap "
  exec focal-loss score $(printf '%q' "$source") --shard \$SLURM_ARRAY_TASK_ID/$shards \
    --state $(printf '%q' "$states")/\$SLURM_ARRAY_TASK_ID.json --force $(printf '%q ' "$@")" >&2
seq -f "$states/%g.json" "$shards" | xargs -d '\n' focal-loss merge --json
