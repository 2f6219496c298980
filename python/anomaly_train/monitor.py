"""The monitor: from actions as they come to alerts."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable
from datetime import datetime, timezone
from enum import Enum
from typing import Any

from . import _native, _options
from .classifier import AnomalyMLClassifier

__all__ = ["AnomalyAlert", "AnomalyDriftMonitor", "AnomalyType", "DriftSeverity"]


class AnomalyType(str, Enum):
    """What an alert is about."""

    SEQUENCE = "sequence"
    FREQUENCY = "frequency"
    BEHAVIORAL = "behavioral"
    DISTRIBUTIONAL = "distributional"
    MODEL = "model"
    CLOCK = "clock"
    FLOOD = "flood"


class DriftSeverity(str, Enum):
    """How bad it is."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class AnomalyAlert:
    """Something that somebody should know: what the command line writes as one line, with its members as attributes.

    `anomaly_score` goes from 0 to 1 but for drift; `evidence` holds the figures behind it, by `anomaly_type`; `details` the alert as it was
    written, to the last member.
    """

    def __init__(self, details: dict[str, Any]) -> None:
        self.details = details
        self.alert_id: str = details["alert_id"]
        self.timestamp = datetime.fromisoformat(details["timestamp"].replace("Z", "+00:00"))
        self.anomaly_type = AnomalyType(details["anomaly_type"])
        self.severity = DriftSeverity(details["severity"])
        self.agent_id: str | None = details["agent_id"]
        self.cohort: str | None = details["cohort"]
        self.anomaly_score: float = details["anomaly_score"]
        self.threshold: float = details["threshold"]
        self.description: str = details["description"]
        self.evidence: dict[str, Any] = details["evidence"]
        self.auto_escalated: bool = details["auto_escalated"]
        self.quarantine_recommended: bool = details["quarantine_recommended"]

    def __repr__(self) -> str:
        return f"<AnomalyAlert {self.alert_id}: {self.severity.value}, {self.description}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AnomalyAlert) and self.details == other.details

    def __hash__(self) -> int:
        return hash(self.alert_id)

    def to_dict(self) -> dict[str, Any]:
        """The alert as the command line writes it."""
        return dict(self.details)


