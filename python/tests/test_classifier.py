import collections
import copy
import json
import pickle
import threading
import time

import pytest

from anomaly_train import AnomalyMLClassifier, generate, run

SEQUENCES = [["scan", "exploit", "inject"], ["read", "process", "write"], ["unknown"], ["read"] * 50]


@pytest.fixture(scope="module")
def trained(samples):
    return AnomalyMLClassifier(seed=7).train(samples)


def test_training_gives_the_scores_of_the_model_that_folds_save(samples, file_of, tmp_path, command):
    path = file_of(samples)
    command("--data", path, "--folds", 4, "--seed", 7, "--models-dir", tmp_path / "models")
    saved = next((tmp_path / "models").glob("c*/anomaly_model_*.json"))
    ours = AnomalyMLClassifier(seed=7).train(samples)
    answers = [json.loads(line) for line in command("predict", "--model", saved, path).splitlines()]
    for sample, answer in zip(samples, answers):
        answer.pop("id")
        assert ours.predict(sample) == answer


def test_groups_and_counts_steer_training_as_their_fields_do(samples, file_of, tmp_path, command):
    counted = [{**sample, "task": f"t{index % 9}", "times": 1 + index % 3} for index, sample in enumerate(samples)]
    options = ["--group-by", "task", "--count-field", "times", "--folds", 3, "--models-dir", tmp_path / "models"]
    command("--data", file_of(counted), *options)
    theirs = AnomalyMLClassifier.load(str(tmp_path / "models" / "c*" / "anomaly_model_*.json"))
    groups, counts = [sample["task"] for sample in counted], [sample["times"] for sample in counted]
    beside = AnomalyMLClassifier().train(samples, groups=groups, counts=counts)
    inside = AnomalyMLClassifier().train(counted, group_by="task", count_field="times")
    for sequence in SEQUENCES:
        assert beside.predict(sequence) == inside.predict(sequence) == theirs.predict(sequence)
    assert beside.predict(SEQUENCES[3]) != AnomalyMLClassifier().train(samples).predict(SEQUENCES[3])


def test_a_run_has_the_digest_of_the_command(samples, file_of, tmp_path, command):
    path = file_of(samples)
    for options in (
        {},
        {"folds": 3, "ngram_size": 2},
        {"normal_only": True, "drop_anomalous": True},
        {"anomaly_threshold": "f1", "seed": 9},
    ):
        arguments = [
            item for name, value in options.items() for item in ["--" + name.replace("_", "-")] + ([] if value is True else [value])
        ]
        theirs = json.loads(command("--data", path, *arguments, "--json", "--models-dir", tmp_path / "m"))
        for data in (samples, path, [path]):
            ours = run(data, **options)
            assert (ours.digest, ours.metrics) == (theirs["digest"], theirs["metrics"])
        assert [reason for reason in ours.reasons if reason["code"] != "champion"] == [
            reason for reason in theirs["reasons"] if reason["code"] != "champion"
        ]
    assert (
        run(num_samples=500, seed=3).digest
        == json.loads(command("--num-samples", 500, "--seed", 3, "--json", "--models-dir", tmp_path / "m"))["digest"]
    )


def test_a_run_saves_where_the_command_does(tmp_path, monkeypatch, command):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795348800")
    outcome = run(num_samples=1000, models_dir=tmp_path / "ours")
    command("--num-samples", 1000, "--models-dir", tmp_path / "theirs")
    assert outcome.promoted and outcome.model_path.parent == tmp_path / "ours" / "current"
    for name in sorted(path.relative_to(tmp_path / "ours") for path in (tmp_path / "ours").rglob("*.json*")):
        assert (tmp_path / "ours" / name).read_bytes() == (tmp_path / "theirs" / name).read_bytes()
    again = run(num_samples=1000, models_dir=tmp_path / "ours", seed=1)
    assert again.promoted and len(command("history", "--models-dir", tmp_path / "ours").splitlines()) >= 2


def test_a_model_without_figures_is_used_and_inspected_and_never_promoted(trained, tmp_path, command):
    path = tmp_path / "models" / "candidates" / "anomaly_model_20261122_120000.json"
    path.parent.mkdir(parents=True)
    trained.save(path)
    assert trained.metrics is None
    assert json.loads(command("predict", "--model", path, "--sequence", "scan,exploit", "--format", "json"))["label"] == 1
    assert json.loads(command("inspect", path, "--json"))["metrics"] is None
    command("promote", path.name, "--models-dir", tmp_path / "models", expect=3)
    assert not (tmp_path / "models" / "current").exists() or not list((tmp_path / "models" / "current").iterdir())


def test_a_model_verifies_here_and_on_the_command_line(trained, samples, file_of, tmp_path, command):
    assert trained.verify(samples)
    with pytest.raises(ValueError, match="the model was trained on"):
        trained.verify(samples[1:])
    trained.save(tmp_path / "model.json")
    path = file_of(samples)
    assert "PASS" in command("verify", tmp_path / "model.json", "--data", path)
    assert trained.verify(path) and run(path, folds=3).model.verify(samples) and run(num_samples=300).model.verify()


