import json
import pickle
import random
from datetime import datetime, timedelta, timezone

import pytest

from anomaly_train import AnomalyDriftMonitor, AnomalyMLClassifier


def stream(seed, count):
    """Agents some of whom repeat themselves and some of whom hurry, and risks that rise in the end."""
    draw = random.Random(seed)
    now = 1_795_341_600.0
    for index in range(count):
        agent = draw.randrange(40) * draw.randrange(40) // 40
        now += 0.05 if draw.random() < 0.9 else draw.random() * 60
        action = f"act{agent % 8}" if agent % 5 == 0 and draw.random() < 0.93 else f"act{draw.randrange(8)}"
        risk = draw.random() ** 2 if index < count * 0.7 else draw.random()
        yield {
            "agent_id": f"a{agent}",
            "action_type": action,
            "risk_score": round(risk, 3),
            "timestamp": round(now, 3),
            **({"cohort": f"c{agent % 3}"} if agent % 3 else {}),
        }


def record(monitor, event):
    return monitor.record_action(
        event["agent_id"], event["action_type"], event["risk_score"], event.get("cohort"), timestamp=event["timestamp"]
    )


@pytest.mark.parametrize("rules", ["original", "default"])
@pytest.mark.parametrize("watched", [False, True])
def test_alerts_are_those_of_the_command(rules, watched, file_of, tmp_path, command):
    events = list(stream(3, 20_000 if not watched else 4000))
    path = file_of(events)
    model, options = None, []
    if watched:
        draw = random.Random(1)
        labelled = [
            {"sequence": [f"act{draw.randrange(8)}" for _ in range(6)] if label else [f"act{index % 8}"] * 5, "label": label}
            for index in range(400)
            for label in (0, 1)
        ]
        model = AnomalyMLClassifier().train(labelled)
        model.save(tmp_path / "model.json")
        options = ["--model", tmp_path / "model.json"]
    theirs = [json.loads(line) for line in command("monitor", "--rules", rules, "--reorder", "0", *options, path).splitlines()]
    for alert in theirs:
        # Of events that stand in no file.
        alert.pop("line", None)
        alert.pop("file", None)
    monitor = AnomalyDriftMonitor(rules=rules, model=model)
    first = [alert for event in events if (alert := record(monitor, event))]
    monitor.finish()
    assert monitor.export_alerts() == theirs and (len(theirs) > 20 or rules == "default")
    assert set(map(id, first)) <= set(map(id, monitor.alerts))


def test_a_monitor_that_is_saved_and_loaded_says_what_it_would_have_said(tmp_path):
    events = list(stream(5, 6000))
    whole, halved = AnomalyDriftMonitor(), AnomalyDriftMonitor()
    for monitor in (whole, halved):
        monitor.set_baseline_distribution([0.1, 0.2, 0.3] * 100, cohort="c1")
    for event in events:
        record(whole, event)
    for event in events[:3000]:
        record(halved, event)
    halved.save(tmp_path / "state")
    resumed = AnomalyDriftMonitor.load(tmp_path / "state")
    pickled = pickle.loads(pickle.dumps(halved))
    for event in events[3000:]:
        record(resumed, event)
        record(pickled, event)
    assert halved.export_alerts() + resumed.export_alerts() == whole.export_alerts() == pickled.export_alerts()
    assert any(alert.cohort == "c1" and alert.anomaly_type == "distributional" for alert in whole.alerts)
    damaged = (tmp_path / "state").read_bytes().replace(b"act1", b"act9")
    with pytest.raises(ValueError, match="digest"):
        AnomalyDriftMonitor.from_bytes(damaged)
    with pytest.raises(ValueError, match="without a model"):
        AnomalyDriftMonitor.from_bytes(
            halved.to_bytes(), model=AnomalyMLClassifier().train([{"sequence": ["a"], "label": 0}, {"sequence": ["b"], "label": 1}])
        )


def test_what_cannot_be_an_action_is_refused_and_changes_nothing():
    monitor = AnomalyDriftMonitor()
    for arguments, options, words in [
        (("", "a", 0.5), {}, "no agent or no action"),
        (("a", "", 0.5), {}, "no agent or no action"),
        (("a" * 1025, "a", 0.5), {}, "at most 1024"),
        (("a", "b", float("nan")), {}, "no number"),
        (("a", "b", 0.5), {"timestamp": -1}, "no time from 1970"),
        (("a", "b", 0.5), {"timestamp": 1e300}, "no time from 1970"),
    ]:
        with pytest.raises(ValueError, match=words):
            monitor.record_action(*arguments, **options)
    with pytest.raises(TypeError):
        monitor.record_action(7, "a", 0.5)
    with pytest.raises(ValueError, match="no number"):
        monitor.set_baseline_distribution([float("nan")])
    with pytest.raises(ValueError, match="invalid value '9'"):
        AnomalyDriftMonitor(sequence_n=9)
    assert monitor.get_statistics()["events"] == 0
    monitor.record_action("a", "b", None)
    monitor.record_action("a", "b", 7.5)
    assert monitor.get_statistics()["risk_scores"] == {"__default__": 1}


def test_times_are_seconds_datetimes_or_texts_and_in_utc():
    said = set()
    for time in (
        1_795_341_600.25,
        "2026-11-22T10:00:00.25Z",
        "2026-11-22T12:00:00.250000+02:00",
        datetime(2026, 11, 22, 10, 0, 0, 250_000),
        datetime(2026, 11, 22, 9, 0, 0, 250_000, tzinfo=timezone(timedelta(hours=-1))),
    ):
        monitor = AnomalyDriftMonitor(frequency_burst_threshold=1)
        said.add(monitor.record_action("a", "b", None, timestamp=time).alert_id)
    assert len(said) == 1
    with pytest.raises(ValueError, match='the timestamp "yesterday" is no time'):
        AnomalyDriftMonitor().record_action("a", "b", None, timestamp="yesterday")


def test_two_models_of_the_same_kind_are_refused(samples):
    model = AnomalyMLClassifier().train(samples)
    with pytest.raises(ValueError, match="side by side"):
        AnomalyDriftMonitor(model=[model, model])
