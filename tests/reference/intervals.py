"""Works out the values of intervals.json with NumPy, SciPy, scikit-learn and statsmodels.

usage: python intervals.py > intervals.json     (pip install scipy scikit-learn statsmodels)

Six lists of scores, labels and groups: groups of different difficulty, two groups, a group that alone is anomalous, nearly
perfect scores. The values are kept beside the tests, so that running them needs none of these packages.
"""
import json
import numpy as np, scipy, sklearn, statsmodels
from scipy.stats import t
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score
from statsmodels.stats.proportion import proportion_confint

logit = lambda p: np.log(np.clip(p, 1e-4, 1 - 1e-4) / (1 - np.clip(p, 1e-4, 1 - 1e-4)))
expit = lambda z: 1 / (1 + np.exp(-z))
THRESHOLD = 0.3


def drawn(seed, groups, difference, spread, share=lambda group: 0.35):
    random = np.random.default_rng(seed)
    rows = []
    for group in range(groups):
        shift = spread * random.normal()
        for _ in range(int(random.integers(5, 15))):
            label = int(random.random() < share(group))
            rows.append((round(float(expit(shift + difference * (label - 0.6) + random.normal())), 3), label, group))
    return rows


CASES = [
    ("groups of different difficulty", drawn(1, 10, 1.6, 0.6)),
    ("many groups", drawn(2, 60, 2.0, 0.8)),
    ("two groups", drawn(3, 2, 1.5, 0.5)),
    ("nearly perfect", drawn(4, 12, 9.0, 0.3)),
    ("one group alone is anomalous", drawn(5, 8, 2.0, 0.5, lambda group: 0.7 * (group == 3))),
    ("hardly better than nothing", drawn(6, 15, 0.2, 0.5)),
]


def figures(s, y):
    reported, tp = s >= THRESHOLD, int(((s >= THRESHOLD) & (y == 1)).sum())
    fp, fn = int(reported.sum()) - tp, int(y.sum()) - tp
    tn, both = len(y) - tp - fp - fn, 0 < y.sum() < len(y)
    share = lambda part, whole: (part / whole, part, whole) if whole else None
    area = lambda value, draws: (value, value * draws, draws)
    return dict(
        precision=share(tp, tp + fp), recall=share(tp, tp + fn), accuracy=share(tp + tn, len(y)),
        f1=share(tp, tp + (fp + fn) / 2), false_alarm_rate=share(fp, fp + tn),
        roc_auc=area(roc_auc_score(y, s), min(y.sum(), len(y) - y.sum())) if both else None,
        average_precision=area(average_precision_score(y, s), y.sum()) if y.sum() else None,
        brier=(brier_score_loss(y, s, pos_label=1), None, 0), log_loss=(log_loss(y, s, labels=[0, 1]), None, 0),
    )


def interval(name, value, without):
    if any(x is None for x in without):
        return (0.0, 40.0 if name == "log_loss" else 1.0), 1.0
    to, back = (np.log, np.exp) if name == "log_loss" else (logit, expit)
    q = to(np.array([x[0] for x in without]))
    d, groups = (q - q.mean()) ** 2, len(q)
    nu = min(max(d.sum() ** 2 / (d**2).sum() if d.sum() > 0 else groups, 1.5), groups - 1)
    half = t.ppf(0.975, nu) * np.sqrt((groups - 1) / groups * d.sum())
    low, high = min(back(to(value[0]) - half), value[0]), max(back(to(value[0]) + half), value[0])
    if value[2]:
        wilson = proportion_confint(value[1], value[2], alpha=0.05, method="wilson")
        low, high = min(low, max(wilson[0], 0)), max(high, min(wilson[1], 1))
    return (float(low), float(high)), float(nu)


def reference(rows):
    s, y, g = (np.array(column) for column in zip(*rows))
    all_, without = figures(s, y), [figures(s[g != k], y[g != k]) for k in np.unique(g)]
    named = {name: interval(name, value, [w[name] for w in without]) for name, value in all_.items() if value}
    return {name: dict(interval=list(ends), effective_groups=nu) for name, (ends, nu) in named.items()}


versions = {m.__name__: m.__version__ for m in (np, scipy, sklearn, statsmodels)}
cases = [json.dumps(dict(name=name, rows=rows, expected=reference(rows))) for name, rows in CASES]
print('{"made_with": %s, "cases": [\n%s\n]}' % (json.dumps(versions), ",\n".join(cases)))
