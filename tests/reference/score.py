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
pair_weight = {tuple(symbols): w for symbols, w, _, _ in model["pairs"]}


def pairs(symbols):
    first, last = {}, {}
    for at, symbol in enumerate(symbols):
        first.setdefault(symbol, at)
        last[symbol] = at
    distinct = list(first)
    return [(a, b) for i, a in enumerate(distinct) for b in distinct[max(0, i - 32):i + 33] if first[a] < last[b]]


def figures(sequence):
    # Unknown actions get numbers of their own, which no n-gram of the model has.
    unknown = {}
    symbols = [place[a] if a in place else unknown.setdefault(a, len(place) + len(unknown)) for a in sequence]
    marked = [-1] + symbols + [-2]
    actions = {(s,) for s in symbols}
    bigrams = {tuple(marked[i:i + 2]) for i in range(len(marked) - 1)} if model["n"] > 1 else set()
    ngrams = bigrams | {tuple(symbols[i:i + k]) for k in range(3, model["n"] + 1) for i in range(len(symbols) - k + 1)}
    length = len(symbols)
    entropy = sum(c / length * math.log2(length / c) for c in collections.Counter(symbols).values())
    diversity, log_length = len(actions) / length, math.log1p(length) / 2
    share = lambda found: sum(f not in weight for f in found) / len(found) if found else 0
    values = dict(action_oov_rate=share(actions), ngram_oov_rate=share(ngrams), entropy=entropy, entropy_squared=entropy ** 2 / 4,
                  diversity=diversity, diversity_squared=diversity ** 2, length=log_length, length_diversity=diversity * log_length)
    return values, [weight[f] for f in actions | ngrams if f in weight] + [pair_weight[p] for p in pairs(symbols) if p in pair_weight]


def score(sequence):
    values, known = figures(sequence)
    total = model["bias"] + sum(known)
    for name, figure in model["dense"].items():
        value = min(max(values[name], figure["low"]), figure["high"])
        if not name.endswith("oov_rate"):
            value *= 1 - values["action_oov_rate"]
        total += figure["weight"] * value
    return 1 / (1 + math.exp(-total))


if __name__ == "__main__":
    print(json.dumps([score(json.loads(line)["features"]["sequence"]) for line in sys.stdin]))
