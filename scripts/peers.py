#!/usr/bin/env python3
"""Compares anomaly-train with what people use now, and writes the table of docs/comparison.md.

usage: peers.py DATA.jsonl... [--group-by FIELD] [--splits 4] [--only NAME,...]
       pip install ./python scikit-learn lightgbm vowpalwabbit river pyod

DATA are labelled samples as JSON lines. A quarter of the groups (of the different sequences, where a file has no groups) is held out,
several times; every side trains on the same samples, scores the same others, and is timed on one thread, reading not counted. All figures
are computed here, from the scores. Each peer is set up as its documentation or a careful user would:

  scikit-learn   presence of n-grams up to 4, logistic regression, C by 5-fold cross-validation on whole groups
  LightGBM       presence of n-grams up to 3 that 3 samples have, entropy, length, diversity; as many trees as 4-fold cross-validation on
                 whole groups likes on average
  Vowpal Wabbit  presence of n-grams up to 3 as hashed features, logistic loss, 10 passes
  River          the same features, one at a time, logistic regression by SGD, one pass
  PyOD           HBOS on the counts of the 300 commonest n-grams up to 2, fitted on normal samples alone
  original       Nethical's first classifier, its formulas written anew: shares of anomalous occurrences of 3-grams and actions, evenness,
                 diversity, weighted by how far the classes lie apart on the training samples
"""
import argparse, collections, json, math, os, random, statistics, time, warnings
import numpy

warnings.filterwarnings("ignore")


def grams(actions, longest):
    return {" ".join(map(str, actions[i : i + k])) for k in range(1, longest + 1) for i in range(len(actions) - k + 1)}


def shape(actions):
    counts = collections.Counter(actions)
    entropy = -sum(c / len(actions) * math.log2(c / len(actions)) for c in counts.values())
    return [entropy, math.log1p(len(actions)), len(counts) / len(actions)]


def with_anomaly_train(training, held_out, groups):
    from anomaly_train import AnomalyMLClassifier

    model = AnomalyMLClassifier(threads=1).train(training, groups=groups)
    yield
    yield [said["score"] for said in model.predict_many(held_out)]


def with_scikit_learn(training, held_out, groups):
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, GroupKFold

    X, y = training
    vectorizer = CountVectorizer(analyzer=lambda actions: grams(actions, 4), binary=True)
    folds = list(GroupKFold(5).split(X, y, groups or [" ".join(x) for x in X]))
    grid = {"C": [0.03, 0.1, 0.3, 1, 3, 10, 30]}
    search = GridSearchCV(LogisticRegression(solver="liblinear", max_iter=300), grid, cv=folds, scoring="neg_log_loss")
    search.fit(vectorizer.fit_transform(X), y)
    yield
    yield search.predict_proba(vectorizer.transform(held_out))[:, 1]


def with_lightgbm(training, held_out, groups):
    import lightgbm, scipy.sparse
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.model_selection import GroupKFold

    X, y = training
    vectorizer = CountVectorizer(analyzer=lambda actions: grams(actions, 3), binary=True, min_df=3, max_features=6000, dtype=numpy.float32)

    def features(matrix, sequences):
        return scipy.sparse.hstack([matrix, numpy.array([shape(x) for x in sequences], dtype=numpy.float32)]).tocsr()

    matrix, y = features(vectorizer.fit_transform(X), X), numpy.array(y)
    settings = {"learning_rate": 0.05, "colsample_bytree": 0.5, "n_jobs": 1, "random_state": 0, "verbose": -1}
    trees = []
    for others, own in GroupKFold(4).split(X, y, groups or [" ".join(x) for x in X]):
        if len(set(y[own])) == 2:
            model = lightgbm.LGBMClassifier(n_estimators=600, **settings)
            stopping = [lightgbm.early_stopping(40, verbose=False)]
            model.fit(matrix[others], y[others], eval_set=[(matrix[own], y[own])], eval_metric="binary_logloss", callbacks=stopping)
            trees.append(model.best_iteration_)
    model = lightgbm.LGBMClassifier(n_estimators=int(numpy.mean(trees or [100])) or 1, **settings).fit(matrix, y)
    yield
    yield model.predict_proba(features(vectorizer.transform(held_out), held_out))[:, 1]


def with_vowpal_wabbit(training, held_out, groups):
    import vowpalwabbit

    def line(actions, label=""):
        words = " ".join(gram.replace(" ", "^").replace(":", "_").replace("|", "_") for gram in sorted(grams(actions, 3)))
        return f"{label} | {words}"

    X, y = training
    order = list(range(len(X)))
    random.Random(0).shuffle(order)
    model = vowpalwabbit.Workspace("--loss_function logistic --link logistic -b 22 --quiet")
    for _ in range(10):
        for index in order:
            model.learn(line(X[index], 1 if y[index] else -1))
    yield
    yield [model.predict(line(actions)) for actions in held_out]
    model.finish()


def with_river(training, held_out, groups):
    from river import linear_model, optim

    X, y = training
    order = list(range(len(X)))
    random.Random(0).shuffle(order)
    model = linear_model.LogisticRegression(optimizer=optim.SGD(0.05))
    for index in order:
        model.learn_one(dict.fromkeys(grams(X[index], 3), 1.0), bool(y[index]))
    yield
    yield [model.predict_proba_one(dict.fromkeys(grams(actions, 3), 1.0)).get(True, 0.0) for actions in held_out]


def with_pyod(training, held_out, groups):
    from pyod.models.hbos import HBOS
    from sklearn.feature_extraction.text import CountVectorizer

    def counts(actions):
        return [" ".join(actions[i : i + k]) for k in (1, 2) for i in range(len(actions) - k + 1)]

    normal = [x for x, label in zip(*training) if label == 0]
    vectorizer = CountVectorizer(analyzer=counts, max_features=300)
    model = HBOS(contamination=0.01).fit(vectorizer.fit_transform(normal).toarray())
    yield
    yield model.decision_function(vectorizer.transform(held_out).toarray())


