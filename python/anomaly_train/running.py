"""A run of the command line from Python: samples divided, a model trained and judged, and the gate asked."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

from . import _native, _options, _samples
from .classifier import AnomalyMLClassifier

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Run", "generate", "run"]


class Run:
    """What a run led to.

    Attributes
    ----------
    model : AnomalyMLClassifier
        The model, with its figures.
    metrics : dict
        The figures on the validation part, as `--json` writes them.
    promoted : bool
        Whether the gate let it through.
    reasons : list of dict
        Everything that speaks against it, each with `code` and `text`.
    model_path, metrics_path : Path or None
        Where it was saved, if `models_dir` was given.
    """

    def __init__(
        self, model: AnomalyMLClassifier, promoted: bool, reasons: list[dict[str, str]], paths: tuple[Path | None, Path | None]
    ) -> None:
        self.model = model
        self.metrics: dict[str, Any] = model.metrics or {}
        self.promoted = promoted
        self.reasons = reasons
        self.model_path, self.metrics_path = paths

    def __repr__(self) -> str:
        return f"<Run: {'promoted' if self.promoted else 'not promoted'}, digest {self.digest[:12]}>"

    @property
    def digest(self) -> str:
        """The digest of the model: that of the same run of the command line."""
        return self.model.digest


def run(
    data: Any = None,
    *,
    validation_data: Any = None,
    models_dir: str | os.PathLike[str] | None = None,
    groups: Any = None,
    counts: Any = None,
    threads: int | None = None,
    **options: Any,
) -> Run:
    """Does what `anomaly-train` does with the same options, and leads to the same model.

    Parameters
    ----------
    data : path or list of paths, list of dict, table, or pair of sequences and labels, optional
        Files, folders and logs as the command line takes them, or samples as `AnomalyMLClassifier.train` does; synthetic samples if not
        given. Several files are a list of `pathlib.Path`.
    validation_data : the same, optional
        Judge on these instead of on part of the samples.
    models_dir : path, optional
        Save the model there as the command line does: in `current` if it is promoted, also beside the current one, else in `candidates`.
        Nothing is saved if not given.
    groups, counts : arrays, one a sample, optional
        As in `AnomalyMLClassifier.train`; `group_by` and `count_field` name the members or columns that hold them.
    threads : int, optional
        Most threads to use.
    **options
        Options of the command line, with underscores.

    Examples
    --------
    >>> outcome = run(num_samples=1000, seed=7)
    >>> outcome.promoted, outcome.model.predict(["scan", "exploit", "inject"])["label"]
    (True, 1)
    """
    samples = validation = None
    paths: list[str] = []
    fields = {"group_by": options.get("group_by"), "count_field": options.get("count_field")}
    if data is not None and _samples.is_path(data):
        paths = _samples.paths(data)
    elif data is not None:
        samples = _samples.of(data, groups=groups, counts=counts, **fields)
    if validation_data is not None and _samples.is_path(validation_data):
        options["validation_data"] = os.fspath(validation_data)
    elif validation_data is not None:
        validation = _samples.of(validation_data, count_field=options.get("count_field"))
    if (samples is None) != (validation is None) and validation_data is not None:
        raise ValueError("data and validation_data must both be files, or both be samples")
    if samples is None and (groups is not None or counts is not None):
        raise ValueError("groups and counts stand beside samples; for files, group_by and count_field name the fields")
    now = int(os.environ.get("SOURCE_DATE_EPOCH") or time.time())
    model, promoted, reasons, saved = _native.run(
        samples,
        paths,
        _options.arguments(options),
        validation=validation,
        models_dir=None if models_dir is None else os.fspath(models_dir),
        time=now,
        threads=threads,
    )
    classifier = AnomalyMLClassifier._of(model, threads)
    return Run(classifier, promoted, json.loads(reasons), _paths(saved))


def _paths(saved: tuple[str, str] | None) -> tuple[Path | None, Path | None]:
    from pathlib import Path

    return (Path(saved[0]), Path(saved[1])) if saved else (None, None)


def generate(num_samples: int = 10_000, scenario: str = "documented", seed: int = 42) -> list[dict[str, Any]]:
    """Synthetic samples, those of `anomaly-train generate`: `scenario` is "documented" or "mixed"."""
    sequences, labels = _native.generate(scenario, num_samples, seed)
    return [{"features": {"sequence": sequence}, "label": label} for sequence, label in zip(sequences, labels)]
