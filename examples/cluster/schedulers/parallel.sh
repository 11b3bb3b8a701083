#!/usr/bin/env bash
# GNU parallel scores the shards on this machine, or on those of --sshlogin; what failed is tried again.
#   ./parallel.sh 'data/*.parquet' 16 STATES [options of focal-loss score]
set -euo pipefail
source=$1 shards=$2 states=$3
shift 3
mkdir -p "$states"
seq "$shards" | parallel --will-cite --retries 3 --joblog "$states/jobs.tsv" \
  focal-loss score "$(printf '%q' "$source")" --shard "{}/$shards" --state "$(printf '%q' "$states")/{}.json" --force \
  "$(printf '%q ' "$@")" '>' "$(printf '%q' "$states")/{}.log"
seq -f "$states/%g.json" "$shards" | xargs -d '\n' focal-loss merge --json
