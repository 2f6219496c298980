"""Scores sequences with a model file, written from docs/formats.md alone: no library, no code of anomaly-train.

usage: python score.py MODEL.json < sequences.jsonl > scores.json
"""
import collections, hashlib, json, math, sys

text = open(sys.argv[1], encoding="utf-8", newline="").read()
model = json.loads(text)
body = "{" + text[text.index('"format_version"'):].rstrip("\n")
assert hashlib.sha256(body.encode()).hexdigest() == model["digest"], "the digest does not fit"

place = {row[0]: i for i, row in enumerate(model["vocabulary"])}
weight = {(i,): row[1] for i, row in enumerate(model["vocabulary"])}
weight.update({tuple(symbols): w for symbols, w, _, _ in model["ngrams"]})


def figures(sequence):
    # Unknown actions get numbers of their own, which no n-gram of the model has.
    unknown = {}
    symbols = [place[a] if a in place else unknown.setdefault(a, len(place) + len(unknown)) for a in sequence]
    marked = [-1] + symbols + [-2]
    actions = {(s,) for s in symbols}
    ngrams = {tuple(marked[i:i + k]) for k in range(2, model["n"] + 1) for i in range(len(marked) - k + 1)}
    length = len(symbols)
    entropy = sum(c / length * math.log2(length / c) for c in collections.Counter(symbols).values())
    diversity, log_length = len(actions) / length, math.log1p(length) / 2
    share = lambda found: sum(f not in weight for f in found) / len(found) if found else 0
    values = dict(action_novelty=share(actions), ngram_novelty=share(ngrams), entropy=entropy, entropy_squared=entropy ** 2 / 4,
                  diversity=diversity, diversity_squared=diversity ** 2, length=log_length, length_diversity=diversity * log_length)
    return values, [f for f in actions | ngrams if f in weight]


def score(sequence):
    values, known = figures(sequence)
    total = model["bias"] + sum(weight[f] for f in known)
    for name, figure in model["dense"].items():
        value = min(max(values[name], figure["low"]), figure["high"])
        if not name.endswith("novelty"):
            value *= 1 - values["action_novelty"]
        total += figure["weight"] * value
    return 1 / (1 + math.exp(-total))


if __name__ == "__main__":
    print(json.dumps([score(json.loads(line)["features"]["sequence"]) for line in sys.stdin]))
