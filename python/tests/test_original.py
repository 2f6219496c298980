"""What the documentation of Nethical shows of its two classes, with only the import changed."""

import random

from anomaly_train import AnomalyDriftMonitor, AnomalyMLClassifier, AnomalyType, DriftSeverity


def test_the_example_of_the_module_trains_and_predicts(capsys):
    clf = AnomalyMLClassifier()
    train_data = [
        {"features": {"sequence": ["read", "process", "write"]}, "label": 0},
        {"features": {"sequence": ["delete", "exfiltrate", "cover"]}, "label": 1},
    ]
    clf.train(train_data)
    result = clf.predict({"sequence": ["read", "process", "write"]})
    print(result["label"], result["score"])
    assert 0 <= result["score"] <= 1 and 0 <= result["confidence"] <= 1


def test_the_guide_loads_by_a_pattern_and_predicts(tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    command("--model-type", "anomaly", "--num-samples", 5000)
    clf = AnomalyMLClassifier.load("models/current/anomaly_model_*.json")
    sequence = ["read", "process", "write"]
    result = clf.predict({"sequence": sequence})
    text = f"Anomalous: {result['label'] == 1}, Score: {result['score']:.3f}, Confidence: {result['confidence']:.3f}"
    assert text.startswith("Anomalous: False")


def test_a_saved_model_is_loaded_with_all_that_its_users_look_at(tmp_path):
    train_data = [{"features": {"sequence": ["read", "process", "write"]}, "label": 0} for _ in range(20)]
    train_data += [{"features": {"sequence": ["delete", "exfiltrate", "cover_tracks"]}, "label": 1} for _ in range(20)]
    clf = AnomalyMLClassifier(n=3, anomaly_threshold=0.3)
    assert not clf.trained and clf.training_samples == 0
    clf.train(train_data, epochs=10, batch_size=32)
    clf.save(str(tmp_path / "model.json"))
    loaded = AnomalyMLClassifier.load(str(tmp_path / "model.json"))
    assert loaded.n == clf.n == 3
    assert loaded.anomaly_threshold == clf.anomaly_threshold == 0.3
    assert loaded.trained and loaded.training_samples == clf.training_samples == 40
    for sequence in (["read", "process", "write"], ["delete", "exfiltrate", "cover_tracks"], ["new"]):
        assert loaded.predict({"sequence": sequence}) == clf.predict({"sequence": sequence})
    assert clf.predict({"sequence": ["delete", "exfiltrate", "cover_tracks"]})["label"] == 1


def test_the_demonstration_of_the_monitor_finds_what_it_shows(tmp_path):
    draw = random.Random(3)
    monitor = AnomalyDriftMonitor(sequence_n=3, storage_path=str(tmp_path / "alerts"))
    for _ in range(30):
        for action_type in draw.choice([["read", "process", "write"], ["fetch", "transform", "load"]]):
            monitor.record_action(f"normal_agent_{draw.randrange(3)}", action_type, draw.uniform(0.1, 0.3))
    alert = None
    for action_type in ["delete", "exfiltrate", "cover_tracks"]:
        alert = monitor.record_action("suspicious_agent", action_type, draw.uniform(0.5, 0.8), cohort="production")
    assert alert and alert.anomaly_type.value == "sequence" and alert.anomaly_type == AnomalyType.SEQUENCE
    assert alert.severity in list(DriftSeverity) and 0.8 <= alert.anomaly_score <= 1 and alert.description and alert.evidence
    assert alert.quarantine_recommended == (alert.severity == DriftSeverity.CRITICAL) == alert.auto_escalated
    assert (tmp_path / "alerts" / "anomaly_alerts.jsonl").read_text(encoding="utf-8").count("\n") == len(monitor.get_alerts())

    repetitive = AnomalyDriftMonitor(frequency_burst_threshold=1000)
    for index in range(50):
        repetitive.record_action("repetitive_agent", "probe" if index < 45 else "other", 0.5)
    assert [alert.agent_id for alert in repetitive.get_alerts(anomaly_type=AnomalyType.BEHAVIORAL)] == ["repetitive_agent"]
    assert repetitive.check_behavioral_anomaly("repetitive_agent", cohort="production").evidence["concentration"] > 0.8
    assert repetitive.check_behavioral_anomaly("nobody") is None

    drifting = AnomalyDriftMonitor(psi_threshold=0.2, kl_threshold=0.1)
    drifting.set_baseline_distribution([draw.betavariate(2, 5) for _ in range(1000)])
    for index in range(200):
        drifting.record_action(f"a{index}", "act", draw.betavariate(4, 3))
    alert = drifting.check_drift()
    assert alert.anomaly_type == AnomalyType.DISTRIBUTIONAL and alert.evidence["psi"] > 0.2 and alert.agent_id is None
    assert drifting.check_drift() is None, "what was compared is forgotten"

    stats = monitor.get_statistics()
    assert stats["alerts"]["total"] == len(monitor.get_alerts()) == sum(stats["alerts"]["by_type"].values())
    assert sum(stats["alerts"]["by_severity"].values()) == stats["alerts"]["total"]
    exported = monitor.export_alerts(limit=1)
    assert exported == [monitor.get_alerts(limit=1)[0].to_dict()] and exported[0]["anomaly_type"] == "sequence"
