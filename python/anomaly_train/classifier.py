"""The classifier: from samples to a model that scores, explains and proves itself."""

from __future__ import annotations

import json
import os
from typing import Any

from . import _columns, _native, _options, _samples

__all__ = ["AnomalyMLClassifier"]


class AnomalyMLClassifier:
    """Says of a sequence of actions how likely it is to be anomalous, and why.

    A logistic regression over the actions of a sequence, its n-grams and ordered pairs, its entropy and its diversity, so that every score
    is a sum whose parts can be looked at. The same samples, options and seed give the same model to the last bit, whatever the machine.

    Parameters
    ----------
    n : int, 1 to 8
        Longest n-gram, in actions.
    anomaly_threshold : float between 0 and 1, or str
        Score from which a sequence is labelled anomalous, or what it is chosen for: "f1", "recall=R", "precision=R", "false-alarms=R".
    seed : int
        Where all randomness comes from.
    threads : int, optional
        Most threads to use; all if not given. Never changes a result.
    **options
        Options of the command line, with underscores: `l2`, `calibrate`, `learning_rate`, `max_ngrams`, `normal_only`, `window`, ...

    Raises
    ------
    ValueError
        Here and everywhere, for all that the command line refuses, in its words; rows are counted from 0.

    Examples
    --------
    >>> samples = [{"features": {"sequence": ["read", "write"]}, "label": 0}] * 20
    >>> samples += [{"features": {"sequence": ["scan", "exploit"]}, "label": 1}] * 20
    >>> classifier = AnomalyMLClassifier()
    >>> _ = classifier.train(samples)
    >>> classifier.predict({"sequence": ["scan", "exploit"]})["label"]
    1
    """

    def __init__(
        self,
        n: int = 3,
        anomaly_threshold: float | str = 0.3,
        *,
        seed: int = 42,
        threads: int | None = None,
        **options: Any,
    ) -> None:
        self._options: dict[str, Any] = {"ngram_size": n, "anomaly_threshold": anomaly_threshold, "seed": seed, **options}
        self._threads = threads
        self._model: _native.Model | None = None
        # What is wrong with an option should be known before the samples come.
        _native.check_options(_options.arguments(self._options))

    @classmethod
    def _of(cls, model: _native.Model, threads: int | None = None) -> AnomalyMLClassifier:
        self = cls.__new__(cls)
        training = json.loads(model.run)["training"]
        normal_only = training.pop("kind") == "normal_only"
        passes = ("epochs", "batch_size")
        self._options = {name: value for name, value in training.items() if name not in passes}
        self._options.update(anomaly_threshold=model.threshold, normal_only=normal_only)
        self._threads = threads
        self._model = model
        return self

    def train(
        self,
        train_data: Any,
        epochs: int = 10,
        batch_size: int = 32,
        *,
        groups: Any = None,
        counts: Any = None,
        group_by: str | None = None,
        count_field: str | None = None,
    ) -> AnomalyMLClassifier:
        """Fits the model on all samples, and judges nothing: `evaluate` and `anomaly_train.run` do.

        Parameters
        ----------
        train_data : list of dict, table, or pair of sequences and labels
            `{"features": {"sequence": [...]}, "label": 0 or 1}` each, or a table of pandas, Polars or Arrow with the columns `sequence` and
            `label`. Empty sequences are left out.
        epochs : int
            Most passes over the samples.
        batch_size : int
            Distinct sequences that an online fit visits together.
        groups : array of str or int, one a sample, optional
            What belongs together, such as a task or a host: it steers what counts as new in training, and calibration.
        counts : array of int, one a sample, optional
            How many samples each one stands for.
        group_by, count_field : str, optional
            The member or column that holds groups or counts.
        """
        samples = _samples.of(train_data, groups=groups, counts=counts, group_by=group_by, count_field=count_field)
        options = {**self._options, "group_by": group_by, "count_field": count_field}
        if not options.get("normal_only"):
            options.update(epochs=epochs, batch_size=batch_size)
        self._model = _native.train(samples, _options.arguments(options), self._threads)
        return self

    @property
    def model(self) -> _native.Model:
        """The trained model. Raises `ValueError` if there is none yet."""
        if self._model is None:
            raise ValueError("not trained yet; call train or load first")
        return self._model

    def predict(self, features: Any) -> dict[str, Any]:
        """Scores one sequence: `{"sequence": [...]}`, a sample or the bare list.

        Returns
        -------
        dict
            `label` (0 or 1), `score` (the probability of an anomaly; of a normal-only model one minus the p-value) and `confidence` (how far
            it is from the threshold, 0 to 1); `surprise` in bits of a normal-only model. Of an empty sequence nothing can be said: label 0,
            score and confidence `None`, and `empty`.
        """
        return self.model.predict(features)

    def predict_many(self, sequences: Any) -> Any:
        """Scores many sequences, each exactly as `predict` does.

        A list leads to a list of what `predict` returns; a column of Arrow, pandas or Polars (or a table with the column `sequence`) to a
        table of the same kind with the columns `label`, `score` and `confidence`, null or NaN where a sequence is empty.
        """
        if _columns.is_table(sequences):
            sequences = _columns.column(sequences, "sequence")
        if _columns.kind_of(sequences):
            return _columns.predictions(self.model, sequences, self._threads)
        return self.model.predict_list(sequences, self._threads)

    def explain(self, features: Any, top: int = 10) -> dict[str, Any]:
        """Why a sequence has its score: `contributions` that add up to the log odds, and at most `top` pieces of evidence, as data and in
        `sentences`."""
        explained: dict[str, Any] = json.loads(self.model.explain(features, top))
        return explained

    def evaluate(self, data: Any, *, groups: Any = None, counts: Any = None, ece_bins: int = 10) -> dict[str, Any]:
        """The figures of the model on labelled samples, as `anomaly-train evaluate --json` writes them under `metrics`."""
        samples = _samples.of(data, groups=groups, counts=counts)
        metrics: dict[str, Any] = json.loads(self.model.evaluate(samples, ece_bins, self._threads))
        return metrics

    def verify(self, data: Any = None, *, validation_data: Any = None, **beside: Any) -> bool:
        """Trains again on the samples or files that the model was trained on, and says whether the same model comes out, to the last bit.

        `data` is what training was given, `None` for synthetic samples; `groups`, `counts`, `group_by` and `count_field` as there.

        Raises
        ------
        ValueError
            If it is another one, with the first thing that differs.
        """
        given: dict[str, Any] = {}
        for name, files, value in (("samples", "paths", data), ("validation", "validation_paths", validation_data)):
            if value is None:
                continue
            if _samples.is_path(value):
                given[files] = _samples.paths(value)
            else:
                given[name] = _samples.of(value, **beside)
        difference = self.model.verify(**given, threads=self._threads)
        if difference is not None:
            raise ValueError(difference)
        return True

    def with_threshold(self, anomaly_threshold: float | str) -> AnomalyMLClassifier:
        """The same model with another threshold, or one that is chosen for a wish on what was left out of training."""
        return type(self)._of(self.model.with_threshold(str(anomaly_threshold)), self._threads)

    def save(self, filepath: str | os.PathLike[str]) -> None:
        """Writes the model file in one step: whatever happens, the old or the new one stands there."""
        self.model.save(os.fsdecode(filepath))

    @classmethod
    def load(cls, filepath: str | os.PathLike[str]) -> AnomalyMLClassifier:
        """Reads a model file, of this class or of the command line; of a pattern like `models/current/anomaly_model_*.json` the newest that
        fits, by its name.

        Raises
        ------
        OSError
            If it cannot be read.
        ValueError
            If it is anything but a whole model file of this version.
        """
        import glob

        path = os.fsdecode(filepath)
        if not os.path.exists(path) and glob.has_magic(path):
            path = max(glob.glob(path), default=path)
        return cls._of(_native.Model.load(path))

    def to_bytes(self) -> bytes:
        """The model file."""
        return self.model.to_bytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> AnomalyMLClassifier:
        """Reads what `to_bytes` gave."""
        return cls._of(_native.Model.from_bytes(data))

    def __getstate__(self) -> dict[str, Any]:
        return {
            "options": self._options,
            "threads": self._threads,
            "model": None if self._model is None else self._model.to_bytes(),
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._options, self._threads = state["options"], state["threads"]
        self._model = None if state["model"] is None else _native.Model.from_bytes(state["model"])

    @property
    def n(self) -> int:
        """Longest n-gram, in actions."""
        n: int = self._options["ngram_size"] if self._model is None else self._model.n
        return n

    @property
    def anomaly_threshold(self) -> float | str:
        """Score from which a sequence is labelled anomalous; before training also what it is chosen for."""
        threshold: float | str = self._options["anomaly_threshold"] if self._model is None else self._model.threshold
        return threshold

    @property
    def trained(self) -> bool:
        """Whether there is a model."""
        return self._model is not None

    @property
    def training_samples(self) -> int:
        """How many samples it was trained on, without the empty ones."""
        return 0 if self._model is None else sum(self._model.training_samples)

    @property
    def digest(self) -> str:
        """SHA-256 of all that does not depend on when and where the model was trained, in hexadecimal."""
        return self.model.digest

    @property
    def metrics(self) -> dict[str, Any] | None:
        """The figures in its file; `None` of a model that was not judged."""
        metrics: dict[str, Any] | None = json.loads(self.model.metrics)
        return metrics

    def __repr__(self) -> str:
        if self._model is None:
            return f"{type(self).__name__}(n={self.n}, anomaly_threshold={self.anomaly_threshold!r})"
        return (
            f"<{type(self).__name__}: {self.training_samples} samples, {len(self._model.actions)} actions, "
            f"threshold {self.anomaly_threshold}, digest {self.digest[:12]}>"
        )

    def _repr_html_(self) -> str:
        import html

        if self._model is None:
            return f"<pre>{html.escape(repr(self))}</pre>"
        normal, anomalous = self._model.training_samples
        rows = {
            "learned from": f"{normal:,} normal and {anomalous:,} anomalous samples" if anomalous else f"{normal:,} normal samples",
            "actions": f"{len(self._model.actions):,}",
            "threshold": f"{self._model.threshold:.4g}",
            "digest": self.digest,
        }
        metrics = self.metrics or {}
        rows.update({name: f"{metrics[name]:.4f}" for name in ("roc_auc", "f1", "ece") if metrics.get(name) is not None})
        features = json.loads(self._model.top_features(5))
        for title, patterns in zip(("speaks for an anomaly", "speaks against it"), features):
            rows[title] = ", ".join(f"{' → '.join(map(str, pattern['actions']))} ({pattern['weight']:+.2f})" for pattern in patterns)
        cells = "".join(
            f"<tr><th style='text-align:left'>{html.escape(name)}</th><td style='text-align:left'>{html.escape(value)}</td></tr>"
            for name, value in rows.items()
            if value
        )
        return f"<table><caption>{type(self).__name__}</caption>{cells}</table>"
