#!/usr/bin/env python3
"""Measures what training and predicting cost, how that grows, and what others take for the same work.

usage: performance.py growth BINARY [--work DIR]
       performance.py peers BINARY [--size 1000000] [--rounds 5] [--work DIR]   (pip install vowpalwabbit scikit-learn orjson)
       performance.py corpus FILE [--size N] [--vocabulary V] [--length L] [--different D] [--seed S]

Corpora are made once and kept in DIR: walks over actions that each have a dozen likely successors; in a third of the sequences, the
anomalous ones, a share of the steps follows other successors; 1 % of the labels are wrong. With --different, all sequences are drawn
from so many. Times on a machine that others use too say little: compare what ran in the same minutes, and quote ratios.
"""
import argparse, itertools, json, os, pathlib, random, shutil, statistics, subprocess, sys, tempfile, time


def corpus(path, size, vocabulary=200, length=20, different=None, seed=1):
    """Writes labelled JSON lines, unless the file is there."""
    if path.exists():
        return path
    draw = random.Random(seed)
    names = [f"{verb}_{noun}" for noun in range((vocabulary + 19) // 20) for verb in
             "read write list open close send fetch exec kill copy move scan query login auth grant mount parse sync push".split()]
    popular = list(itertools.accumulate(1 / rank for rank in range(1, vocabulary + 1)))
    likely = list(itertools.accumulate(1 / rank for rank in range(1, 13)))

    def table():
        """For each action 256 draws from its successors."""
        pick = lambda: draw.choices(range(vocabulary), cum_weights=popular, k=12)
        return [draw.choices(pick(), cum_weights=likely, k=256) for _ in range(vocabulary)]

    usual, other = table(), table()

    def line():
        anomalous = draw.random() < 0.3
        strange = int(256 * draw.uniform(0.2, 0.7)) if anomalous else 0
        steps = 3 + min(int(draw.expovariate(1 / max(length - 3, 1))), 20 * length)
        action = draw.choices(range(vocabulary), cum_weights=popular)[0]
        actions = []
        # One random number a step: what to draw from, and which draw.
        for bits in memoryview(draw.randbytes(2 * steps)).cast("H"):
            actions.append(names[action])
            action = (other if bits >> 8 < strange else usual)[action][bits & 255]
        label = int(anomalous != (draw.random() < 0.01))
        return json.dumps({"features": {"sequence": actions}, "label": label}) + "\n"

    part = path.with_suffix(".part")
    with open(part, "w") as out:
        if different:
            pool = [line() for _ in range(different)]
            out.writelines(draw.choices(pool, k=size))
        else:
            out.writelines(line() for _ in range(size))
    part.rename(path)
    return path


def run(command, stdout=subprocess.DEVNULL):
    """Wall seconds, CPU seconds and peak memory in bytes of a command that must succeed."""
    start = time.perf_counter()
    process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE)
    errors = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    if status:
        sys.exit(f"{command}: {errors.decode()[-1500:]}")
    return wall, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024


def train(binary, data, work):
    """What training on a corpus costs, the folder with the model, and its figures."""
    models = work / "models"
    shutil.rmtree(models, ignore_errors=True)
    with tempfile.TemporaryFile() as out:
        cost = run([binary, "--data", data, "--models-dir", models, "--split-strategy", "temporal", "--json", "-qq"], out)
        out.seek(0)
        summary = json.load(out)
    return cost, summary["model_path"], summary


