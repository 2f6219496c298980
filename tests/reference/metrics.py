"""Works out the values of metrics.json with scikit-learn, torchmetrics and statsmodels.

usage: python metrics.py > metrics.json     (pip install torch torchmetrics scikit-learn statsmodels)

Twenty lists of scores and labels: ties, the edges 0 and 1, scores on the edges of bins, one class alone, one sample. The
values are kept beside the tests, so that running them needs none of these packages.
"""
import json, random, warnings
import numpy as np, sklearn, statsmodels, torch, torchmetrics
from sklearn.metrics import average_precision_score, brier_score_loss, f1_score, log_loss, roc_auc_score
from statsmodels.stats.proportion import proportion_confint
from torchmetrics.functional.classification import binary_calibration_error

warnings.filterwarnings("ignore")
r = random.Random(20261122)


def drawn(n, grid, share):
    labels = [int(r.random() < share) for _ in range(n)]
    return [min(grid, max(0, round(grid * (0.35 * y + 0.65 * r.random())))) / grid for y in labels], labels


CASES = [
    ("one normal sample", [0.25], [0], 10, 0.3),
    ("one anomalous sample", [0.75], [1], 10, 0.3),
    ("one anomalous sample at 0", [0.0], [1], 10, 0.3),
    ("one normal sample at 1", [1.0], [0], 10, 0.3),
    ("only the edges, all right", [0.0, 1.0, 0.0, 1.0], [0, 1, 0, 1], 10, 0.5),
    ("only the edges, all wrong", [0.0, 1.0, 0.0, 1.0], [1, 0, 1, 0], 10, 0.5),
    ("only the edges, mixed", [0.0, 0.0, 1.0, 1.0, 1.0], [0, 1, 0, 1, 1], 15, 0.5),
    ("all tied", [0.5] * 9, [0, 1, 0, 0, 1, 0, 0, 0, 1], 10, 0.5),
    ("all tied just below the threshold", [0.25] * 6, [0, 1, 0, 0, 1, 0], 10, 0.3),
    ("on the edges of four bins", [0.0, 0.25, 0.5, 0.75, 1.0], [0, 0, 1, 0, 1], 4, 0.5),
    ("one bin", [0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1], 1, 0.3),
    ("more bins than samples", [0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1], 100, 0.3),
    ("only normal samples", [0.1, 0.2, 0.6, 0.9, 1.0], [0, 0, 0, 0, 0], 10, 0.3),
    ("only anomalous samples", [0.0, 0.2, 0.6, 0.9], [1, 1, 1, 1], 10, 0.3),
    ("nothing reported", [0.1, 0.2, 0.05], [0, 1, 0], 10, 0.3),
    ("many ties", *drawn(200, 8, 0.3), 10, 0.5),
    ("few anomalous", *drawn(500, 64, 0.02), 10, 0.3),
    ("mostly anomalous", *drawn(300, 1000, 0.9), 10, 0.7),
    ("fine scores", *drawn(1000, 1 << 20, 0.3), 10, 0.3),
    ("fine scores, 15 bins", *drawn(1000, 1 << 20, 0.5), 15, 0.45),
]


def reference(scores, labels, bins, threshold):
    s, y = np.array(scores), np.array(labels)
    both, reported = 0 < y.sum() < len(y), s >= threshold
    tp, fp = int((reported & (y == 1)).sum()), int((reported & (y == 0)).sum())
    right = int((reported == (y == 1)).sum())
    wilson = lambda k, n: list(proportion_confint(k, n, alpha=0.05, method="wilson")) if n else None
    return dict(
        ece=float(binary_calibration_error(torch.tensor(s, dtype=torch.float64), torch.tensor(y), n_bins=bins, norm="l1")),
        roc_auc=float(roc_auc_score(y, s)) if both else None,
        average_precision=float(average_precision_score(y, s)) if y.sum() else None,
        brier=float(brier_score_loss(y, s, pos_label=1)),
        log_loss=float(log_loss(y, s, labels=[0, 1])),
        f1=float(f1_score(y, reported)) if tp + fp + y.sum() else None,
        precision=wilson(tp, tp + fp), recall=wilson(tp, int(y.sum())), accuracy=wilson(right, len(y)),
    )


versions = {m.__name__: m.__version__ for m in (sklearn, torchmetrics, statsmodels)}
cases = [dict(name=c[0], scores=c[1], labels=c[2], bins=c[3], threshold=c[4], expected=reference(*c[1:])) for c in CASES]
lines = ",\n".join(json.dumps(case) for case in cases)
print('{"made_with": %s, "cases": [\n%s\n]}' % (json.dumps(versions), lines))
