"""Works out the scores of model.json with an implementation of docs/model.md of its own: numpy and scipy's L-BFGS.

usage: python model.py < sequences.jsonl > model.json     (pip install numpy scipy)

The first 240 samples train, the others are scored. The optimiser runs until nothing changes any more, so the scores are
those of the optimum that the model's own training has to approach.
"""
import collections, json, math, sys
import numpy as np, scipy
from scipy.optimize import minimize

TRAINING, N, L2 = 240, 3, 2.0
samples = [json.loads(line) for line in sys.stdin]
sequences = [sample["features"]["sequence"] for sample in samples]
labels = np.array([sample["label"] for sample in samples], float)


def actions(sequence):
    return {(a,) for a in sequence}


def ngrams(sequence):
    marked = [("begin",)] + [("action", a) for a in sequence] + [("end",)]
    return {tuple(marked[i:i + k]) for k in range(2, N + 1) for i in range(len(marked) - k + 1)}


count = collections.Counter(f for s in sequences[:TRAINING] for f in actions(s) | ngrams(s))
index = {f: i for i, f in enumerate(sorted(count, key=repr))}


def features(sequence, training):
    novel = lambda found: sum(count[f] <= training for f in found) / len(found)
    length = len(sequence)
    shares = [c / length for c in collections.Counter(sequence).values()]
    entropy = math.fsum(-p * math.log2(p) for p in shares)
    diversity = len(shares) / length
    log_length = math.log1p(length) / 2
    row = np.zeros(len(index) + 9)
    for f in actions(sequence) | ngrams(sequence):
        if f in index:
            row[index[f]] = 1
    row[len(index):] = [novel(actions(sequence)), novel(ngrams(sequence)), entropy, entropy ** 2 / 4, diversity,
                        diversity ** 2, log_length, diversity * log_length, 1]
    return row


def discounted(rows):
    known = 1 - rows[:, [len(index)]]
    return np.hstack([rows[:, :len(index) + 2], known * rows[:, len(index) + 2:-1], rows[:, -1:]])


raw = np.array([features(s, True) for s in sequences[:TRAINING]])
x = discounted(raw)
y = labels[:TRAINING]
centre = np.zeros(x.shape[1])
centre[len(index):len(index) + 2] = 2
centre[-1] = math.log((y.sum() + 0.5) / (len(y) - y.sum() + 0.5))


def objective(w):
    z = x @ w
    loss = np.logaddexp(0, z).sum() - y @ z + L2 / 2 * ((w - centre) ** 2).sum()
    return loss, x.T @ (1 / (1 + np.exp(-z)) - y) + L2 * (w - centre)


fit = minimize(objective, centre, jac=True, method="L-BFGS-B", options=dict(maxiter=100000, maxfun=100000, ftol=1e-16, gtol=1e-10, maxcor=50))
shape = slice(len(index) + 2, len(index) + 8)
low, high = raw[:, shape].min(axis=0), raw[:, shape].max(axis=0)
scored = np.array([features(s, False) for s in sequences[TRAINING:]])
scored[:, shape] = np.clip(scored[:, shape], low, high)
log_odds = (discounted(scored) @ fit.x).tolist()
print(json.dumps(dict(made_with=dict(numpy=np.__version__, scipy=scipy.__version__), objective=fit.fun, log_odds=log_odds)))
