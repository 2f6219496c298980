"""Estimators for scikit-learn: their input is sequences, a list of lists of strings or a column of Arrow, pandas or Polars, and not a
matrix. Needs the extra `anomaly-train[sklearn]`.

>>> from anomaly_train.sklearn import AnomalySequenceClassifier
>>> X = [["read", "write"], ["scan", "exploit"]] * 20
>>> classifier = AnomalySequenceClassifier().fit(X, [0, 1] * 20)
>>> classifier.predict([["scan", "exploit"]])
array([1])
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, OutlierMixin
from sklearn.utils.validation import check_is_fitted

from . import _columns, _native, _options, _samples

__all__ = ["AnomalySequenceClassifier", "NormalOnlyDetector"]

# Log odds are told apart from infinity up to here.
_SURE = 1e-300


def _columns_of(model: _native.Model, X: Any, threads: int | None) -> tuple[Any, Any, Any]:
    """Labels, scores and surprises of sequences; NaN where one is empty."""
    X = _of_rows(X)
    taken = _columns.sequences(X) if _columns.kind_of(X) else list(X)
    if isinstance(taken, _columns.ArrowSequences):
        said = model.predict_arrow(*taken, threads=threads)
    else:
        said = model.predict_columns(taken, threads)
    labels, scores, _, _, surprises = said
    return (
        np.frombuffer(labels, dtype=np.int8),
        np.frombuffer(scores),
        None if surprises is None else np.frombuffer(surprises),
    )


def _of_rows(X: Any) -> Any:
    """What scikit-learn may have made of sequences: a matrix of names, or a column in a table."""
    if isinstance(X, np.ndarray) and X.ndim == 2 and X.dtype == object and X.shape[1] == 1:
        return list(X[:, 0])
    if isinstance(X, np.ndarray):
        return X.tolist() if X.dtype != object else list(X)
    if _columns.is_table(X):
        names = X.column_names if _columns.kind_of(X) == "arrow" else list(X.columns)
        return X[names[0]] if len(names) == 1 else _columns.column(X, "sequence")
    return X


class _Sequences(BaseEstimator):  # type: ignore[misc]
    """What the estimators have in common."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = True
        tags.input_tags.string = True
        return tags

    @property
    def digest_(self) -> str:
        """The digest of the fitted model."""
        check_is_fitted(self)
        model: _native.Model = self.model_
        return model.digest

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = dict(super().__getstate__())
        if "model_" in state:
            state["model_"] = state["model_"].to_bytes()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        if "model_" in state:
            state["model_"] = _native.Model.from_bytes(state["model_"])
        super().__setstate__(state)


class AnomalySequenceClassifier(ClassifierMixin, _Sequences):  # type: ignore[misc]
    """The classifier of `anomaly_train` as an estimator.

    Parameters
    ----------
    ngram_size, anomaly_threshold, epochs, batch_size, seed, l2, calibrate, learning_rate, max_ngrams
        As on the command line.
    anomalous_label : object, optional
        The class that is the anomaly, if the classes are not 0 and 1.
    threads : int, optional
        Most threads to use; all if not given.

    Attributes
    ----------
    classes_ : array of shape (2,)
        The classes, ascending.
    model_ : the fitted model; `digest_` is its digest.

    `predict` labels from `anomaly_threshold` on, which is .3 unless another one is given, and not from a probability of .5.
    """

    def __init__(
        self,
        *,
        ngram_size: int = 3,
        anomaly_threshold: float | str = 0.3,
        epochs: int = 10,
        batch_size: int = 32,
        seed: int = 42,
        l2: float | None = None,
        calibrate: str = "auto",
        learning_rate: float | None = None,
        max_ngrams: int | None = None,
        anomalous_label: Any = None,
        threads: int | None = None,
    ) -> None:
        self.ngram_size = ngram_size
        self.anomaly_threshold = anomaly_threshold
        self.epochs = epochs
        self.batch_size = batch_size
        self.seed = seed
        self.l2 = l2
        self.calibrate = calibrate
        self.learning_rate = learning_rate
        self.max_ngrams = max_ngrams
        self.anomalous_label = anomalous_label
        self.threads = threads

    def fit(self, X: Any, y: Any, groups: Any = None, counts: Any = None) -> AnomalySequenceClassifier:
        """Fits the model.

        Parameters
        ----------
        X : sequences of actions, n of them
        y : array of shape (n,)
            0 and 1, or two classes one of which is `anomalous_label`.
        groups : array of shape (n,), optional
            What belongs together, such as a task or a host.
        counts : array of shape (n,), optional
            How many samples each one stands for.
        """
        if y is None:
            raise ValueError("requires y to be passed, but the target y is None")
        y = np.asarray(y)
        if y.ndim != 1:
            raise ValueError(f"y should be a 1d array, got an array of shape {y.shape} instead")
        self.classes_ = np.unique(y)
        if self.anomalous_label is None:
            if self.classes_.dtype == bool or not all(label in (0, 1) for label in self.classes_.tolist()):
                raise ValueError(
                    f"the classes are {self.classes_.tolist()}; anomalous_label= says which of them is the anomaly, if they are not 0 and 1"
                )
            self.classes_ = np.array([0, 1], dtype=self.classes_.dtype)
            labels = y.astype(int)
        else:
            if self.anomalous_label not in self.classes_.tolist():
                raise ValueError(f"no sample has the anomalous_label {self.anomalous_label!r}")
            if len(self.classes_) > 2:
                raise ValueError(f"the classes are {self.classes_.tolist()}; expected two")
            labels = (y == self.anomalous_label).astype(int)
        options = {
            name: getattr(self, name)
            for name in (
                "ngram_size", "anomaly_threshold", "epochs", "batch_size", "seed", "l2", "calibrate", "learning_rate", "max_ngrams",
            )
        }  # fmt: skip
        samples = _samples.of_sequences(_of_rows(X), labels, groups=groups, counts=counts)
        self.model_ = _native.train(samples, _options.arguments(options), self.threads)
        return self

    @property
    def _anomalous(self) -> int:
        """The place of the anomaly among the classes."""
        if self.anomalous_label is None:
            return 1
        return int(np.flatnonzero(self.classes_ == self.anomalous_label)[0])

    def predict(self, X: Any) -> Any:
        """The class of each sequence; an empty one is normal."""
        check_is_fitted(self)
        labels, _, _ = _columns_of(self.model_, X, self.threads)
        if len(self.classes_) < 2:
            return np.repeat(self.classes_, len(labels))
        return self.classes_[np.where(labels == 1, self._anomalous, 1 - self._anomalous)]

    def predict_proba(self, X: Any) -> Any:
        """The probability of each class, an array of shape (n, 2); of an empty sequence that of the base rate in training."""
        check_is_fitted(self)
        p = self._scores(X)
        columns = [1.0 - p, p]
        if len(self.classes_) < 2:
            return p[:, None]
        return np.column_stack(columns if self._anomalous == 1 else columns[::-1])

    def decision_function(self, X: Any) -> Any:
        """Log odds of the second class above those of the threshold, an array of shape (n,): positive where `predict` says the second
        class."""
        check_is_fitted(self)
        threshold = self.model_.threshold
        decision = _log_odds(self._scores(X)) - _log_odds(np.array(threshold))
        return decision if self._anomalous == 1 else -decision

    def _scores(self, X: Any) -> Any:
        _, scores, _ = _columns_of(self.model_, X, self.threads)
        normal, anomalous = self.model_.training_samples
        return np.where(np.isnan(scores), anomalous / (normal + anomalous), scores)


