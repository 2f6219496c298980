#!/usr/bin/env python3
"""Compares anomaly-train with the scikit-learn pipeline that one would write instead, on your own labelled JSON lines.

usage: compare.py BINARY DATA.jsonl [--group-by FIELD] [--splits 4]          (pip install scikit-learn)

A quarter of the groups (of the different sequences, without --group-by) is held out, several times. Both sides train on the same
samples and score the same others; all figures are computed here, from the scores.
"""
import argparse, json, pathlib, random, statistics, subprocess, tempfile
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score


def sequence(sample):
    return sample["features"]["sequence"] if "features" in sample else sample["sequence"]


def grams(sample):
    actions = sequence(sample)
    return [json.dumps(actions[i:i + k]) for k in (1, 2, 3) for i in range(len(actions) - k + 1)]


def scikit_learn(training, held_out):
    vectorizer = CountVectorizer(analyzer=grams)
    model = LogisticRegression(max_iter=1000)
    model.fit(vectorizer.fit_transform(training), [s["label"] for s in training])
    return model.predict_proba(vectorizer.transform(held_out))[:, 1]


def anomaly_train(binary, training, held_out):
    with tempfile.TemporaryDirectory() as folder:
        paths = [pathlib.Path(folder, name) for name in ("training.jsonl", "held_out.jsonl")]
        for path, part in zip(paths, (training, held_out)):
            path.write_text("".join(json.dumps(s) + "\n" for s in part))
        run = subprocess.run([binary, "--data", paths[0], "--validation-data", paths[1], "--models-dir", folder, "--json", "-qq"],
                             check=True, capture_output=True, text=True)
        model = json.loads(run.stdout)["model_path"]
        run = subprocess.run([binary, "predict", "--model", model, paths[1]], check=True, capture_output=True, text=True)
        return [json.loads(line)["score"] for line in run.stdout.splitlines()]


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("binary")
parser.add_argument("data")
parser.add_argument("--group-by")
parser.add_argument("--splits", type=int, default=4)
args = parser.parse_args()
samples = [s for s in map(json.loads, open(args.data, encoding="utf-8")) if sequence(s)]
key = lambda s: json.dumps(s[args.group_by] if args.group_by else sequence(s))
figures = {"average precision": average_precision_score, "ROC AUC": roc_auc_score, "log loss": log_loss}
results = {}
for split in range(args.splits):
    groups = sorted({key(s) for s in samples})
    random.Random(split).shuffle(groups)
    out = set(groups[:len(groups) // 4])
    training, held_out = [s for s in samples if key(s) not in out], [s for s in samples if key(s) in out]
    labels = [s["label"] for s in held_out]
    for name, scores in (("scikit-learn", scikit_learn(training, held_out)), ("anomaly-train", anomaly_train(args.binary, training, held_out))):
        for figure, compute in figures.items():
            results.setdefault((name, figure), []).append(compute(labels, scores))
for name in ("scikit-learn", "anomaly-train"):
    print(f"{name:14}", "  ".join(f"{figure} {statistics.mean(results[name, figure]):.4f}" for figure in figures))