def test_many_are_scored_as_one_is_whatever_the_threads(trained, samples):
    sequences = [sample["features"]["sequence"] for sample in samples] + [[]] + SEQUENCES
    one_by_one = [trained.predict(sequence) for sequence in sequences]
    assert trained.predict_many(sequences) == one_by_one
    assert trained.predict_many(samples) == one_by_one[: len(samples)]
    for threads in (1, 3):
        classifier = AnomalyMLClassifier(seed=7, threads=threads).train(samples)
        assert classifier.digest == trained.digest and classifier.predict_many(sequences) == one_by_one
    assert trained.predict_many([]) == []


def test_an_empty_sequence_is_answered_as_the_command_does(trained, tmp_path, command):
    trained.save(tmp_path / "model.json")
    theirs = json.loads(command("predict", "--model", tmp_path / "model.json", stdin='{"sequence": []}\n'))
    theirs.pop("id")
    assert trained.predict({"sequence": []}) == trained.predict([]) == theirs


def test_an_explanation_adds_up_and_is_that_of_the_command(trained, tmp_path, command):
    trained.save(tmp_path / "model.json")
    ours = trained.explain(SEQUENCES[0], top=3)
    theirs = json.loads(
        command("predict", "--model", tmp_path / "model.json", "--explain", "--top", 3, stdin=json.dumps(SEQUENCES[0]) + "\n")
    )
    assert ours == theirs["explanation"]
    assert sum(ours["contributions"].values()) == pytest.approx(ours["log_odds"], abs=1e-9)


def test_figures_are_those_of_evaluate(trained, samples, file_of, tmp_path, command):
    trained.save(tmp_path / "model.json")
    fresh = generate(500, "mixed", seed=99)
    theirs = json.loads(command("evaluate", "--model", tmp_path / "model.json", "--data", file_of(fresh), "--json"))
    assert trained.evaluate(fresh) == theirs["metrics"]


def test_copies_pickles_and_bytes_are_the_same_model(trained, tmp_path):
    trained.save(tmp_path / "model.json")
    for other in (pickle.loads(pickle.dumps(trained)), copy.deepcopy(trained), AnomalyMLClassifier.from_bytes(trained.to_bytes())):
        assert other.digest == trained.digest and other.to_bytes() == (tmp_path / "model.json").read_bytes()
        assert other.predict(SEQUENCES[0]) == trained.predict(SEQUENCES[0]) and other.n == 3
    assert pickle.loads(pickle.dumps(AnomalyMLClassifier(n=2))).n == 2


def test_a_loaded_model_can_be_trained_again_as_it_was(trained, samples):
    assert AnomalyMLClassifier.from_bytes(trained.to_bytes()).train(samples).digest == trained.digest


def test_a_threshold_is_chosen_on_what_was_left_out(trained):
    cautious = trained.with_threshold("false-alarms=0.01")
    assert 0 < cautious.anomaly_threshold < 1 and cautious.anomaly_threshold != trained.anomaly_threshold
    assert cautious.predict(SEQUENCES[0])["score"] == trained.predict(SEQUENCES[0])["score"]
    assert trained.with_threshold(0.9).anomaly_threshold == 0.9


REFUSED = [
    {"features": {"sequence": ["a"]}, "label": True},
    {"features": {"sequence": ["a"]}, "label": 2},
    {"features": {"sequence": ["a"]}, "label": 1.0},
    {"features": {"sequence": ["a"]}, "label": "1"},
    {"features": {"sequence": ["a"]}, "label": None},
    {"features": {"sequence": ["a"]}},
    {"features": {"sequence": "abc"}, "label": 0},
    {"features": {"sequence": ["a", 1]}, "label": 0},
    {"features": {"sequence": ["a", None]}, "label": 0},
    {"features": {"sequence": ["x" * 1025]}, "label": 0},
    {"features": {"sequence": ["a"] * 100_001}, "label": 0},
    {"features": {}, "label": 0},
    {"sequence": ["a"], "features": {"sequence": ["a"]}, "label": 0},
    {"label": 0},
    {"id": {}, "sequence": ["a"], "label": 0},
    "text",
    7,
]


@pytest.mark.parametrize("sample", REFUSED, ids=lambda sample: json.dumps(sample)[:60])
def test_what_the_command_refuses_is_refused_in_its_words(sample, file_of, tmp_path, command):
    good = {"features": {"sequence": ["a"]}, "label": 0}
    path = file_of([good, sample])
    from shutil import which
    from subprocess import run as call

    said = call([which("anomaly-train"), "--data", path, "--models-dir", tmp_path / "m"], capture_output=True, text=True)
    assert said.returncode == 3
    words = said.stderr.splitlines()[0].split(f"{path}:2:")[1]
    with pytest.raises(ValueError) as refused:
        AnomalyMLClassifier().train([good, sample])
    ours = str(refused.value)
    assert ours.startswith("row 1: ") and words.endswith(ours.removeprefix("row 1: "))
    assert not (tmp_path / "m").exists()


