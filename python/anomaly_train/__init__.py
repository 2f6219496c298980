"""Trains, judges and uses an explainable, calibrated detector of anomalous sequences of actions.

>>> from anomaly_train import AnomalyMLClassifier, generate
>>> classifier = AnomalyMLClassifier().train(generate(2000))
>>> classifier.predict({"sequence": ["scan", "exploit", "inject"]})["label"]
1

`AnomalyMLClassifier` and `AnomalyDriftMonitor` stand in for those of Nethical; `run` is a run of the command line, to the last bit.
`anomaly_train.sklearn` holds estimators for scikit-learn. Warnings go to the logger `anomaly_train`.
"""

from ._native import __version__
from .classifier import AnomalyMLClassifier
from .monitor import AnomalyAlert, AnomalyDriftMonitor, AnomalyType, DriftSeverity
from .running import Run, generate, run

__all__ = [
    "AnomalyAlert",
    "AnomalyDriftMonitor",
    "AnomalyMLClassifier",
    "AnomalyType",
    "DriftSeverity",
    "Run",
    "__version__",
    "generate",
    "run",
]
