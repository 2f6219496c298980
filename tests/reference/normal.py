"""Works out normal.json with an implementation of docs/normal.md of its own: no library, no code of anomaly-train.

usage: python normal.py sequences.jsonl scored_sequences.jsonl > normal.json

The normal ones of the first file train, in eight groups by turns; there are fewer groups than folds, so each group is left out on its
own, whatever the seed. For each sequence of the second file: its surprise in bits, and its p-value.
"""
import collections, json, math, sys

N, WINDOW, GROUPS, CLASSES, STEPS = 4, 10, 8, 35, 1024
read = lambda path: [json.loads(line) for line in open(path)]
train = [sample["features"]["sequence"] for sample in read(sys.argv[1]) if sample["label"] == 0]
scored = [sample["features"]["sequence"] for sample in read(sys.argv[2])]


def count_class(times):
    return times if times <= 4 else next(k for k in range(5, CLASSES) if times ** 2 <= 16 * 2 ** (k - 4))


class Model:
    """Of sequences that count for `size` of them."""

    def __init__(self, sequences, size):
        self.after = collections.defaultdict(collections.Counter)
        self.samples, classes = size, collections.defaultdict(collections.Counter)
        scale = size / len(sequences)
        for sequence in sequences:
            marked = ["^"] + sequence + ["$"]
            for end in range(1, len(marked)):
                for start in range(max(0, end - N + 1), end + 1):
                    self.after[tuple(marked[start:end])][marked[end]] += scale
            for action, times in collections.Counter(sequence).items():
                classes[action][count_class(times)] += scale
        for action in classes:
            absent = self.samples - sum(classes[action].values())
            if absent > scale / 2:
                classes[action][0] = absent
        pooled = sum(classes.values(), collections.Counter())
        total, kinds = sum(pooled.values()), len(pooled)
        self.share = [(pooled[k] + kinds / CLASSES) / (total + kinds) for k in range(CLASSES)]
        self.classes = classes

    def probability(self, context, symbol):
        counts = self.after[()]
        kinds = len(counts)
        p = (counts[symbol] + kinds / (kinds + 1)) / (sum(counts.values()) + kinds)
        for length in range(1, len(context) + 1):
            counts = self.after.get(tuple(context[-length:]))
            if not counts:
                break
            p = (counts[symbol] + len(counts) * p) / (sum(counts.values()) + len(counts))
        return p

    def often(self, action, ks):
        counts = self.classes.get(action, {0: self.samples})
        return sum((counts.get(k, 0) + len(counts) * self.share[k]) / (self.samples + len(counts)) for k in ks)

    def surprise(self, sequence):
        marked = ["^"] + sequence + ["$"]
        bits = [-math.log2(self.probability(marked[max(0, i - N + 1):i], marked[i])) for i in range(1, len(marked))]
        order = max(sum(bits[i:i + WINDOW]) for i in range(max(1, len(bits) - WINDOW + 1)))
        times = collections.Counter(sequence)
        present = sum(-math.log2(self.often(a, range(count_class(n), CLASSES))) for a, n in times.items())
        absent = sum(-math.log2(self.often(a, [0])) for a in self.classes if a not in times)
        return order + present + absent


step = lambda bits: math.floor(bits * STEPS + 0.5)
left_out = []
for group in range(GROUPS):
    model = Model([sequence for i, sequence in enumerate(train) if i % GROUPS != group], len(train))
    left_out += [step(model.surprise(sequence)) for i, sequence in enumerate(train) if i % GROUPS == group]
model = Model(train, len(train))
answers = []
for sequence in scored:
    bits = model.surprise(sequence)
    at_least = sum(other >= step(bits) for other in left_out)
    answers.append([bits, (1 + at_least) / (1 + len(left_out))])
json.dump(answers, sys.stdout)
