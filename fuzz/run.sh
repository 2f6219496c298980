#!/usr/bin/env bash
# Runs fuzz targets one after the other: fuzz/run.sh SECONDS [TARGET...]
# Each ends after that time, or after 20 million executions. What libFuzzer says goes to fuzz/artifacts/TARGET.log.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=$1
shift
if [ $# -eq 0 ]; then
    set -- history records logs round_trip model
fi
for target; do
    mkdir -p "fuzz/corpus/$target" "fuzz/artifacts/$target"
    # Neither the product nor the targets have unsafe code of their own, so the time goes into inputs, not into sanitizers.
    nice -n 10 cargo +nightly fuzz run --sanitizer none "$target" "fuzz/corpus/$target" "fuzz/seeds/$target" -- \
        -dict=fuzz/json.dict -max_len=4096 -timeout=10 -rss_limit_mb=2048 -jobs=0 -runs=20000000 \
        "-max_total_time=$seconds" -print_final_stats=1 >"fuzz/artifacts/$target.log" 2>&1 || echo "$target: failed"
    echo "$target: $(grep -E '(DONE|BINGO)|stat::number_of_executed|Done' "fuzz/artifacts/$target.log" | tail -3 | tr '\n' ' ')"
done