def test_options_are_refused_in_the_words_of_the_command():
    for options, words in [
        ({"n": 0}, "expected a whole number from 1 to 8, got 0"),
        ({"anomaly_threshold": 1.5}, "both excluded, got 1.5"),
        ({"l2": -1}, "must lie between 1e-6 and 1e9, got -1"),
        ({"normal_only": True, "l2": 1}, "cannot be used with"),
        ({"epoch": 3}, "unexpected argument"),
    ]:
        with pytest.raises(ValueError, match=words):
            AnomalyMLClassifier(**options)
    with pytest.raises(ValueError, match="needs --group-by"):
        AnomalyMLClassifier(calibrate="group").train([])
    with pytest.raises(ValueError, match="no samples to train on"):
        AnomalyMLClassifier().train([])
    with pytest.raises(ValueError, match="not trained yet"):
        AnomalyMLClassifier().predict([])


def test_whatever_stands_for_a_list_or_a_sample_is_one(trained):
    expected = trained.predict(["scan", "exploit"])
    for other in (
        ("scan", "exploit"),
        collections.deque(["scan", "exploit"]),
        collections.UserDict(sequence=collections.UserList(["scan", "exploit"])),
        {"features": collections.OrderedDict(sequence=("scan", "exploit"))},
        {"sequence": (name for name in ["scan", "exploit"])},
    ):
        assert trained.predict(other) == expected
    for other in ({"scan"}, b"scan", {"sequence": [b"scan"]}, object(), None, "scan", 5):
        with pytest.raises(ValueError, match=r"^row 0: "):
            trained.predict(other)


def test_numbers_out_of_range_are_refused(trained, samples):
    for threads in (0, -1, 5000):
        with pytest.raises(ValueError, match="threads: expected a whole number from 1 to 1024"):
            AnomalyMLClassifier(threads=threads).train(samples)
    for top in (0, -1):
        with pytest.raises(ValueError, match="top: expected a whole number from 1"):
            trained.explain(["scan"], top=top)
    with pytest.raises(ValueError, match="trained on data; give them"):
        trained.verify()
    with pytest.raises(ValueError, match="without data"):
        run(num_samples=300).model.verify(samples)


def test_columns_beside_must_be_as_long_and_hold_what_they_should(samples):
    for beside, words in [
        ({"groups": ["a"]}, "1 groups for 2000 samples"),
        ({"counts": [0] * 2000}, "row 0: the count: expected a whole number from 1"),
        ({"counts": [True] * 2000}, "row 0: the count"),
        ({"groups": ["a"] * 1999 + [{}]}, "row 1999: "),
        ({"groups": [None] * 2000}, "row 0: "),
    ]:
        with pytest.raises(ValueError, match=words):
            AnomalyMLClassifier().train(samples, **beside)


def test_files_that_are_no_models_are_refused_and_missing_ones_are_the_systems(tmp_path):
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(ValueError, match="not a model file"):
        AnomalyMLClassifier.load(tmp_path / "bad.json")
    with pytest.raises(FileNotFoundError) as missing:
        AnomalyMLClassifier.load(tmp_path / "none.json")
    assert missing.value.filename == str(tmp_path / "none.json")
    with pytest.raises(FileNotFoundError):
        run(tmp_path / "none.jsonl")
    with pytest.raises(ValueError, match="digest"):
        AnomalyMLClassifier.from_bytes(AnomalyMLClassifier().train(generate(100)).to_bytes().replace(b'"seed":42', b'"seed":43'))
    with pytest.raises(OSError):
        AnomalyMLClassifier().train(generate(100)).save(tmp_path)
    with pytest.raises(FileNotFoundError) as nowhere:
        AnomalyMLClassifier().train(generate(100)).save(tmp_path / "no" / "model.json")
    assert nowhere.value.filename == str(tmp_path / "no" / "model.json")


def test_other_threads_go_on_while_it_works():
    samples = generate(20_000, "mixed")
    ticks = []
    stop = threading.Event()

    def tick():
        while not stop.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.001)

    ticker = threading.Thread(target=tick)
    ticker.start()
    prepared = __import__("anomaly_train")._samples.of(samples)
    before = len(ticks)
    AnomalyMLClassifier(threads=1).train(prepared)
    during = len(ticks) - before
    stop.set()
    ticker.join()
    assert during > 5


def test_warnings_go_to_the_logger_of_the_module(tmp_path, file_of, caplog, samples):
    path = file_of([{**sample, "task": f"t{index % 9}"} for index, sample in enumerate(samples)])
    run(path)
    assert any('the field "task" looks like a group' in record.getMessage() for record in caplog.records)


def test_it_shows_itself(trained):
    assert "2000 samples" in repr(trained) and repr(AnomalyMLClassifier(n=2)).startswith("AnomalyMLClassifier(n=2")
    page = trained._repr_html_()
    assert trained.digest in page and page.startswith("<table>") and "speaks for an anomaly" in page
    hostile = AnomalyMLClassifier().train([{"sequence": ["<script>"], "label": 1}, {"sequence": ["b"], "label": 0}] * 9)
    assert "<script>" not in hostile._repr_html_()