def _log_odds(p: Any) -> Any:
    return np.log(np.maximum(p, _SURE)) - np.log(np.maximum(1.0 - p, _SURE))


class NormalOnlyDetector(OutlierMixin, _Sequences):  # type: ignore[misc]
    """Learns from normal sequences alone, with the names of PyOD.

    Parameters
    ----------
    contamination : float
        Share of normal sequences that may be reported: the promise that the threshold is, `false-alarms=R` on the command line.
    ngram_size, window, seed, max_ngrams, threads
        As on the command line.

    Attributes
    ----------
    decision_scores_ : array of shape (n,)
        Scores of the training sequences; these were seen, and so lie lower than those of others.
    labels_ : array of shape (n,)
        1 from the threshold on.
    threshold_ : float
        Score from which a sequence is reported: 1 - contamination.
    """

    def __init__(
        self,
        contamination: float = 0.01,
        *,
        ngram_size: int | None = None,
        window: int | None = None,
        seed: int = 42,
        max_ngrams: int | None = None,
        threads: int | None = None,
    ) -> None:
        self.contamination = contamination
        self.ngram_size = ngram_size
        self.window = window
        self.seed = seed
        self.max_ngrams = max_ngrams
        self.threads = threads

    def fit(self, X: Any, y: Any = None, groups: Any = None, counts: Any = None) -> NormalOnlyDetector:
        """Fits the model on normal sequences; `y` is not used."""
        options = {name: getattr(self, name) for name in ("ngram_size", "window", "seed", "max_ngrams")}
        options.update(normal_only=True, anomaly_threshold=f"false-alarms={self.contamination}")
        samples = _samples.of_sequences(_of_rows(X), groups=groups, counts=counts)
        self.model_ = _native.train(samples, _options.arguments(options), self.threads)
        self.threshold_ = self.model_.threshold
        labels, scores, _ = _columns_of(self.model_, X, self.threads)
        self.decision_scores_ = np.nan_to_num(scores)
        self.labels_ = labels.astype(int)
        return self

    def decision_function(self, X: Any) -> Any:
        """One minus the p-value of each sequence, 0 to 1, the higher the more anomalous; 0 of an empty one."""
        check_is_fitted(self)
        return np.nan_to_num(_columns_of(self.model_, X, self.threads)[1])

    def predict(self, X: Any) -> Any:
        """1 where a sequence is anomalous, else 0."""
        check_is_fitted(self)
        return _columns_of(self.model_, X, self.threads)[0].astype(int)

    def predict_proba(self, X: Any) -> Any:
        """Columns of one minus the score, and the score: an array of shape (n, 2). No probabilities of an anomaly, but p-values."""
        scores = self.decision_function(X)
        return np.column_stack([1.0 - scores, scores])

    def surprise(self, X: Any) -> Any:
        """How surprising each sequence is, in bits, which ranks what scores the same; 0 of an empty one."""
        check_is_fitted(self)
        return np.nan_to_num(_columns_of(self.model_, X, self.threads)[2])

    def fit_predict(self, X: Any, y: Any = None, **params: Any) -> Any:
        """`fit`, and the labels of the same sequences."""
        return self.fit(X, y, **params).labels_
