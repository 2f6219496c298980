import collections
import json
import os
import sys
from datetime import datetime, timezone

import pytest
from conftest import events

pytest.importorskip("pyspark")

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from anomaly_train import AnomalyMLClassifier, spark


@pytest.fixture(scope="module")
def session():
    """Spark in this process, or the cluster that ANOMALY_TRAIN_SPARK_MASTER names."""
    os.environ["PYSPARK_PYTHON"] = sys.executable
    session = (
        SparkSession.builder.master(os.environ.get("ANOMALY_TRAIN_SPARK_MASTER", "local[2]"))
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "4")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


def row(agent, sequence, label, first, last):
    return agent, tuple(sequence), label, first, last


def of_spark(frame):
    return sorted(row(r["agent"], r["sequence"], r["label"], utc(r["first"]), utc(r["last"])) for r in frame.collect())


def utc(time):
    return time.astimezone(timezone.utc)


def of_command(said):
    return sorted(
        row(
            r["agent_id"],
            r["sequence"],
            r.get("label"),
            *(datetime.fromisoformat(r[end].replace("Z", "+00:00")) for end in ("first", "last")),
        )
        for r in map(json.loads, said.splitlines())
    )


def as_arguments(options):
    said = []
    for name, value in options.items():
        for item in value if isinstance(value, list) else [value]:
            said += ["--" + name.replace("_", "-")] + ([] if item is True else [item])
    return said


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"session_gap": "30s"},
        {"session_by": "task", "normalize_names": True},
        {"session_by": ["user.name", "task"], "session_gap": "2m", "agent_field": "user.name"},
        {"action_field": "{task}:{action_type}", "label_field": "verdict", "anomalous_label": "bad", "time_unit": "s"},
    ],
    ids=str,
)
def test_sessions_are_those_of_the_command_row_by_row(session, file_of, command, options):
    path = file_of(events(4000))
    ours = spark.sessions(session.read.schema(SCHEMA).json(str(path)), **options)
    theirs = of_command(command("sessions", path, *as_arguments(options)))
    assert of_spark(ours) == theirs and len(theirs) >= 5


SCHEMA = "agent_id string, action_type string, timestamp double, label int, task string, user struct<name:string>, verdict string"


def test_times_may_be_timestamps_and_an_ordinal_orders_events_of_a_moment(session, file_of, command):
    found = list(events(3000, seed=2))
    frame = session.read.schema(SCHEMA).json(str(file_of(found)))
    numbered = frame.withColumn("number", F.monotonically_increasing_id())
    shuffled = numbered.withColumn("timestamp", F.timestamp_micros((F.col("timestamp") * 1e6).cast("long"))).orderBy(F.rand(3))
    whole = [dict(event, timestamp=round(event["timestamp"] * 1e6) / 1e6) for event in found]
    assert of_spark(spark.sessions(shuffled, ordinal="number")) == of_command(command("sessions", file_of(whole, "whole.jsonl")))


def test_counted_samples_lead_to_the_model_of_the_samples_one_by_one(session, file_of, tmp_path, command):
    path = file_of(events(6000))
    cut = spark.sessions(session.read.schema(SCHEMA).json(str(path)), session_gap="2m", group_by="task")
    counted = spark.collapse(cut)
    by_hand = collections.Counter((tuple(r["sequence"]), r["label"], r["group"]) for r in cut.collect())
    assert {(tuple(r["sequence"]), r["label"], r["group"]): r["count"] for r in counted.collect()} == by_hand
    counted.write.json(str(tmp_path / "samples"))
    one_by_one = [
        {"sequence": sequence, "label": label, "group": group} for (sequence, label, group), count in by_hand.items() for _ in range(count)
    ]
    digests = {
        json.loads(command("--data", data, "--group-by", "group", *count, "--json", "--models-dir", tmp_path / "m"))["digest"]
        for data, count in ((tmp_path / "samples", ["--count-field", "count"]), (file_of(one_by_one, "all.jsonl"), []))
    }
    assert len(digests) == 1
    model = AnomalyMLClassifier().train(counted.toArrow(), group_by="group", count_field="count")
    figures = spark.evaluate(cut, model)
    beside = model.evaluate(one_by_one, groups=[sample["group"] for sample in one_by_one])
    assert figures == beside


def test_scores_and_explanations_on_executors_are_those_of_predict(session, samples, tmp_path):
    model = AnomalyMLClassifier().train(samples)
    model.save(tmp_path / "model.json")
    rows = [(index, sample["features"]["sequence"]) for index, sample in enumerate(samples[:500])] + [(500, [])]
    frame = session.createDataFrame(rows, "number int, sequence array<string>").repartition(3)
    for given in (model, tmp_path / "model.json"):
        said = {r["number"]: r for r in spark.score(frame, given).collect()}
        for index, sequence in rows:
            one = model.predict(sequence)
            assert (said[index]["predicted"], said[index]["score"], said[index]["confidence"]) == (
                one["label"],
                one["score"],
                one["confidence"],
            )
    explained = spark.explain(frame.where("number < 50"), model, top=3).collect()
    assert all(json.loads(r["explanation"]) == model.explain(r["sequence"], top=3) for r in explained)


def test_options_and_events_are_refused_in_the_words_of_the_command(session):
    frame = session.createDataFrame([("a", "", 5.0)], "agent_id string, action_type string, timestamp double")
    with pytest.raises(ValueError, match="unexpected argument"):
        spark.sessions(frame, session_gaps="5m")
    with pytest.raises(ValueError, match="--session-gap"):
        spark.sessions(frame, session_gap="soon")
    with pytest.raises(Exception, match=r"an event is refused: .*action_type"):
        spark.sessions(frame).collect()
