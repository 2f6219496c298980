"""Works out the log odds of model.json with an implementation of docs/model.md of its own: numpy and scipy's L-BFGS.

usage: python model.py < sequences.jsonl > model.json     (pip install numpy scipy)

The first 240 samples train, in eight groups by turns, the others are scored. There are fewer groups than folds, so each group is
a fold whatever the seed. The optimiser runs until nothing changes any more, so the log odds are those of the optimum that the
model's own training has to approach. All is worked out with ordered pairs and without.
"""
import collections, json, math, sys
import numpy as np, scipy
from scipy.optimize import minimize

TRAINING, GROUPS, N, PENALTIES, FIRST = 240, 8, 3, [1, 2, 4, 8, 16], 2
samples = [json.loads(line) for line in sys.stdin]
sequences = [sample["features"]["sequence"] for sample in samples]
labels = np.array([sample["label"] for sample in samples], float)
group = np.arange(TRAINING) % GROUPS
y = labels[:TRAINING]


def actions(sequence):
    return {(a,) for a in sequence}


def ngrams(sequence):
    marked = [("begin",)] + [("action", a) for a in sequence] + [("end",)]
    longer = {tuple(sequence[i:i + k]) for k in range(3, N + 1) for i in range(len(sequence) - k + 1)}
    return {tuple(marked[i:i + 2]) for i in range(len(marked) - 1)} | longer


def pairs(sequence):
    # All of these sequences are so short that no two actions are too far apart.
    return {("pair", a, b) for j, b in enumerate(sequence) for a in sequence[:j]}


count, groups = collections.Counter(), collections.defaultdict(set)
for s, g in zip(sequences, group):
    for f in actions(s) | ngrams(s) | pairs(s):
        count[f] += 1
        groups[f].add(g)


def dense(sequence, is_new):
    share = lambda found: sum(map(is_new, found)) / len(found)
    length = len(sequence)
    shares = [c / length for c in collections.Counter(sequence).values()]
    entropy = math.fsum(-p * math.log2(p) for p in shares)
    diversity, log_length = len(shares) / length, math.log1p(length) / 2
    return [share(actions(sequence)), share(ngrams(sequence)), entropy, entropy ** 2 / 4, diversity, diversity ** 2,
            log_length, diversity * log_length]


def discounted(rows):
    return np.hstack([rows[:, :2], (1 - rows[:, :1]) * rows[:, 2:]])


def fitted(x, y, l2, strength, centre, start):
    def objective(w):
        z = x @ w
        loss = np.logaddexp(0, z).sum() - y @ z + l2 / 2 * (strength * (w - centre) ** 2).sum()
        return loss, x.T @ (1 / (1 + np.exp(-z)) - y) + l2 * strength * (w - centre)
    options = dict(maxiter=100000, maxfun=100000, ftol=1e-16, gtol=1e-10, maxcor=50)
    return minimize(objective, start, jac=True, method="L-BFGS-B", options=options).x


def platt(z, y):
    high, low = (y.sum() + 1) / (y.sum() + 2), 1 / ((1 - y).sum() + 2)
    targets = np.where(y == 1, high, low)
    def objective(line):
        u = line[0] + line[1] * z
        residual = 1 / (1 + np.exp(-u)) - targets
        return (np.logaddexp(0, u) - targets * u).sum(), np.array([residual.sum(), residual @ z])
    return minimize(objective, [0, 1], jac=True, method="BFGS", options=dict(gtol=1e-10)).x


def log_odds(with_pairs):
    features = {f for f in count if f[0] != "pair" or with_pairs and count[f] >= 3}
    index = {f: i for i, f in enumerate(sorted(features, key=repr))}
    strength = np.ones(len(index) + 9)
    for f, i in index.items():
        if f[0] == "pair":
            strength[i] = 3
    centre = np.zeros(len(strength))
    base = math.log((y.sum() + 0.5) / (len(y) - y.sum() + 0.5))
    centre[len(index):len(index) + 2] = max(2, (math.log(0.3 / 0.7) + 2 - base) / 2)
    centre[-1] = base

    def rows(some, figures):
        x = np.zeros((len(some), len(strength)))
        for row, s in zip(x, some):
            for f in (actions(s) | ngrams(s) | pairs(s)) & features:
                row[index[f]] = 1
        x[:, len(index):-1] = discounted(figures)
        x[:, -1] = 1
        return x

    train = sequences[:TRAINING]
    # Novel is what no other group has, and in a fold that is left out what stands in no other fold, which here is the same.
    raw = np.array([dense(s, lambda f: len(groups[f]) == 1) for s in train])
    x = rows(train, raw)
    fits = {}

    def left_out(l2):
        whole = fits[l2] = fitted(x, y, l2, strength, centre, centre)
        z = np.zeros(TRAINING)
        for g in range(GROUPS):
            z[group == g] = x[group == g] @ fitted(x[group != g], y[group != g], l2, strength, centre, whole)
        calibrated = np.zeros(TRAINING)
        for g in range(GROUPS):
            a, b = platt(z[group != g], y[group != g])
            calibrated[group == g] = a + b * z[group == g]
        losses = np.logaddexp(0, calibrated) - y * calibrated
        return z, np.array([losses[group == g].sum() for g in range(GROUPS)])

    def beats(one, other):
        gains = other[1] - one[1]
        return gains.sum() > math.sqrt(GROUPS * gains.var(ddof=1))

    tried = {FIRST: left_out(PENALTIES[FIRST])}
    best = FIRST
    for towards in (-1, 1):
        while 0 <= best + towards < len(PENALTIES):
            tried[best + towards] = left_out(PENALTIES[best + towards])
            if not beats(tried[best + towards], tried[best]):
                break
            best += towards
        if best != FIRST:
            break
    offset, slope = platt(tried[best][0], y)
    low, high = raw.min(axis=0), raw.max(axis=0)
    low[:2], high[:2] = 0, 1
    some = sequences[TRAINING:]
    figures = np.clip([dense(s, lambda f: f not in count) for s in some], low, high)
    z = rows(some, figures) @ fits[PENALTIES[best]]
    return dict(l2=PENALTIES[best], offset=offset, slope=slope, log_odds=(offset + slope * z).tolist())


made_with = dict(numpy=np.__version__, scipy=scipy.__version__)
print(json.dumps(dict(made_with=made_with, with_pairs=log_odds(True), without_pairs=log_odds(False))))