def with_original(training, held_out, groups):
    def trigrams(actions):
        return [tuple(actions[i : i + 3]) for i in range(len(actions) - 2)]

    occurrences = (collections.Counter(), collections.Counter())
    frequencies = (collections.Counter(), collections.Counter())
    for sequence, label in zip(*training):
        occurrences[label].update(trigrams(sequence))
        frequencies[label].update(sequence)
    totals = [max(1, sum(side.values())) for side in frequencies]

    def share(normal, anomalous):
        return anomalous / (normal + anomalous) if normal + anomalous else 0.7

    def analyses(sequence):
        found = [share(occurrences[0][gram], occurrences[1][gram]) for gram in trigrams(sequence)]
        often = [share(frequencies[0][action] / totals[0], frequencies[1][action] / totals[1]) for action in sequence]
        entropy, distinct = shape(sequence)[0], len(set(sequence))
        evenness = entropy / math.log2(distinct) if distinct > 1 else 0.0
        return numpy.array([numpy.mean(found) if found else 0.5, numpy.mean(often), 1 - evenness, 1 - distinct / len(sequence)])

    seen = numpy.array([analyses(sequence) for sequence in training[0]])
    labels = numpy.array(training[1])
    power = numpy.maximum(seen[labels == 1].mean(axis=0) - seen[labels == 0].mean(axis=0), 0) + 0.01
    weights = power / power.sum()
    yield
    yield [float(weights @ analyses(sequence)) for sequence in held_out]


# What each is: needs labels, scores are probabilities, says why (beyond weights to be read by hand), same bytes on every machine.
PEERS = {
    "anomaly-train": (with_anomaly_train, "yes", "yes, measured", "each score, in sentences", "yes, tested"),
    "scikit-learn": (with_scikit_learn, "yes", "yes", "weights", "not promised"),
    "LightGBM": (with_lightgbm, "yes", "yes", "with SHAP", "not promised"),
    "Vowpal Wabbit": (with_vowpal_wabbit, "yes", "yes", "weights, if not hashed", "not promised"),
    "River": (with_river, "yes, one by one", "yes", "weights", "not promised"),
    "PyOD": (with_pyod, "no", "no", "no", "not promised"),
    "original": (with_original, "yes", "no", "no", "yes"),
}


def calibration_error(scores, labels):
    bins = numpy.minimum((numpy.asarray(scores) * 10).astype(int), 9)
    return sum(abs(scores[bins == b].sum() - labels[bins == b].sum()) for b in range(10)) / len(scores)


def split(samples, field, seed):
    units = [str(sample[field]) if field in sample else " ".join(sample["features"]["sequence"]) for sample in samples]
    names = sorted(set(units))
    random.Random(seed).shuffle(names)
    held_out = set(names[: max(1, len(names) // 4)])
    parts = ([], [])
    for sample, unit in zip(samples, units):
        parts[unit in held_out].append((sample["features"]["sequence"], sample["label"], unit))
    grouped = field in samples[0]
    return [(*map(list, zip(*part)), grouped) for part in parts]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="+")
    parser.add_argument("--group-by", default="group")
    parser.add_argument("--splits", type=int, default=4)
    parser.add_argument("--only")
    args = parser.parse_args()
    from sklearn.metrics import average_precision_score, roc_auc_score

    peers = [name for name in PEERS if not args.only or name in args.only.split(",")]
    rows = {name: {} for name in peers}
    for path in args.data:
        data = os.path.basename(path).removesuffix(".jsonl")
        with open(path, encoding="utf-8") as lines:
            samples = [sample for sample in map(json.loads, lines) if sample["features"]["sequence"]]
        for seed in range(args.splits):
            (X, y, units, grouped), (held_out, labels, *_) = split(samples, args.group_by, seed)
            labels = numpy.array(labels)
            if len(set(labels)) < 2:
                continue
            for name in peers:
                begin = time.process_time()
                steps = PEERS[name][0]((X, y), held_out, units if grouped else None)
                next(steps)
                trained = time.process_time()
                scores = numpy.asarray(next(steps), dtype=float)
                scored = time.process_time()
                rows[name].setdefault(data, []).append(
                    (
                        roc_auc_score(labels, scores),
                        average_precision_score(labels, scores),
                        calibration_error(scores, labels) if PEERS[name][2].startswith("yes") else None,
                        trained - begin,
                        (scored - trained) / len(held_out) * 1e6,
                    )
                )
    names = [os.path.basename(path).removesuffix(".jsonl") for path in args.data]
    print("| | " + " | ".join(f"{name}: AUC, AP, ECE" for name in names) + " | training, CPU s | scoring, µs a sequence |")
    print("|---|" + "---|" * (len(names) + 2))
    for name in peers:

        def mean(data, place):
            values = [row[place] for row in rows[name].get(data, ()) if row[place] is not None]
            return f"{statistics.mean(values):.3f}" if values else "–"

        figures = [", ".join(mean(data, place) for place in range(3)) for data in names]
        all_rows = [row for data in names for row in rows[name].get(data, ())]
        seconds = statistics.mean(row[3] for row in all_rows)
        micros = statistics.mean(row[4] for row in all_rows)
        print(f"| {name} | " + " | ".join(figures) + f" | {seconds:.2f} | {micros:.0f} |")
    print()
    print("| | needs labels | scores are probabilities | says why | same bytes everywhere |")
    print("|---|---|---|---|---|")
    for name in peers:
        print(f"| {name} | " + " | ".join(PEERS[name][1:]) + " |")


if __name__ == "__main__":
    main()