def growth(binary, work):
    shapes = [
        ("10,000 sequences", dict(size=10_000)),
        ("100,000 sequences", dict(size=100_000)),
        ("1,000,000 sequences", dict(size=1_000_000)),
        ("1,000,000, of which 20,000 different", dict(size=1_000_000, different=20_000)),
        ("1,000,000 over 5,000 actions", dict(size=1_000_000, vocabulary=5_000)),
        ("10,000 of 2,000 actions each", dict(size=10_000, length=2_000)),
    ]
    print("| corpus | file | train: wall | CPU | peak memory, and per byte of file | model file | predict: wall | lines a second without loading | peak memory |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name, shape in shapes:
        file = corpus(work / ("-".join(f"{key}{value}" for key, value in shape.items()) + ".jsonl"), **shape)
        size, lines = file.stat().st_size, shape["size"]
        runs = [train(binary, file, work) for _ in range(3)]
        cost, model = min(run[0] for run in runs), runs[-1][1]
        # The first line alone takes what loading the model takes.
        first = work / "first.jsonl"
        first.write_bytes(open(file, "rb").readline())
        predict = lambda data: min(run([binary, "predict", "-q", "--model", model, data]) for _ in range(3))
        loading, whole = predict(first), predict(file)
        rate = lines / max(whole[0] - loading[0], 1e-3)
        print(f"| {name} | {size / 1e6:.0f} MB | {cost[0]:.2f} s | {cost[1]:.2f} s | {cost[2] / 1e6:.0f} MB, {cost[2] / size:.2f} "
              f"| {os.path.getsize(model) / 1e6:.1f} MB | {whole[0]:.2f} s, {loading[0]:.2f} s of it loading | {rate:,.0f} | {whole[2] / 1e6:.0f} MB |", flush=True)


CONVERT = """
import sys, orjson
source, target = sys.argv[1:3]
count = sum(1 for _ in open(source, "rb"))
with open(f"{target}.train", "w") as train, open(f"{target}.test", "w") as test, open(source, "rb") as lines:
    for number, line in enumerate(lines):
        sample = orjson.loads(line)
        out = train if number < count * 4 // 5 else test
        out.write(("1 | " if sample["label"] else "-1 | ") + " ".join(sample["features"]["sequence"]) + "\\n")
"""
SGD = """
import itertools, sys, orjson
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import roc_auc_score
hashing = HashingVectorizer(ngram_range=(1, 3), n_features=2**20, norm=None, alternate_sign=False, lowercase=False, token_pattern="[^ ]+")
model = SGDClassifier(loss="log_loss", random_state=0)
count = sum(1 for _ in open(sys.argv[1], "rb"))
training = count * 4 // 5
labels, scores, done = [], [], 0
with open(sys.argv[1], "rb") as lines:
    while done < count:
        most = min(20000, (training if done < training else count) - done)
        batch = [orjson.loads(line) for line in itertools.islice(lines, most)]
        x = hashing.transform(" ".join(sample["features"]["sequence"]) for sample in batch)
        y = [sample["label"] for sample in batch]
        if done < training:
            model.partial_fit(x, y, classes=[0, 1])
        else:
            labels += y
            scores += model.decision_function(x).tolist()
        done += most
print(roc_auc_score(labels, scores))
"""


def vowpal_wabbit(data, passes, work):
    """Conversion, training and testing; the AUC on the last fifth."""
    from sklearn.metrics import roc_auc_score
    base, model = work / "vw", work / "vw.model"
    several = ["--passes", passes, "-c", "-k", "--cache_file", work / "vw.cache", "--holdout_off"] if passes > 1 else []
    vw = [sys.executable, "-m", "vowpalwabbit", "--quiet"]
    costs = [
        run([sys.executable, "-c", CONVERT, data, base]),
        run([*vw, "-d", f"{base}.train", "--ngram", 3, "-b", 22, "--loss_function", "logistic", "-f", model, *several]),
        run([*vw, "-d", f"{base}.test", "-t", "-i", model, "-p", f"{base}.scores"]),
    ]
    labels = [line.startswith("1") for line in open(f"{base}.test")]
    auc = roc_auc_score(labels, [float(line.split()[0]) for line in open(f"{base}.scores")])
    return (sum(cost[0] for cost in costs), sum(cost[1] for cost in costs), max(cost[2] for cost in costs)), auc


def streaming_sgd(data):
    with tempfile.TemporaryFile("w+") as out:
        cost = run([sys.executable, "-c", SGD, data], out)
        out.seek(0)
        return cost, float(out.read())


def peers(binary, size, rounds, work):
    data = corpus(work / f"size{size}.jsonl", size)

    def ours():
        cost, _, summary = train(binary, data, work)
        return cost, summary["metrics"]["roc_auc"]

    runners = {
        "anomaly-train": ours,
        "Vowpal Wabbit, 3-grams, one pass": lambda: vowpal_wabbit(data, 1, work),
        "Vowpal Wabbit, 3-grams, three passes": lambda: vowpal_wabbit(data, 3, work),
        "scikit-learn, hashed 3-grams, streaming SGD": lambda: streaming_sgd(data),
    }
    runs = {name: [] for name in runners}
    for _ in range(rounds):
        for name, runner in runners.items():
            runs[name].append(runner())
    print("| | wall (median, range) | CPU | peak memory | ROC AUC | wall / anomaly-train |")
    print("|---|---|---|---|---|---|")
    for name, results in runs.items():
        walls = [cost[0] for cost, _ in results]
        ratio = statistics.median(wall / ours[0][0] for wall, ours in zip(walls, runs["anomaly-train"]))
        print(f"| {name} | {statistics.median(walls):.2f} s ({min(walls):.2f} to {max(walls):.2f}) | {statistics.median(cost[1] for cost, _ in results):.2f} s "
              f"| {max(cost[2] for cost, _ in results) / 1e6:.0f} MB | {results[0][1]:.4f} | {ratio:.2f} |")


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1].split("\n\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("growth", "peers"):
        command = commands.add_parser(name)
        command.add_argument("binary", type=lambda path: pathlib.Path(path).resolve())
        command.add_argument("--work", type=pathlib.Path, default=pathlib.Path(tempfile.gettempdir()) / "anomaly-train-performance")
    command.add_argument("--size", type=int, default=1_000_000)
    command.add_argument("--rounds", type=int, default=5)
    command = commands.add_parser("corpus")
    command.add_argument("file", type=pathlib.Path)
    for option, default in (("size", 1_000_000), ("vocabulary", 200), ("length", 20), ("different", None), ("seed", 1)):
        command.add_argument(f"--{option}", type=int, default=default)
    args = vars(parser.parse_args())
    if "work" in args:
        args["work"].mkdir(parents=True, exist_ok=True)
    if args.pop("command") == "corpus":
        if args["file"].exists():
            sys.exit(f"{args['file']}: is there already")
        corpus(args.pop("file"), **args)
    elif "rounds" in args:
        peers(**args)
    else:
        growth(**args)


main()
