#!/bin/sh
# Trains on DATA, and fails if the model is worse than the current one, not good enough, or not the one that its training gives.
#
# usage: train.sh DATA.jsonl [OPTIONS of anomaly-train]
set -eu
data=$1
shift
# Ends with 4 if the gate refuses: too low figures, or a log loss that is surely higher than that of the model in models/current.
summary=$(anomaly-train --data "$data" "$@" --require-promotion --json)
# Train again, and ask for the same bytes.
anomaly-train verify --data "$data"
echo "$summary"