class AnomalyDriftMonitor:
    """Watches agents live. Its rules are those of `anomaly-train monitor`, with `rules="original"` to the last alert.

    Parameters
    ----------
    sequence_n : int
        Actions in an n-gram of the sequence rule.
    psi_threshold, kl_threshold, js_threshold : float
        From where on drift of risk scores is told of.
    storage_path : path, optional
        Folder in which alerts are appended to `anomaly_alerts.jsonl`.
    frequency_window_seconds, frequency_burst_threshold : int
        So many actions of an agent within so many seconds are a burst.
    alert_cooldown_seconds : int
        How long further alerts of a type for an agent are held back.
    rules : "original" or "default"
        The original's have fixed limits for everybody; ours are not set off by a stream that does not change. Under ours the limits of
        frequency count only if they are given.
    model : AnomalyMLClassifier or a list of two, optional
        Lets a trained model watch the latest actions of each session too.
    top : int
        How many actions and n-grams the model's evidence names.
    **options
        Options of `anomaly-train monitor`, with underscores. Unlike there, `reorder` is 0: an action is looked at when it comes.

    Memory is bounded whatever comes. Safe to use from several threads.

    Examples
    --------
    >>> monitor = AnomalyDriftMonitor()
    >>> alerts = [monitor.record_action("a7", "probe", 0.5, timestamp=1e9 + second) for second in range(12)]
    >>> alerts[-1] is None, [alert.anomaly_type.value for alert in monitor.get_alerts()]
    (True, ['behavioral'])
    """

    def __init__(
        self,
        sequence_n: int = 3,
        psi_threshold: float = 0.2,
        kl_threshold: float = 0.1,
        js_threshold: float = 0.1,
        storage_path: str | os.PathLike[str] | None = None,
        frequency_window_seconds: float = 60,
        frequency_burst_threshold: int | None = None,
        alert_cooldown_seconds: float = 300,
        *,
        rules: str = "original",
        model: AnomalyMLClassifier | Iterable[AnomalyMLClassifier] | None = None,
        top: int = 5,
        **options: Any,
    ) -> None:
        said = {
            "ngram_size": sequence_n,
            "drift_psi": psi_threshold,
            "drift_kl": kl_threshold,
            "drift_js": js_threshold,
            "frequency_window": f"{frequency_window_seconds}s",
            "frequency_events": frequency_burst_threshold,
            "cooldown": f"{alert_cooldown_seconds}s",
            "rules": rules,
            "reorder": 0,
            **options,
        }
        self._models = _models(model)
        self._top = top
        self._monitor = _native.Monitor(_options.arguments(said), self._models, top)
        self._start(storage_path)

    def _start(self, storage_path: str | os.PathLike[str] | None) -> None:
        self._storage = None if storage_path is None else os.path.join(storage_path, "anomaly_alerts.jsonl")
        self.alerts: list[AnomalyAlert] = []

    def record_action(
        self,
        agent_id: str,
        action_type: str,
        risk_score: float | None,
        cohort: str | None = None,
        *,
        timestamp: float | datetime | str | None = None,
        session: str = "",
    ) -> AnomalyAlert | None:
        """Takes an action in.

        Parameters
        ----------
        agent_id, action_type : str
            Who did what; at most 1,024 bytes each.
        risk_score : float or None
            How risky it was; limited to 0..1.
        cohort : str, optional
            The group of agents whose risk scores are compared.
        timestamp : float in seconds since 1970, datetime, or str as in RFC 3339, optional
            When it was; now if not given. A datetime without a time zone is one in UTC.
        session : str, optional
            The session it belongs to, which is then watched for itself.

        Returns
        -------
        AnomalyAlert or None
            The first alert that it leads to; all of them are in `alerts`.
        """
        if timestamp is None:
            timestamp = time.time()
        elif not isinstance(timestamp, (float, int)):
            timestamp = _seconds(timestamp)
        lines = self._monitor.record(agent_id, action_type, risk_score, cohort, timestamp, session)
        return None if lines is None else self._note(lines)

    def _note(self, lines: Iterable[str | None]) -> AnomalyAlert | None:
        first = None
        for line in lines:
            if line is None:
                continue
            alert = AnomalyAlert(json.loads(line))
            first = first or alert
            self.alerts.append(alert)
            if self._storage is not None:
                os.makedirs(os.path.dirname(self._storage), exist_ok=True)
                with open(self._storage, "a", encoding="utf-8") as file:
                    file.write(line + "\n")
        return first

    def set_baseline_distribution(self, scores: Iterable[float], cohort: str | None = None) -> None:
        """Lets the risk scores of a cohort be compared with these; without it the first 1,000 are what others are compared with."""
        self._monitor.set_baseline([float(score) for score in scores], cohort)

    def check_drift(self, cohort: str | None = None) -> AnomalyAlert | None:
        """Compares the risk scores since the last comparison with their baseline, if there are enough, and forgets them. They are also
        compared after every 1,000."""
        return self._note([self._monitor.check_drift(cohort)])

    def check_behavioral_anomaly(self, agent_id: str, cohort: str | None = None) -> AnomalyAlert | None:
        """Looks whether an agent does hardly anything but the same, as `record_action` does after each action."""
        return self._note([self._monitor.check_behavior(agent_id, cohort, time.time())])

    def finish(self) -> list[AnomalyAlert]:
        """Looks at what still waits for older actions, and compares all distributions: what the command line says at the end of its input."""
        before = len(self.alerts)
        self._note(self._monitor.finish())
        return self.alerts[before:]

    def get_alerts(
        self,
        severity: DriftSeverity | str | None = None,
        anomaly_type: AnomalyType | str | None = None,
        limit: int | None = None,
    ) -> list[AnomalyAlert]:
        """The alerts of this severity and type, the latest `limit` of them."""
        found = [
            alert
            for alert in self.alerts
            if (severity is None or alert.severity == severity) and (anomaly_type is None or alert.anomaly_type == anomaly_type)
        ]
        return found[-limit:] if limit else found

    def export_alerts(self, limit: int | None = None) -> list[dict[str, Any]]:
        """The alerts, or the latest `limit` of them, as dictionaries."""
        return [alert.to_dict() for alert in self.get_alerts(limit=limit)]

    def get_statistics(self) -> dict[str, Any]:
        """How many alerts, agents and scores there were, and how the monitor works."""
        counters = self._monitor.counters()
        settings = json.loads(self._monitor.settings)
        by_type = {kind.value: 0 for kind in AnomalyType}
        by_severity = {severity.value: 0 for severity in DriftSeverity}
        for alert in self.alerts:
            by_type[alert.anomaly_type.value] += 1
            by_severity[alert.severity.value] += 1
        return {
            "alerts": {"total": len(self.alerts), "by_severity": by_severity, "by_type": by_type},
            "tracked_agents": counters["agents"],
            "events": counters["events"],
            "late": counters["late"],
            "held_back": counters["held_back"],
            "risk_scores": {cohort or "__default__": count for cohort, count in self._monitor.risk_scores().items()},
            "settings": settings,
        }

    def to_bytes(self) -> bytes:
        """Everything that later alerts depend on; the alerts so far are not part of it."""
        return self._monitor.to_bytes()

    @classmethod
    def from_bytes(
        cls,
        state: bytes,
        *,
        model: AnomalyMLClassifier | Iterable[AnomalyMLClassifier] | None = None,
        storage_path: str | os.PathLike[str] | None = None,
        top: int = 5,
    ) -> AnomalyDriftMonitor:
        """Goes on from what `to_bytes` gave, with the same model or a newer one: it says what it would have said."""
        self = cls.__new__(cls)
        self._models, self._top = _models(model), top
        self._monitor = _native.Monitor.from_bytes(state, self._models, top)
        self._start(storage_path)
        return self

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes what `to_bytes` gives to a file, in one step."""
        _native.replace(path, self.to_bytes())

    @classmethod
    def load(cls, path: str | os.PathLike[str], **options: Any) -> AnomalyDriftMonitor:
        """Goes on from what `save` wrote; options as for `from_bytes`."""
        with open(path, "rb") as file:
            return cls.from_bytes(file.read(), **options)

    def __getstate__(self) -> dict[str, Any]:
        return {
            "state": self.to_bytes(),
            "models": [model.to_bytes() for model in self._models],
            "top": self._top,
            "storage": self._storage,
            "alerts": self.alerts,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._models = [_native.Model.from_bytes(model) for model in state["models"]]
        self._top, self._storage, self.alerts = state["top"], state["storage"], state["alerts"]
        self._monitor = _native.Monitor.from_bytes(state["state"], self._models, self._top)


def _seconds(time: datetime | str) -> float:
    """A time as seconds since 1970."""
    if isinstance(time, str):
        return _native.seconds(time)
    return (time if time.tzinfo else time.replace(tzinfo=timezone.utc)).timestamp()


def _models(model: AnomalyMLClassifier | Iterable[AnomalyMLClassifier] | None) -> list[_native.Model]:
    if model is None:
        return []
    several = [model] if isinstance(model, AnomalyMLClassifier) else list(model)
    models = [one.model for one in several]
    if len({one.kind for one in models}) < len(models):
        raise ValueError("of two models that work side by side one learned from labels and one is normal-only")
    return models
